import COpenSSL

/// A private key of Curve25519 or Curve448 (RFC 7748).
final class MontgomeryKey: PrivateKey {
    /// OpenSSL's names; lengths in bytes, of every value alike.
    enum Curve {
        case x25519, x448

        var name: String {
            switch self {
            case .x25519: "X25519"
            case .x448: "X448"
            }
        }

        var length: Int {
            switch self {
            case .x25519: 32
            case .x448: 56
            }
        }
    }

    private let curve: Curve
    private let key: OpaquePointer

    /// Any bytes will do; the function clamps them.
    init(_ curve: Curve, random: any RandomSource) throws(CryptoError) {
        let scalar = SecretBytes(count: curve.length) { random.fill(&$0) }
        let key = scalar.withBytes { bytes in
            bytes.withUnsafeBufferPointer {
                EVP_PKEY_new_raw_private_key_ex(nil, curve.name, nil, $0.baseAddress, $0.count)
            }
        }
        guard let key else { throw .latest() }
        self.curve = curve
        self.key = key
    }

    func publicValue() throws(CryptoError) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: curve.length)
        var count = value.count
        guard EVP_PKEY_get_raw_public_key(key, &value, &count) == 1, count == value.count else {
            throw .latest()
        }
        return value
    }

    /// - Parameter peer: as long as the curve's values.
    func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes {
        let peerKey = EVP_PKEY_new_raw_public_key_ex(nil, curve.name, nil, peer, peer.count)
        defer { EVP_PKEY_free(peerKey) }
        let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        defer { EVP_PKEY_CTX_free(context) }
        guard let peerKey, let context, EVP_PKEY_derive_init(context) == 1,
            EVP_PKEY_derive_set_peer(context, peerKey) == 1
        else { throw .latest() }

        return try SecretBytes(count: curve.length) { output throws(CryptoError) in
            let derived = output.withUnsafeMutableBufferPointer { target in
                var count = target.count
                return EVP_PKEY_derive(context, target.baseAddress, &count) == 1
                    && count == target.count
            }
            // OpenSSL refuses the all-zero result itself, without a branch on the secret.
            guard derived else {
                ERR_clear_error()
                throw .badPublicValue
            }
        }
    }

    deinit { EVP_PKEY_free(key) }
}
