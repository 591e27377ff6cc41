import Crypto
import Exporter
import Glibc
import Logging
import Recorder
import Store
import Vocabulary

/// What a gateway tells of one user who logs in and out.
func factsOfLogin(_ number: Int) -> [any Event] {
    let session = SessionID(
        milliseconds: UInt64(Workload.start) * 1_000 + UInt64(number), random: [])
    let child = ChildID(UInt64(number))
    let identity = Identity("user\(number)@example.org")
    let address = VirtualAddress(.v4(0x0a58_0000 &+ UInt32(truncatingIfNeeded: number)))
    var established = SessionEstablished.example
    established.session = Public(session)
    established.identity = Personal(identity)
    established.virtualAddress = Personal(address)
    return [
        LeaseGranted(session: session, pool: "staff", identity: identity, address: address),
        established,
        ChildSAInstalled(
            session: session, child: child, inboundSPI: ESPSPI(1), outboundSPI: ESPSPI(2),
            suite: "aes128gcm16", lifetimeMilliseconds: 3_600_000),
        ChildSAClosed(session: session, child: child, reason: .sessionClosed, total: Traffic()),
        LeaseReleased(session: session, pool: "staff"),
        SessionClosed(
            session: session, reason: .deletedByPeer, durationMilliseconds: 1, total: Traffic()),
    ]
}

/// CPU of the recorder's thread for each login and logout: rules, counters, pseudonyms, store.
func logins(_ path: String, count: Int) throws -> Results {
    let store = try Store(path: path, version: "bench", at: Timestamp(nanoseconds: 1), bootID: "b")
    let key = SharedSecret(SecretBytes(copying: Array(0..<32)))
    let recorder = Recorder(
        store: store, registry: Registry(version: "bench"),
        policy: Disclosure(pseudonymiser: KeyedPseudonymiser(key: key)), notifier: nil,
        version: "bench", logger: Logger(label: "bench"))
    let queue = recorder.makeQueue()
    recorder.start()
    let process = seconds(CLOCK_PROCESS_CPUTIME_ID)
    let thread = seconds(CLOCK_THREAD_CPUTIME_ID)
    for number in 0..<count {
        let now = Instant(nanoseconds: UInt64(seconds(CLOCK_MONOTONIC) * 1e9))
        for event in factsOfLogin(number) { queue.record(event, at: now) }
        // A thousand a second, so that a round has a hundred.
        if number % 100 == 99 { usleep(100_000) }
    }
    recorder.stop(cause: .signal)
    let spent =
        seconds(CLOCK_PROCESS_CPUTIME_ID) - process
        - (seconds(CLOCK_THREAD_CPUTIME_ID) - thread)
    return [("recorder_ms_per_login", spent / Double(count) * 1_000)]
}
