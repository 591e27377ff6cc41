import COpenSSL

/// A private key of Curve25519 (RFC 7748).
final class X25519Key: PrivateKey {
    private let key: OpaquePointer

    convenience init(random: any RandomSource) throws(CryptoError) {
        try self.init(SecretBytes(count: 32) { random.fill(&$0) })
    }

    /// - Parameter scalar: 32 bytes, any; the function clamps them.
    init(_ scalar: borrowing SecretBytes) throws(CryptoError) {
        let key = scalar.withBytes { bytes in
            bytes.withUnsafeBufferPointer {
                EVP_PKEY_new_raw_private_key_ex(nil, "X25519", nil, $0.baseAddress, $0.count)
            }
        }
        guard let key else { throw .latest() }
        self.key = key
    }

    func publicValue() throws(CryptoError) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: 32)
        var count = value.count
        guard EVP_PKEY_get_raw_public_key(key, &value, &count) == 1, count == value.count else {
            throw .latest()
        }
        return value
    }

    /// - Parameter peer: 32 bytes.
    func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes {
        let peerKey = EVP_PKEY_new_raw_public_key_ex(nil, "X25519", nil, peer, peer.count)
        defer { EVP_PKEY_free(peerKey) }
        let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        defer { EVP_PKEY_CTX_free(context) }
        guard let peerKey, let context, EVP_PKEY_derive_init(context) == 1,
            EVP_PKEY_derive_set_peer(context, peerKey) == 1
        else { throw .latest() }

        return try SecretBytes(count: 32) { output throws(CryptoError) in
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
