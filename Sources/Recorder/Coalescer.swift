import Vocabulary

/// Makes one event with a count of like events within one second of the monotonic clock, so that
/// a flood is a few rows.
struct Coalescer: Sendable {
    /// Distinct events that may wait. One more, and all are let go early: a second may then have
    /// several events of one likeness, but no count is lost.
    static let limit = 4_096

    private var second: UInt64 = 0
    /// In the order of their first occurrence.
    private var waiting: [Timed] = []
    private var places: [Key: Int] = [:]

    struct Timed: Sendable {
        var event: any CoalescingEvent
        /// Of the first.
        let instant: Instant
    }

    /// - Returns: what need not wait any longer.
    mutating func add(_ event: any CoalescingEvent, at instant: Instant) -> [Timed] {
        let key = Key(event)
        let place = places[key]
        var released: [Timed] = []
        if instant.second != second || (place == nil && waiting.count >= Self.limit) {
            released = release()
            second = instant.second
        } else if let place {
            waiting[place].event = sum(waiting[place].event, event.count.clear)
            return []
        }
        places[key] = waiting.count
        waiting.append(Timed(event: event, instant: instant))
        return released
    }

    /// - Returns: what waits, if its second is over.
    mutating func release(at now: Instant) -> [Timed] { now.second > second ? release() : [] }

    /// - Returns: all that waits.
    mutating func release() -> [Timed] {
        defer {
            waiting.removeAll(keepingCapacity: true)
            places.removeAll(keepingCapacity: true)
        }
        return waiting
    }

    /// Unchecked: `AnyHashable` is not `Sendable`, but a `Likeness` is, and nothing else gets in.
    private struct Key: Hashable, @unchecked Sendable {
        private let kind: String
        private let likeness: AnyHashable

        init(_ event: some CoalescingEvent) {
            kind = event.kind
            likeness = AnyHashable(event.likeness)
        }
    }
}

private func sum(_ event: some CoalescingEvent, _ more: UInt64) -> any CoalescingEvent {
    var sum = event
    let (count, overflow) = event.count.clear.addingReportingOverflow(more)
    sum.count = Public(overflow ? .max : count)
    return sum
}

extension Instant {
    /// Whole seconds since the clock's epoch.
    fileprivate var second: UInt64 { nanoseconds / 1_000_000_000 }
}
