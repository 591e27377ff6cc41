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
