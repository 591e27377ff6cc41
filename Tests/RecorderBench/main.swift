import BenchFacts
import Crypto
import Exporter
import Glibc
import Logging
import Recorder
import Store
import Vocabulary

// recorder-bench FILE [LOGINS]
//     CPU of the recorder for each of so many logins and logouts (5,000), a thousand a second: rules,
//     counters, pseudonyms, store. FILE must not be there.

func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// - Returns: milliseconds of CPU of all threads but this one, for each login.
func logins(_ path: String, count: Int) throws -> Double {
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
        let session = SessionID(
            milliseconds: 1_795_000_000_000 + UInt64(number), random: [])
        for event in factsOfLogin(number, session: session) { queue.record(event, at: now) }
        // A thousand a second, so that a round has a hundred.
        if number % 100 == 99 { usleep(100_000) }
    }
    recorder.stop(cause: .signal)
    let spent =
        seconds(CLOCK_PROCESS_CPUTIME_ID) - process
        - (seconds(CLOCK_THREAD_CPUTIME_ID) - thread)
    return spent / Double(count) * 1_000
}

let words = CommandLine.arguments
if words.count > 1 {
    let count = words.count > 2 ? Int(words[2]) ?? 5_000 : 5_000
    do { print("{\"recorder_ms_per_login\": \(try logins(words[1], count: count))}") } catch {
        print(error)
        exit(1)
    }
} else {
    print("usage: recorder-bench FILE [LOGINS]")
}
