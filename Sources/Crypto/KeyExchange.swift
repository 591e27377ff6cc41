/// A group of the key exchange. Values are those of a KE payload (RFC 7296 §3.4).
package enum DHGroup: CaseIterable, Sendable {
    /// Curve25519 (RFC 8031).
    case x25519
    /// The 256-bit random ECP group (RFC 5903).
    case p256

    /// In bytes.
    package var publicValueLength: Int {
        switch self {
        case .x25519: 32
        case .p256: 64
        }
    }
}

/// Our half of one Diffie-Hellman exchange. The private key is wiped with it.
@safe
package struct KeyExchange: ~Copyable, @unchecked Sendable {
    package let group: DHGroup
    /// As in a KE payload: 32 bytes, or x and y of a point of P-256.
    package let publicValue: [UInt8]
    private let key: any PrivateKey

    /// - Parameter random: makes the private key; the same bytes make the same key.
    /// - Throws: ``CryptoError/library(code:)``.
    package init(_ group: DHGroup, random: any RandomSource) throws(CryptoError) {
        let key: any PrivateKey
        switch group {
        case .x25519: key = try X25519Key(random: random)
        case .p256: key = try P256Key(random: random)
        }
        publicValue = try key.publicValue()
        self.group = group
        self.key = key
    }

    /// g^ir, 32 bytes; of a point of P-256 only x (RFC 5903 §7).
    ///
    /// - Parameter peer: the peer's public value.
    /// - Throws: ``CryptoError/badPublicValue`` for a value of the wrong length, a point off the
    ///   curve, and for what makes X25519 return zero; ``CryptoError/library(code:)``.
    package borrowing func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes {
        guard peer.count == group.publicValueLength else { throw .badPublicValue }
        return try key.sharedSecret(with: peer)
    }
}

/// A private key of one group, wiped when it ends.
protocol PrivateKey: AnyObject {
    func publicValue() throws(CryptoError) -> [UInt8]
    /// - Parameter peer: as long as the group's public values.
    func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes
}
