/// Makes one event with a count of like events within one second of the monotonic clock, so that
/// a flood is a few rows. No count is lost.
///
/// The rows of a second are bounded, too, however many sources there are: when there are many
/// distinct events, sources that come then are told by network (/24, /48), and when there are
/// twice as many, not at all.
package struct Coalescer: Sendable {
    /// Distinct events of a second whose sources are told as they are. As many again may tell a
    /// network.
    package static let sourceLimit = 1_024
    /// Distinct events that may wait. One more, and all are let go early: for events that have no
    /// source to leave out.
    package static let limit = 4_096

    /// Events of each second that need not wait at all.
    private let passing: Int
    private var passed = 0
    private var second: UInt64 = 0
    /// In the order of their first occurrence.
    private var waiting: [Timed] = []
    private var places: [Key: Int] = [:]

    package struct Timed: Sendable {
        package var event: any CoalescingEvent
        /// Of the first.
        package let instant: Instant
    }

    /// - Parameter passing: so many events of each second are handed on at once: those of quiet
    ///   times, which somebody may wait for.
    package init(passing: Int = 0) { self.passing = passing }

    /// - Returns: what need not wait any longer.
    package mutating func add(_ event: any CoalescingEvent, at instant: Instant) -> [Timed] {
        var released: [Timed] = []
        if instant.second != second {
            released = release()
            second = instant.second
        }
        if passed < passing {
            passed += 1
            return released + [Timed(event: event, instant: instant)]
        }
        if merge(event) { return released }
        var event = event
        if waiting.count >= Self.sourceLimit {
            event.generaliseSource(v4: 24, v6: 48)
            if merge(event) { return released }
        }
        if waiting.count >= 2 * Self.sourceLimit {
            event.generaliseSource(v4: 0, v6: 0)
            if merge(event) { return released }
        }
        if waiting.count >= Self.limit { released += release() }
        places[Key(event)] = waiting.count
        waiting.append(Timed(event: event, instant: instant))
        return released
    }

    /// - Returns: what waits, if its second is over.
    package mutating func release(at now: Instant) -> [Timed] {
        now.second > second ? release() : []
    }

    /// - Returns: all that waits.
    package mutating func release() -> [Timed] {
        defer {
            passed = 0
            waiting.removeAll(keepingCapacity: true)
            places.removeAll(keepingCapacity: true)
        }
        return waiting
    }

    /// - Returns: whether there was a like one that it could be added to.
    private mutating func merge(_ event: any CoalescingEvent) -> Bool {
        guard let place = places[Key(event)] else { return false }
        waiting[place].event = sum(waiting[place].event, event.count.clear)
        return true
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
