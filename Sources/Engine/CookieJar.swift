import Crypto
import Vocabulary
import Wire

/// What a cookie vouches for: this initiator, at this address, with this nonce.
struct CookieClaim {
    let initiatorSPI: UInt64
    let nonce: [UInt8]
    let source: IPAddress

    fileprivate var bytes: [UInt8] {
        var bytes = nonce
        bytes.put(initiatorSPI)
        bytes += source.bytes
        return bytes
    }
}

/// Makes and checks cookies without keeping any (RFC 7296 §2.6):
///
///     generation | HMAC-SHA-256(secret of the generation, Ni | SPIi | source address), cut to 16 bytes
///
/// The secret is replaced every minute. A cookie of the generation before is still taken, so that
/// one lives for one to two minutes.
struct CookieJar {
    private static let lifetime = Duration.seconds(60)
    private static let macLength = 16

    private var generation: UInt8 = 0
    private var current: SharedSecret?
    private var previous: SharedSecret?
    private var replaceAt = Instant(nanoseconds: 0)

    /// The cookie for a stranger; 17 bytes.
    mutating func cookie(
        for claim: CookieClaim, at now: Instant, _ random: any RandomSource
    ) -> [UInt8] {
        [generation(at: now, random)] + mac(claim, newest(at: now, random))
    }

    mutating func isValid(
        _ cookie: [UInt8], for claim: CookieClaim, at now: Instant, _ random: any RandomSource
    ) -> Bool {
        guard cookie.count == 1 + Self.macLength, let number = cookie.first else { return false }
        let newest = newest(at: now, random)
        let secret =
            switch number {
            case generation: newest
            case generation &- 1: previous
            default: nil as SharedSecret?
            }
        guard let secret else { return false }
        return SecretBytes(copying: mac(claim, secret)).matches(Array(cookie.dropFirst()))
    }

    private func mac(_ claim: CookieClaim, _ secret: SharedSecret) -> [UInt8] {
        Array(hmacSHA256(key: secret.bytes, claim.bytes).prefix(Self.macLength))
    }

    private mutating func generation(at now: Instant, _ random: any RandomSource) -> UInt8 {
        _ = newest(at: now, random)
        return generation
    }

    /// The secret of this minute.
    private mutating func newest(at now: Instant, _ random: any RandomSource) -> SharedSecret {
        if let current, now < replaceAt { return current }
        // After a long rest the one before is too old, as well.
        previous = now < replaceAt + Self.lifetime ? current : nil
        let fresh = SharedSecret(SecretBytes(count: 32) { random.fill(&$0) })
        current = fresh
        generation &+= 1
        replaceAt = now + Self.lifetime
        return fresh
    }
}
