import Store
import Vocabulary

/// Where facts are kept for good: the store. Tests have one that fails.
protocol Ledger: Sendable {
    /// All or nothing, durable on return.
    func append(events: [RecordedEvent], ticks: [RecordedTick]) throws(StoreError)
    var sizeBytes: UInt64 { get }
    /// Of that, what is not folded into the database yet.
    var logBytes: UInt64 { get }
    /// Deletions of what is too old that failed; why the last one did.
    var retentionFailures: (count: UInt64, latest: StoreError?) { get }
    func close()
}

extension Store: Ledger {}

/// Facts on their way to the ledger. While it does not take them they wait, up to a bound; then
/// the newest are dropped and counted.
struct Backlog: Sendable {
    /// Facts that may wait.
    static let limit = 100_000
    /// Facts that are worth a transaction of their own: before a large batch is dealt with, its
    /// beginning is written.
    static let batch = 20_000
    /// Between two attempts at a ledger that fails.
    static let pause = Duration.seconds(1)

    private(set) var events: [RecordedEvent] = []
    private(set) var ticks: [RecordedTick] = []
    /// By kind, since ``takeDropped()``.
    private(set) var dropped: [String: UInt64] = [:]
    private(set) var isFailing = false
    private var nextAttempt = Instant(nanoseconds: 0)

    var count: Int { events.count + ticks.count }

    /// When the first of those that wait happened.
    var oldest: Instant? { [events.first?.instant, ticks.first?.instant].compactMap(\.self).min() }

    /// - Parameter weight: how many events it stands for.
    mutating func add(_ event: RecordedEvent, weight: @autoclosure () -> UInt64) {
        if count < Self.limit {
            events.append(event)
        } else {
            dropped[event.event.kind, default: 0] &+= weight()
        }
    }

    mutating func add(_ tick: RecordedTick) {
        if count < Self.limit { ticks.append(tick) } else { dropped["tick", default: 0] &+= 1 }
    }

    mutating func takeDropped() -> [String: UInt64] {
        defer { dropped = [:] }
        return dropped
    }

    enum Outcome: Equatable {
        /// Nothing to do, or not time yet.
        case idle
        case wrote(events: Int)
        case failed(StoreError)
    }

    /// Tries to write everything.
    ///
    /// - Parameter now: nil to try without regard to the pause.
    mutating func write(to ledger: any Ledger, now: Instant?) -> Outcome {
        guard count > 0 else { return .idle }
        if let now, isFailing, now < nextAttempt { return .idle }
        do throws(StoreError) {
            try ledger.append(events: events, ticks: ticks)
        } catch {
            isFailing = true
            if let now { nextAttempt = now + Self.pause }
            if case .unknownEvent(let kind) = error { drop(kind) }
            return .failed(error)
        }
        isFailing = false
        defer {
            events.removeAll(keepingCapacity: events.count < 10_000)
            ticks.removeAll(keepingCapacity: true)
        }
        return .wrote(events: events.count)
    }

    /// What the ledger will never take must not hold up the rest.
    private mutating func drop(_ kind: String) {
        let before = events.count
        events.removeAll { $0.event.kind == kind }
        dropped[kind, default: 0] &+= UInt64(before - events.count)
        nextAttempt = Instant(nanoseconds: 0)
    }
}
