import Glibc
import Store
import Vocabulary

// Writes to the store that its argument names until it is killed, and prints the number of each
// batch once that is durable. Batch n opens session n; from the fourth on it also ends session
// n - 3. So after n batches the sessions n - 2, n - 1 and n are open.

struct Hidden: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String { "hidden" }
}

func write(to path: String) throws(StoreError) {
    let policy = Disclosure(pseudonymiser: Hidden())
    let store = try Store(
        path: path, version: "0.1.0", at: Timestamp(nanoseconds: 0), bootID: "crash")

    for batch in 1...1_000_000 as ClosedRange<UInt64> {
        var disclosed: [DisclosedEvent] = []
        func record(_ event: some Event) { disclosed.append(event.disclosed(under: policy)) }

        if batch == 1 { record(GatewayStarted.example) }
        var opening = SessionEstablished.example
        let session = SessionID(milliseconds: batch, random: [])
        opening.session = Public(session)
        record(opening)
        record(
            LeaseGranted(
                session: session, pool: "staff", identity: Identity("alice@example.org"),
                address: VirtualAddress(.v4(UInt32(batch)))))
        record(
            ChildSAInstalled(
                session: session, child: ChildID(batch), inboundSPI: ESPSPI(1),
                outboundSPI: ESPSPI(2), suite: "aes128gcm16", lifetimeMilliseconds: 1))
        if batch > 3 {
            let ending = SessionID(milliseconds: batch - 3, random: [])
            record(
                ChildSAClosed(
                    session: ending, child: ChildID(batch - 3), reason: .sessionClosed,
                    total: Traffic()))
            record(LeaseReleased(session: ending, pool: "staff"))
            record(
                SessionClosed(
                    session: ending, reason: .deletedByPeer, durationMilliseconds: 1,
                    total: Traffic()))
        }
        var tick = Tick()
        tick.children = (batch < 3 ? 1...batch : (batch - 2)...batch).map {
            ChildSample(
                session: SessionID(milliseconds: $0, random: []), child: ChildID($0),
                traffic: Traffic(bytesIn: batch))
        }
        let at = Timestamp(nanoseconds: Int64(batch))
        let instant = Instant(nanoseconds: batch)
        try store.append(
            events: disclosed.map { RecordedEvent(at: at, instant: instant, event: $0) },
            ticks: [RecordedTick(at: at, instant: instant, tick: tick)])
        print(batch)
        fflush(nil)
    }
}

do throws(StoreError) {
    try write(to: CommandLine.arguments.last ?? "")
} catch {
    print(error)
    exit(1)
}
