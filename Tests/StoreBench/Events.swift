import BenchFacts
import Glibc
import Store
import Vocabulary

/// What users tell who log in and out, 15,000 events at once: what there is in 100 ms at the rate
/// that is asked for and then some. Each batch is durable before the next.
func eventsPerSecond(_ path: String) throws -> Results {
    let store = try Store(path: path, version: "bench", at: Timestamp(nanoseconds: 1), bootID: "b")
    let batches = (0..<10).map { batch in
        (0..<2_500).flatMap { eventsOfUser(batch * 2_500 + $0) }
    }
    let start = seconds(CLOCK_MONOTONIC)
    let cpu = seconds(CLOCK_THREAD_CPUTIME_ID)
    for batch in batches { try store.append(events: batch, ticks: []) }
    let count = Double(batches.reduce(0) { $0 + $1.count })
    return [
        ("events_per_s", count / (seconds(CLOCK_MONOTONIC) - start)),
        ("cpu_us_per_event", (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) / count * 1e6),
    ]
}

/// Events of a login and of a logout. The next user is 40 µs later, with another identity and an
/// id whose random part follows no order.
private func eventsOfUser(_ number: Int) -> [RecordedEvent] {
    let nanoseconds = UInt64(number) * 40_000
    let mixed = UInt64(number) &* 0x9e37_79b9_7f4a_7c15
    let session = SessionID(
        milliseconds: 1_795_000_000_000 + nanoseconds / 1_000_000,
        random: (0..<10).map { UInt8(truncatingIfNeeded: mixed >> ($0 * 6)) })
    let policy = Disclosure(pseudonymiser: Hidden())
    return factsOfLogin(number, session: session).map { event in
        RecordedEvent(
            at: Timestamp(nanoseconds: 1_795_000_000_000_000_000 + Int64(nanoseconds)),
            instant: Instant(nanoseconds: nanoseconds), event: event.disclosed(under: policy))
    }
}
