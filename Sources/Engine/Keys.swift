package import Crypto
import Wire

/// Is shown a key and its name. Debug builds only.
package typealias KeyTap = (_ name: String, _ key: borrowing SecretBytes) -> Void

/// The keys of an IKE SA (RFC 7296 §2.14), as seen from our side.
struct IKEKeys: ~Copyable, Sendable {
    /// Where Child SAs' keys and the next IKE SA's come from.
    let skD: SecretBytes
    /// SK_pi and SK_pr: bind the AUTH payloads to the exchange.
    let initiatorAuth: SecretBytes
    let responderAuth: SecretBytes
    private let cipher: Cipher
    /// SK_ei with SK_ai, or SK_er with SK_ar: ours, and the peer's.
    private let sealingKey: SecretBytes
    private let openingKey: SecretBytes

    /// - Parameters:
    ///   - seed: SKEYSEED.
    ///   - nonces: Ni | Nr.
    ///   - weInitiated: whether SK_ei is ours to seal with.
    init(
        suite: IKESuite, seed: borrowing SecretBytes, nonces: [UInt8], initiatorSPI: UInt64,
        responderSPI: UInt64, weInitiated: Bool, tap: KeyTap?
    ) throws(CryptoError) {
        var salt = nonces
        salt.put(initiatorSPI)
        salt.put(responderSPI)
        let prf = suite.prf.length
        let (encryption, integrity) =
            (suite.cipher.encryptionKeyLength, suite.cipher.integrityKeyLength)
        let material = try suite.prf.plus(
            seed, salt, count: 3 * prf + 2 * (encryption + integrity))

        // SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr
        let encryptionStart = prf + 2 * integrity
        let auth = encryptionStart + 2 * encryption
        let initiator = material.slice(encryptionStart..<(encryptionStart + encryption))
        let responder = material.slice((encryptionStart + encryption)..<auth)
        let initiatorIntegrity = material.slice(prf..<(prf + integrity))
        let responderIntegrity = material.slice((prf + integrity)..<encryptionStart)
        skD = material.slice(0..<prf)
        initiatorAuth = material.slice(auth..<(auth + prf))
        responderAuth = material.slice((auth + prf)..<(auth + 2 * prf))
        cipher = suite.cipher
        sealingKey =
            weInitiated
            ? initiator.appending(initiatorIntegrity) : responder.appending(responderIntegrity)
        openingKey =
            weInitiated
            ? responder.appending(responderIntegrity) : initiator.appending(initiatorIntegrity)
        if let tap {
            tap("SK_d", skD)
            if integrity > 0 {
                tap("SK_ai", initiatorIntegrity)
                tap("SK_ar", responderIntegrity)
            }
            tap("SK_ei", initiator)
            tap("SK_er", responder)
            tap("SK_pi", initiatorAuth)
            tap("SK_pr", responderAuth)
        }
    }

    /// Encrypts a message of ours; as ``Sealer/seal(_:aad:iv:body:)``.
    ///
    /// OpenSSL's state of a key fills a kilobyte. An IKE SA has few messages and lives for hours, so
    /// that it is made for each of them.
    borrowing func seal(
        _ packet: inout MutableSpan<UInt8>, aad: Range<Int>, iv: UInt64, body: Range<Int>
    ) throws(CryptoError) {
        var sealer = try Sealer(cipher, key: sealingKey)
        try sealer.seal(&packet, aad: aad, iv: iv, body: body)
    }

    /// Decrypts a message of the peer's; as ``Opener/open(_:aad:iv:body:)``.
    borrowing func open(
        _ packet: inout MutableSpan<UInt8>, aad: Range<Int>, iv: Range<Int>, body: Range<Int>
    ) throws(CryptoError) {
        var opener = try Opener(cipher, key: openingKey)
        try opener.open(&packet, aad: aad, iv: iv, body: body)
    }

    /// SKEYSEED of a first IKE SA: prf(Ni | Nr, g^ir).
    static func seed(
        _ prf: PRF, nonces: [UInt8], shared: borrowing SecretBytes
    ) throws(CryptoError) -> SecretBytes {
        try prf.secret(nonces, over: shared)
    }

    /// SKEYSEED of a resumed session: prf(SK_d (old), "Resumption" | Ni | Nr) (RFC 5723 §5.1).
    static func resumptionSeed(
        _ prf: PRF, skD: borrowing SecretBytes, nonces: [UInt8]
    ) throws(CryptoError) -> SecretBytes {
        try prf.secret(skD, Array("Resumption".utf8) + nonces)
    }
}

/// The keys of a Child SA (RFC 7296 §2.17): initiator's direction first, and in each the key for
/// encryption before the one for integrity.
func childKeys(
    _ skD: borrowing SecretBytes, prf: PRF, shared: borrowing SecretBytes?, nonces: [UInt8],
    cipher: Cipher
) throws(CryptoError) -> ChildKeys {
    let length = cipher.keyLength
    let material =
        switch shared {
        case .some(let shared):
            try prf.plus(skD, secretPrefix: shared, nonces, count: 2 * length)
        case nil: try prf.plus(skD, nonces, count: 2 * length)
        }
    return ChildKeys(
        fromInitiator: material.slice(0..<length),
        fromResponder: material.slice(length..<(2 * length)))
}

struct ChildKeys: ~Copyable {
    let fromInitiator: SecretBytes
    let fromResponder: SecretBytes
}

/// What a shared key signs with, for either side: `prf(secret, "Key Pad for IKEv2")` (RFC 7296
/// §2.15).
func keyPad(_ prf: PRF, _ secret: borrowing SecretBytes) throws(CryptoError) -> SecretBytes {
    try prf.secret(secret, Array("Key Pad for IKEv2".utf8))
}

/// The AUTH value of a shared key (RFC 7296 §2.15): `prf(pad, message | nonce | prf(SK_p, ID))`.
///
/// - Parameters:
///   - pad: ``keyPad(_:_:)``.
///   - message: the signer's first message, whole.
///   - nonce: the other side's.
///   - identity: the signer's ID payload after its generic header.
func sharedKeyAuth(
    _ prf: PRF, pad: borrowing SecretBytes, message: [UInt8], nonce: [UInt8],
    key: borrowing SecretBytes, identity: [UInt8]
) throws(CryptoError) -> [UInt8] {
    try prf.authenticator(pad, message + nonce + prf.authenticator(key, identity))
}

/// The AUTH value of a session that is resumed: `prf(SK_p, <message octets>)` with the keys of the
/// new IKE SA (RFC 5723 §4.3.3). The octets are those of a shared key, as that section says by
/// "the exact material to be signed is defined in Section 2.15 of [RFC4306]":
/// `message | nonce | prf(SK_p, ID)`. (libreswan 5 takes the message alone.)
///
/// - Parameters: as of ``sharedKeyAuth(_:pad:message:nonce:key:identity:)``.
func resumptionAuth(
    _ prf: PRF, message: [UInt8], nonce: [UInt8], key: borrowing SecretBytes, identity: [UInt8]
) throws(CryptoError) -> [UInt8] {
    try prf.authenticator(key, message + nonce + prf.authenticator(key, identity))
}
