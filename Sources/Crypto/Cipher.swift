import COpenSSL

/// How an SA encrypts and authenticates its packets, for IKE and for ESP.
package enum Cipher: Hashable, CaseIterable, Sendable {
    case aead(AEAD)
    /// Encrypts, then authenticates all of the packet (RFC 7296 §3.14, RFC 4303 §3.3.2).
    case encryptThenMAC(Encryption, Integrity)

    package static let aes128GCM16 = Cipher.aead(.aes128GCM16)
    package static let aes256GCM16 = Cipher.aead(.aes256GCM16)

    package static var allCases: [Cipher] {
        AEAD.allCases.map(Cipher.aead)
            + Encryption.allCases.flatMap { encryption in
                Integrity.allCases.map { .encryptThenMAC(encryption, $0) }
            }
    }

    /// Of SK_ei and SK_er, or of KEYMAT before the integrity key: the key, then the salt. In bytes.
    package var encryptionKeyLength: Int { shape.key + shape.salt }

    /// Of SK_ai and SK_ar; 0 for an AEAD, which needs no key for it (RFC 5282 §2). In bytes.
    package var integrityKeyLength: Int {
        switch self {
        case .aead: 0
        case .encryptThenMAC(_, let integrity): integrity.prf.length
        }
    }

    /// What KEYMAT has for each direction of a Child SA (RFC 7296 §2.17), in bytes.
    package var keyLength: Int { encryptionKeyLength + integrityKeyLength }

    /// Of the initialization vector, right before the ciphertext, in bytes.
    package var ivLength: Int { shape.iv }

    /// The length of what is encrypted must be a multiple of it. In bytes.
    package var blockLength: Int { shape.block }

    /// Of the integrity tag, right after the ciphertext, in bytes.
    package var tagLength: Int {
        switch self {
        case .aead: 16
        case .encryptThenMAC(_, let integrity): integrity.prf.length / 2
        }
    }

    var shape: CipherShape {
        switch self {
        case .aead(let aead): aead.shape
        case .encryptThenMAC(let encryption, _): encryption.shape
        }
    }
}

/// A cipher that encrypts and authenticates in one: RFC 4106, 4309 and 7634 for ESP, RFC 5282 and
/// 7634 for IKE.
package enum AEAD: CaseIterable, Sendable {
    case aes128GCM16, aes256GCM16, chacha20Poly1305, aes128CCM16, aes256CCM16

    var shape: CipherShape {
        switch self {
        case .aes128GCM16: CipherShape(.gcm, Algorithms.aes128GCM, key: 16)
        case .aes256GCM16: CipherShape(.gcm, Algorithms.aes256GCM, key: 32)
        case .chacha20Poly1305: CipherShape(.gcm, Algorithms.chacha20Poly1305, key: 32)
        case .aes128CCM16: CipherShape(.ccm, Algorithms.aes128CCM, key: 16, salt: 3)
        case .aes256CCM16: CipherShape(.ccm, Algorithms.aes256CCM, key: 32, salt: 3)
        }
    }
}

/// A cipher that only encrypts: RFC 3602, and RFC 3686 with RFC 5930. For older clients.
package enum Encryption: CaseIterable, Sendable {
    case aes128CBC, aes256CBC, aes128CTR, aes256CTR

    var shape: CipherShape {
        switch self {
        case .aes128CBC: .cbc(Algorithms.aes128CBC, key: 16)
        case .aes256CBC: .cbc(Algorithms.aes256CBC, key: 32)
        case .aes128CTR: CipherShape(.ctr, Algorithms.aes128CTR, key: 16)
        case .aes256CTR: CipherShape(.ctr, Algorithms.aes256CTR, key: 32)
        }
    }
}

/// HMAC-SHA2, its first half as the tag (RFC 4868).
package enum Integrity: CaseIterable, Sendable {
    case hmacSHA256, hmacSHA384, hmacSHA512

    /// The same hash, untruncated.
    package var prf: PRF {
        switch self {
        case .hmacSHA256: .hmacSHA256
        case .hmacSHA384: .hmacSHA384
        case .hmacSHA512: .hmacSHA512
        }
    }
}

/// The measures of a cipher, in bytes, and how OpenSSL wants to be asked.
struct CipherShape {
    enum Mode {
        /// Associated data, text, tag.
        case gcm
        /// The same, but all lengths first.
        case ccm
        case cbc
        case ctr
    }

    let mode: Mode
    let algorithm: OpaquePointer
    let key: Int
    let salt: Int
    let iv: Int
    let block: Int

    init(_ mode: Mode, _ algorithm: OpaquePointer, key: Int, salt: Int = 4) {
        self.mode = mode
        self.algorithm = algorithm
        self.key = key
        self.salt = salt
        iv = 8
        block = 1
    }

    private init(cbc algorithm: OpaquePointer, key: Int) {
        mode = .cbc
        self.algorithm = algorithm
        self.key = key
        salt = 0
        iv = 16
        block = 16
    }

    static func cbc(_ algorithm: OpaquePointer, key: Int) -> Self { Self(cbc: algorithm, key: key) }
}
