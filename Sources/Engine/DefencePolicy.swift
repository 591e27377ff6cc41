import Vocabulary

/// What strangers, and peers that ask too much, may cost us. Per engine: of several shards each
/// has its ``share(of:)``.
package struct DefencePolicy: Hashable, Sendable {
    /// Half-open IKE SAs from which on strangers must return a cookie first (RFC 7296 §2.6).
    package var cookiesFrom = 100
    /// The same, of one source: an IPv4 address, or an IPv6 /64.
    package var cookiesFromPerSource = 10
    /// Half-open IKE SAs of one source; beyond it new ones are refused.
    package var halfOpenPerSource = 100
    /// Key exchanges that strangers may have us compute, per second; twice as many at once.
    package var keyExchangesPerSecond = 1_000
    /// The same, of one source.
    package var keyExchangesPerSecondPerSource = 200
    /// Messages that don't decrypt, after which a half-open IKE SA is given up.
    package var invalidMessages = 5
    /// Requests of one established IKE SA per second; five times as many at once. A
    /// CREATE_CHILD_SA counts for ``createChildWeight``.
    package var requestsPerSecond = 20
    /// An IKE_SA_INIT that waited longer is dropped. The least patient clients give up after 30 s
    /// and send it for the last time when half of that is over, or later.
    package var patience: Duration = .seconds(10)

    /// Messages with the SPIs of an established IKE SA that don't decrypt, per second; twice as many
    /// at once. Beyond it none of its messages is looked at for a moment: who knows its SPIs sees
    /// its traffic, and could as well hold that up.
    static let invalidPerSecond = 50

    /// CREATE_CHILD_SA may cost a key exchange; INFORMATIONAL costs next to nothing.
    static let createChildWeight = 10
    /// The longest IKE_SA_INIT that is taken, in bytes: what the RFC asks for (RFC 7296 §2).
    static let longestInit = 3_000
    /// Error answers to strangers per second (RFC 7296 §2.21).
    static let errorsPerSecond = 100

    package init() {}

    /// The part of one shard of `count`, rounded up: the kernel spreads strangers evenly, by the
    /// SPIs that they choose. What is one peer's alone is whole.
    package func share(of count: Int) -> Self {
        guard count > 1 else { return self }
        func part(_ limit: Int) -> Int { limit / count + (limit % count > 0 ? 1 : 0) }
        var share = self
        share.cookiesFrom = part(cookiesFrom)
        share.cookiesFromPerSource = part(cookiesFromPerSource)
        share.halfOpenPerSource = part(halfOpenPerSource)
        share.keyExchangesPerSecond = part(keyExchangesPerSecond)
        share.keyExchangesPerSecondPerSource = part(keyExchangesPerSecondPerSource)
        return share
    }
}

extension IPAddress {
    /// Who counts as one source: an IPv4 address, or the IPv6 /64 that one customer has.
    var source: IPAddress { prefix(isIPv4 ? 32 : 64) }
}
