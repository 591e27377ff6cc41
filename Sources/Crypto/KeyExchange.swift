/// A group of the key exchange. Values are those of a KE payload (RFC 7296 §3.4).
package enum DHGroup: CaseIterable, Sendable {
    /// Curve25519 and Curve448 (RFC 8031).
    case x25519, x448
    /// The random ECP groups (RFC 5903).
    case p256, p384, p521
    /// RFC 3526.
    case modp2048, modp3072, modp4096

    /// In bytes.
    package var publicValueLength: Int {
        switch self {
        case .x25519: 32
        case .x448: 56
        case .p256: 64
        case .p384: 96
        case .p521: 132
        case .modp2048: 256
        case .modp3072: 384
        case .modp4096: 512
        }
    }

    fileprivate func privateKey(
        _ random: any RandomSource
    ) throws(CryptoError) -> any PrivateKey {
        switch self {
        case .x25519: try MontgomeryKey(.x25519, random: random)
        case .x448: try MontgomeryKey(.x448, random: random)
        case .p256: try ECPKey(.p256, random: random)
        case .p384: try ECPKey(.p384, random: random)
        case .p521: try ECPKey(.p521, random: random)
        case .modp2048: try MODPKey(.modp2048, random: random)
        case .modp3072: try MODPKey(.modp3072, random: random)
        case .modp4096: try MODPKey(.modp4096, random: random)
        }
    }
}

/// Our half of one Diffie-Hellman exchange. The private key is wiped with it.
@safe
package struct KeyExchange: ~Copyable, @unchecked Sendable {
    package let group: DHGroup
    /// As in a KE payload; of a point both x and y (RFC 5903 §7).
    package let publicValue: [UInt8]
    private let key: any PrivateKey

    /// - Parameter random: makes the private key; the same bytes make the same key.
    /// - Throws: ``CryptoError/library(code:)``.
    package init(_ group: DHGroup, random: any RandomSource) throws(CryptoError) {
        let key = try group.privateKey(random)
        publicValue = try key.publicValue()
        self.group = group
        self.key = key
    }

    /// g^ir, as long as the group's field; of a point only x (RFC 5903 §7).
    ///
    /// - Parameter peer: the peer's public value.
    /// - Throws: ``CryptoError/badPublicValue`` for a value of the wrong length, a number out of
    ///   range, a point off the curve, and for what makes X25519 or X448 return zero (RFC 6989);
    ///   ``CryptoError/library(code:)``.
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
