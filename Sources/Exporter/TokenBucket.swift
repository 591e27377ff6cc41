/// Lets so many requests through at once, and one in each interval after that.
struct TokenBucket: Sendable {
    private let limit: Access.RateLimit
    /// When the bucket would have been empty: it holds one token for each interval since then.
    private var empty: ContinuousClock.Instant

    init(_ limit: Access.RateLimit, at now: ContinuousClock.Instant) {
        self.limit = limit
        empty = now - limit.interval * limit.burst
    }

    mutating func take(at now: ContinuousClock.Instant) -> Bool {
        empty = max(empty, now - limit.interval * limit.burst)
        guard empty + limit.interval <= now else { return false }
        empty += limit.interval
        return true
    }
}
