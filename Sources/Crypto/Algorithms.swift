import COpenSSL

/// OpenSSL's algorithms, looked up once for the life of the process. They are immutable and
/// counted atomically, so that every thread may use them.
enum Algorithms {
    nonisolated(unsafe) static let sha1 = present(EVP_MD_fetch(nil, "SHA1", nil), "SHA-1")
    nonisolated(unsafe) static let md5 = present(EVP_MD_fetch(nil, "MD5", nil), "MD5")
    nonisolated(unsafe) static let sha256 = present(EVP_MD_fetch(nil, "SHA256", nil), "SHA-256")

    /// To be duplicated, never used itself.
    nonisolated(unsafe) static let hmacMD5 = present(weir_hmac_template("MD5"), "HMAC-MD5")
    nonisolated(unsafe) static let hmacSHA256 = present(weir_hmac_template("SHA256"), "HMAC")
    nonisolated(unsafe) static let hmacSHA384 = present(weir_hmac_template("SHA384"), "HMAC")
    nonisolated(unsafe) static let hmacSHA512 = present(weir_hmac_template("SHA512"), "HMAC")

    nonisolated(unsafe) static let aes128GCM = cipher("AES-128-GCM")
    nonisolated(unsafe) static let aes256GCM = cipher("AES-256-GCM")
    nonisolated(unsafe) static let chacha20Poly1305 = cipher("ChaCha20-Poly1305")
    nonisolated(unsafe) static let aes128CCM = cipher("AES-128-CCM")
    nonisolated(unsafe) static let aes256CCM = cipher("AES-256-CCM")
    nonisolated(unsafe) static let aes128CBC = cipher("AES-128-CBC")
    nonisolated(unsafe) static let aes256CBC = cipher("AES-256-CBC")
    nonisolated(unsafe) static let aes128CTR = cipher("AES-128-CTR")
    nonisolated(unsafe) static let aes256CTR = cipher("AES-256-CTR")

    nonisolated(unsafe) static let p256 = curve(NID_X9_62_prime256v1, "P-256")
    nonisolated(unsafe) static let p384 = curve(NID_secp384r1, "P-384")
    nonisolated(unsafe) static let p521 = curve(NID_secp521r1, "P-521")

    private static func cipher(_ name: String) -> OpaquePointer {
        present(EVP_CIPHER_fetch(nil, name, nil), name)
    }

    private static func curve(_ number: Int32, _ name: String) -> OpaquePointer {
        present(EC_GROUP_new_by_curve_name(number), name)
    }

    /// An OpenSSL without these is a broken installation; saying so beats failing each handshake.
    static func present(_ algorithm: OpaquePointer?, _ name: String) -> OpaquePointer {
        guard let algorithm else {
            preconditionFailure("OpenSSL offers no \(name); is its default provider switched off?")
        }
        return algorithm
    }
}
