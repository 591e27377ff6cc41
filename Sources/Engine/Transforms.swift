package import Crypto
import Wire

// What algorithms are called: on the wire, and in configurations and records, where they have
// strongSwan's names.

extension Cipher {
    /// With its integrity, if that is another algorithm: `aes256gcm16`, `aes256-sha256`.
    package var name: String {
        switch self {
        case .aead(let aead): aead.name
        case .encryptThenMAC(let encryption, let integrity): "\(encryption.name)-\(integrity.name)"
        }
    }

    var encryptionTransform: Transform {
        switch self {
        case .aead(let aead): aead.transform
        case .encryptThenMAC(let encryption, _): encryption.transform
        }
    }

    /// None for an AEAD.
    var integrityTransforms: [Transform] {
        switch self {
        case .aead: []
        case .encryptThenMAC(_, let integrity): [Transform(.integrity, integrity.transformID)]
        }
    }
}

extension AEAD {
    package var name: String {
        switch self {
        case .aes128GCM16: "aes128gcm16"
        case .aes256GCM16: "aes256gcm16"
        case .chacha20Poly1305: "chacha20poly1305"
        case .aes128CCM16: "aes128ccm16"
        case .aes256CCM16: "aes256ccm16"
        }
    }

    fileprivate var transform: Transform {
        switch self {
        case .aes128GCM16: Transform(.encryption, TransformID.aesGCM16, keyLength: 128)
        case .aes256GCM16: Transform(.encryption, TransformID.aesGCM16, keyLength: 256)
        // The only length there is, so that none is told (RFC 7634 §4).
        case .chacha20Poly1305: Transform(.encryption, TransformID.chacha20Poly1305)
        case .aes128CCM16: Transform(.encryption, TransformID.aesCCM16, keyLength: 128)
        case .aes256CCM16: Transform(.encryption, TransformID.aesCCM16, keyLength: 256)
        }
    }
}

extension Encryption {
    package var name: String {
        switch self {
        case .aes128CBC: "aes128"
        case .aes256CBC: "aes256"
        case .aes128CTR: "aes128ctr"
        case .aes256CTR: "aes256ctr"
        }
    }

    fileprivate var transform: Transform {
        switch self {
        case .aes128CBC: Transform(.encryption, TransformID.aesCBC, keyLength: 128)
        case .aes256CBC: Transform(.encryption, TransformID.aesCBC, keyLength: 256)
        case .aes128CTR: Transform(.encryption, TransformID.aesCTR, keyLength: 128)
        case .aes256CTR: Transform(.encryption, TransformID.aesCTR, keyLength: 256)
        }
    }
}

extension Integrity {
    package var name: String {
        switch self {
        case .hmacSHA256: "sha256"
        case .hmacSHA384: "sha384"
        case .hmacSHA512: "sha512"
        }
    }

    fileprivate var transformID: UInt16 {
        switch self {
        case .hmacSHA256: TransformID.hmacSHA256
        case .hmacSHA384: TransformID.hmacSHA384
        case .hmacSHA512: TransformID.hmacSHA512
        }
    }
}

extension PRF {
    package var name: String {
        switch self {
        case .hmacSHA256: "prfsha256"
        case .hmacSHA384: "prfsha384"
        case .hmacSHA512: "prfsha512"
        }
    }

    var transformID: UInt16 {
        switch self {
        case .hmacSHA256: TransformID.prfHMACSHA256
        case .hmacSHA384: TransformID.prfHMACSHA384
        case .hmacSHA512: TransformID.prfHMACSHA512
        }
    }
}

extension DHGroup {
    package var name: String {
        switch self {
        case .x25519: "x25519"
        case .x448: "x448"
        case .p256: "ecp256"
        case .p384: "ecp384"
        case .p521: "ecp521"
        case .modp2048: "modp2048"
        case .modp3072: "modp3072"
        case .modp4096: "modp4096"
        }
    }

    var transformID: UInt16 {
        switch self {
        case .x25519: TransformID.x25519
        case .x448: TransformID.x448
        case .p256: TransformID.p256
        case .p384: TransformID.p384
        case .p521: TransformID.p521
        case .modp2048: TransformID.modp2048
        case .modp3072: TransformID.modp3072
        case .modp4096: TransformID.modp4096
        }
    }
}
