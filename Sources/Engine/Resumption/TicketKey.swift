package import Crypto
import Wire

/// A key that tickets are sealed under (RFC 5723 §5). Gateways that share it take each other's
/// tickets.
package struct TicketKey: Sendable {
    /// Names it in a ticket. Made of the secret, so that all who have that agree.
    package let id: UInt64
    let secret: SharedSecret
    /// Seconds since the Unix epoch.
    package let created: UInt64

    /// - Parameter secret: 32 random bytes, or as good as that.
    /// - Throws: ``CryptoError/library(code:)``.
    package init(_ secret: SharedSecret, created: UInt64) throws(CryptoError) {
        self.secret = secret
        self.created = created
        let name = try PRF.hmacSHA256.authenticator(
            secret.bytes, Array("Weir ticket key".utf8))
        id = name.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The key of one ticket: it seals once, so that no IV can come twice under it, however many
    /// gateways share this one.
    func key(of serial: UInt128) throws(CryptoError) -> SecretBytes {
        var seed = Array("Weir ticket".utf8)
        seed.put(serial)
        return try PRF.hmacSHA256.plus(
            secret.bytes, seed, count: TicketFormat.cipher.encryptionKeyLength)
    }
}
