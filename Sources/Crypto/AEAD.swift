import COpenSSL

/// A cipher that encrypts and authenticates (RFC 5282 for IKE, RFC 4106 for ESP).
package enum AEAD: CaseIterable, Sendable {
    case aes128GCM16, aes256GCM16

    /// Without the salt, in bytes.
    package var keyLength: Int {
        switch self {
        case .aes128GCM16: 16
        case .aes256GCM16: 32
        }
    }

    /// What KEYMAT has after each key, in bytes.
    package var saltLength: Int { 4 }
    /// Of the part of the nonce that travels in the packet, in bytes.
    package var ivLength: Int { 8 }
    /// In bytes.
    package var tagLength: Int { 16 }

    var cipher: OpaquePointer {
        switch self {
        case .aes128GCM16: Algorithms.aes128GCM
        case .aes256GCM16: Algorithms.aes256GCM
        }
    }
}

/// The 12-byte nonce: the salt of the key, then the IV of the packet (RFC 4106 §4). It need not be
/// secret; it must not come twice under one key.
struct Nonce {
    private var bytes: [12 of UInt8] = .init(repeating: 0)

    /// - Parameter key: the key, then 4 bytes of salt.
    init(saltOf key: borrowing SecretBytes) {
        bytes = key.withBytes { key in
            var bytes: [12 of UInt8] = .init(repeating: 0)
            for index in 0..<4 { bytes[index] = key[key.count - 4 + index] }
            return bytes
        }
    }

    mutating func setIV(_ iv: UInt64) {
        for index in 0..<8 {
            bytes[4 + index] = UInt8(truncatingIfNeeded: iv >> UInt64(56 - 8 * index))
        }
    }

    mutating func setIV(_ iv: UnsafePointer<UInt8>) {
        for index in 0..<8 { bytes[4 + index] = iv[index] }
    }

    func withPointer<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
        bytes.span.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
    }
}

/// One OpenSSL context, keyed for one direction. Freed and wiped with it.
struct CipherContext: ~Copyable {
    let pointer: OpaquePointer

    /// - Precondition: `key` is as long as the cipher's key and salt together.
    init(_ aead: AEAD, key: borrowing SecretBytes, encrypts: Bool) throws(CryptoError) {
        precondition(key.count == aead.keyLength + aead.saltLength, "an AEAD key ends in its salt")
        guard let context = EVP_CIPHER_CTX_new() else { throw .latest() }
        let keyed = key.withBytes { bytes in
            bytes.withUnsafeBufferPointer {
                EVP_CipherInit_ex2(
                    context, aead.cipher, $0.baseAddress, nil, encrypts ? 1 : 0, nil)
            }
        }
        guard keyed == 1 else {
            EVP_CIPHER_CTX_free(context)
            throw .latest()
        }
        pointer = context
    }

    deinit { EVP_CIPHER_CTX_free(pointer) }
}
