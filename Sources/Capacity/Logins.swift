import Vocabulary

/// Counts logins by minute and hour in one pass.
struct LoginFold {
    struct Hour: Hashable {
        var logins: Int64 = 0
        /// Per second, on average over a minute; `at` is the minute's beginning.
        var rate = Peak()
    }

    private(set) var hours: [Int: Hour] = [:]
    /// Per second in the minute that is "now".
    private(set) var now: Double = 0
    private let nowMinute: Int64?
    private var minute: Int64 = 0
    private var count: Int64 = 0

    /// - Parameter latest: the latest sample, in nanoseconds since 1970; now is the last whole
    ///   minute before it.
    init(latest: Int64?) {
        nowMinute = latest.map { $0 / Span.minute - 1 }
    }

    /// - Parameter time: of a login, in nanoseconds since 1970 and in order.
    mutating func add(at time: Int64) {
        if time / Span.minute != minute {
            finish()
            minute = time / Span.minute
        }
        count += 1
    }

    /// Call it after the last login.
    mutating func finish() {
        guard count > 0 else { return }
        let rate = Double(count) / 60
        hours[Span.hourIndex(minute * Span.minute), default: Hour()]
            .include(count, rate, at: minute * Span.minute)
        if minute == nowMinute { now = rate }
        count = 0
    }
}

extension LoginFold.Hour {
    fileprivate mutating func include(_ count: Int64, _ rate: Double, at time: Int64) {
        logins += count
        self.rate.see(rate, at: time)
    }
}
