import COpenSSL

/// OpenSSL's algorithms, looked up once for the life of the process. They are immutable and
/// counted atomically, so that every thread may use them.
enum Algorithms {
    nonisolated(unsafe) static let sha1 = present(EVP_MD_fetch(nil, "SHA1", nil), "SHA-1")
    nonisolated(unsafe) static let sha256 = present(EVP_MD_fetch(nil, "SHA256", nil), "SHA-256")

    /// To be duplicated, never used itself.
    nonisolated(unsafe) static let hmacSHA256 = present(weir_hmac_template("SHA256"), "HMAC")
    nonisolated(unsafe) static let hmacSHA384 = present(weir_hmac_template("SHA384"), "HMAC")
    nonisolated(unsafe) static let hmacSHA512 = present(weir_hmac_template("SHA512"), "HMAC")

    nonisolated(unsafe) static let aes128GCM = present(
        EVP_CIPHER_fetch(nil, "AES-128-GCM", nil), "AES-128-GCM")
    nonisolated(unsafe) static let aes256GCM = present(
        EVP_CIPHER_fetch(nil, "AES-256-GCM", nil), "AES-256-GCM")

    nonisolated(unsafe) static let p256 = present(
        EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), "P-256")

    /// An OpenSSL without these is a broken installation; saying so beats failing each handshake.
    private static func present(_ algorithm: OpaquePointer?, _ name: String) -> OpaquePointer {
        guard let algorithm else {
            preconditionFailure("OpenSSL offers no \(name); is its default provider switched off?")
        }
        return algorithm
    }
}
