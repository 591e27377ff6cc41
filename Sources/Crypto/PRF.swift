/// The pseudo-random function of an IKE SA (RFC 7296 §2.13, RFC 4868).
package enum PRF: CaseIterable, Sendable {
    case hmacSHA256, hmacSHA384, hmacSHA512

    /// Of its output, and of the keys that are made for it, in bytes.
    package var length: Int {
        switch self {
        case .hmacSHA256: 32
        case .hmacSHA384: 48
        case .hmacSHA512: 64
        }
    }

    var template: OpaquePointer {
        switch self {
        case .hmacSHA256: Algorithms.hmacSHA256
        case .hmacSHA384: Algorithms.hmacSHA384
        case .hmacSHA512: Algorithms.hmacSHA512
        }
    }

    /// prf(key, data), where the output is key material again.
    package func secret(
        _ key: borrowing SecretBytes, _ data: [UInt8]
    ) throws(CryptoError) -> SecretBytes {
        let mac = try keyed(key)
        try mac.update(data.span)
        return try SecretBytes(count: length) { output throws(CryptoError) in
            try mac.finish(&output)
        }
    }

    /// prf(key, data), where the key is public and the data is not:
    /// SKEYSEED = prf(Ni | Nr, g^ir) (RFC 7296 §2.14).
    package func secret(
        _ key: [UInt8], over data: borrowing SecretBytes
    ) throws(CryptoError) -> SecretBytes {
        let mac = try HMAC(self, key: key.span)
        try data.withBytes { bytes throws(CryptoError) in try mac.update(bytes) }
        return try SecretBytes(count: length) { output throws(CryptoError) in
            try mac.finish(&output)
        }
    }

    /// prf(key, secretPrefix | data): SKEYSEED of a rekeyed IKE SA is
    /// prf(SK_d (old), g^ir (new) | Ni | Nr) (RFC 7296 §2.18).
    package func secret(
        _ key: borrowing SecretBytes, secretPrefix: borrowing SecretBytes, _ data: [UInt8]
    ) throws(CryptoError) -> SecretBytes {
        let mac = try keyed(key)
        try secretPrefix.withBytes { bytes throws(CryptoError) in try mac.update(bytes) }
        try mac.update(data.span)
        return try SecretBytes(count: length) { output throws(CryptoError) in
            try mac.finish(&output)
        }
    }

    /// prf(key, data), where the output goes on the wire: AUTH payloads (RFC 7296 §2.15).
    package func authenticator(
        _ key: borrowing SecretBytes, _ data: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        try keyed(key).authenticator(data, count: length)
    }

    /// prf+(key, seed), `count` bytes of it (RFC 7296 §2.13).
    ///
    /// - Precondition: `count` is at most 255 times ``length``.
    package func plus(
        _ key: borrowing SecretBytes, _ seed: [UInt8], count: Int
    ) throws(CryptoError) -> SecretBytes {
        try plus(key, secretPrefix: SecretBytes(copying: []), seed, count: count)
    }

    /// prf+(key, secretPrefix | seed): KEYMAT of a Child SA with its own key exchange is
    /// prf+(SK_d, g^ir (new) | Ni | Nr) (RFC 7296 §2.17).
    ///
    /// - Precondition: `count` is at most 255 times ``length``.
    package func plus(
        _ key: borrowing SecretBytes, secretPrefix: borrowing SecretBytes, _ seed: [UInt8],
        count: Int
    ) throws(CryptoError) -> SecretBytes {
        precondition((0...255 * length).contains(count), "prf+ ends after 255 blocks")
        let mac = try keyed(key)
        return try SecretBytes(count: count) { output throws(CryptoError) in
            var block = SecretBytes(copying: [])
            var number: UInt8 = 0
            var written = 0
            while written < count {
                number += 1
                block = try next(mac, after: block, secretPrefix, seed, number)
                block.withBytes { bytes in
                    for index in 0..<min(bytes.count, count - written) {
                        output[written + index] = bytes[index]
                    }
                }
                written += length
            }
        }
    }

    /// T(n) = prf(K, T(n-1) | S | n).
    private func next(
        _ mac: borrowing HMAC, after block: borrowing SecretBytes,
        _ secretPrefix: borrowing SecretBytes, _ seed: [UInt8], _ number: UInt8
    ) throws(CryptoError) -> SecretBytes {
        try mac.restart()
        try block.withBytes { bytes throws(CryptoError) in try mac.update(bytes) }
        try secretPrefix.withBytes { bytes throws(CryptoError) in try mac.update(bytes) }
        try mac.update(seed.span)
        try mac.update([number].span)
        return try SecretBytes(count: length) { output throws(CryptoError) in
            try mac.finish(&output)
        }
    }

    private func keyed(_ key: borrowing SecretBytes) throws(CryptoError) -> HMAC {
        try key.withBytes { bytes throws(CryptoError) in try HMAC(self, key: bytes) }
    }
}
