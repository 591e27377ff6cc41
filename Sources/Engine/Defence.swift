import Crypto
import Vocabulary

/// What is known of the pressure that strangers put on us, in memory that does not grow.
struct Defence {
    private var jar = CookieJar()
    private var keyExchanges = TokenBucket()
    private var bySource = SourceBuckets()
    private var errors = TokenBucket()

    /// Why a stranger must return a cookie first; nil if it need not.
    func demandsCookie(
        _ source: IPAddress, halfOpen: HalfOpenTable, under policy: DefencePolicy, at now: Instant
    ) -> CookieCause? {
        if halfOpen.count >= policy.cookiesFrom { return .halfOpen }
        if halfOpen.count(of: source) >= policy.cookiesFromPerSource { return .halfOpenSource }
        // Half of what may be spent is kept for those who can prove where they are.
        if keyExchanges.isHalfEmpty(policy.keyExchanges, at: now)
            || bySource.isHalfEmpty(source, policy.keyExchangesOfSource, at: now)
        {
            return .keyExchanges
        }
        return nil
    }

    /// Takes leave to compute a key exchange.
    ///
    /// - Returns: the limit that forbids it, or nil.
    mutating func takeKeyExchange(
        for source: IPAddress, under policy: DefencePolicy, at now: Instant
    ) -> InitRejection? {
        guard bySource.take(source, policy.keyExchangesOfSource, at: now) else {
            return .keyExchangeSourceLimit
        }
        return keyExchanges.take(of: policy.keyExchanges, at: now) ? nil : .keyExchangeLimit
    }

    /// Takes leave to answer a stranger with an error (RFC 7296 §2.21).
    mutating func takeError(at now: Instant) -> Bool {
        errors.take(of: Rate(perSecond: DefencePolicy.errorsPerSecond, burst: 2), at: now)
    }

    mutating func cookie(
        for claim: CookieClaim, at now: Instant, _ random: any RandomSource
    ) -> [UInt8] {
        jar.cookie(for: claim, at: now, random)
    }

    mutating func isValid(
        _ cookie: [UInt8], for claim: CookieClaim, at now: Instant, _ random: any RandomSource
    ) -> Bool {
        jar.isValid(cookie, for: claim, at: now, random)
    }
}

extension DefencePolicy {
    fileprivate var keyExchanges: Rate { Rate(perSecond: keyExchangesPerSecond, burst: 2) }
    fileprivate var keyExchangesOfSource: Rate {
        Rate(perSecond: keyExchangesPerSecondPerSource, burst: 2)
    }
    /// Of one IKE SA.
    var requests: Rate { Rate(perSecond: requestsPerSecond, burst: 5) }
    static var invalid: Rate { Rate(perSecond: invalidPerSecond, burst: 2) }
}

/// So many per second, and at once as many as in `burst` seconds.
struct Rate: Hashable, Sendable {
    let perSecond: Int
    let burst: Int

    /// Nanoseconds that one takes to come back.
    fileprivate var interval: UInt64 { 1_000_000_000 / UInt64(max(perSecond, 1)) }
    fileprivate var window: UInt64 { UInt64(max(burst, 1)) * 1_000_000_000 }
}

/// A token bucket, kept as the moment at which it will be full again. Begins full.
struct TokenBucket: Sendable {
    private var fullAt: UInt64 = 0

    /// - Returns: false, and takes nothing, if there is not enough.
    mutating func take(_ amount: Int = 1, of rate: Rate, at now: Instant) -> Bool {
        let (cost, overflow) = rate.interval.multipliedReportingOverflow(by: UInt64(max(amount, 0)))
        guard !overflow, cost <= rate.window else { return false }
        let missing = missing(at: now)
        guard missing <= rate.window - cost else { return false }
        fullAt = now.nanoseconds &+ missing &+ cost
        return true
    }

    func isHalfEmpty(_ rate: Rate, at now: Instant) -> Bool {
        missing(at: now) > rate.window / 2
    }

    /// Whether there is not one left.
    func isEmpty(_ rate: Rate, at now: Instant) -> Bool {
        missing(at: now) > rate.window - min(rate.interval, rate.window)
    }

    /// Nanoseconds until it is full.
    private func missing(at now: Instant) -> UInt64 {
        fullAt > now.nanoseconds ? fullAt - now.nanoseconds : 0
    }
}

/// A bucket for each source, in a table of fixed size. Sources whose hashes collide share one;
/// the hash's key is the process's own, so that nobody can choose whom to share with.
private struct SourceBuckets {
    private static let count = 8_192
    private var buckets: [TokenBucket] = []

    mutating func take(_ source: IPAddress, _ rate: Rate, at now: Instant) -> Bool {
        if buckets.isEmpty { buckets = Array(repeating: TokenBucket(), count: Self.count) }
        return buckets[Self.place(of: source)].take(of: rate, at: now)
    }

    func isHalfEmpty(_ source: IPAddress, _ rate: Rate, at now: Instant) -> Bool {
        !buckets.isEmpty && buckets[Self.place(of: source)].isHalfEmpty(rate, at: now)
    }

    private static func place(of source: IPAddress) -> Int {
        Int(truncatingIfNeeded: source.source.hashValue.magnitude % UInt(count))
    }
}
