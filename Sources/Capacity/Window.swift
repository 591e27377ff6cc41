import Presentation
package import Vocabulary

/// What a report is about: from `since` up to and without `until`. Empty if they are the wrong
/// way round.
package struct Window: Hashable, Sendable {
    package let since: Timestamp
    package let until: Timestamp

    package init(since: Timestamp, until: Timestamp) {
        self.since = since
        self.until = until
    }

    var nanoseconds: Int64 {
        let (length, overflow) = until.nanoseconds.subtractingReportingOverflow(since.nanoseconds)
        return overflow ? .max : max(0, length)
    }
}

extension Window {
    /// The hours since 1970 that it overlaps.
    var hours: Range<Int64> {
        guard until > since else { return 0..<0 }
        let first = Int64(Span.hourIndex(since.nanoseconds))
        return first..<Int64(Span.hourIndex(until.nanoseconds - 1)) + 1
    }

    /// The time of these hours.
    var wholeHours: Window {
        guard until > since else { return self }
        func time(_ hour: Int64) -> Timestamp {
            let (time, overflow) = hour.multipliedReportingOverflow(by: Span.hour)
            return Timestamp(nanoseconds: overflow ? (hour < 0 ? .min : .max) : time)
        }
        return Window(since: time(hours.lowerBound), until: time(hours.upperBound))
    }

    /// Says so, if they are more than the window.
    var wholeHoursNotes: [String] {
        let whole = wholeHours
        guard whole != self else { return [] }
        let bounds = [whole.since, whole.until].map { human(.integer($0.nanoseconds), .timestamp) }
        return ["Counted by whole hours: from \(bounds[0]) to \(bounds[1])."]
    }
}

/// Nanoseconds.
enum Span {
    static let second: Int64 = 1_000_000_000
    static let minute = 60 * second
    static let hour = 60 * minute

    /// Whole hours since 1970-01-01T00:00Z, rounded down.
    static func hourIndex(_ nanoseconds: Int64) -> Int {
        let (hour, rest) = nanoseconds.quotientAndRemainder(dividingBy: Self.hour)
        return Int(rest < 0 ? hour - 1 : hour)
    }
}

/// `1 session`, `2 sessions`.
func counted(_ count: Int64, _ noun: String, _ plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
