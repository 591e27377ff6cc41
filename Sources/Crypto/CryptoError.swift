import COpenSSL

/// Why a cryptographic operation failed.
package enum CryptoError: Error, Hashable, Sendable {
    /// A bit of the ciphertext, its tag, its nonce or its associated data was changed, or the key
    /// is another one.
    case badTag
    /// A peer's Diffie-Hellman value has the wrong length, is no point of the curve or out of
    /// range, or makes a secret that everybody knows (RFC 7296 §3.4, RFC 6989, RFC 7748 §6.1).
    case badPublicValue
    /// OpenSSL refused; its own error code, for `openssl errstr`, or 0 if it gave none.
    case library(code: UInt)

    /// The latest error of OpenSSL on this thread. Empties its queue.
    static func latest() -> CryptoError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return .library(code: UInt(code))
    }
}
