import COpenSSL

/// Checks and decrypts the packets of one key, in place. Allocates nothing per packet;
/// OpenSSL does so for an HMAC, where the cipher is no AEAD.
@safe
package struct Opener: ~Copyable, @unchecked Sendable {
    private let cipher: Cipher
    private let context: CipherContext
    private let mac: PacketMAC?
    private var nonce: Nonce

    /// - Parameter key: the key, its salt, then the integrity key, as cut from KEYMAT
    ///   (RFC 7296 §2.17, RFC 4106 §8.1).
    /// - Throws: ``CryptoError/library(code:)``.
    /// - Precondition: `key` has the length that `cipher` wants.
    package init(_ cipher: Cipher, key: borrowing SecretBytes) throws(CryptoError) {
        precondition(key.count == cipher.keyLength, "a key is as long as its cipher wants")
        let context = try key.withBytes { bytes throws(CryptoError) in
            try CipherContext(
                cipher.shape, key: bytes.extracting(first: cipher.shape.key), encrypts: false)
        }
        let mac = try PacketMAC.make(cipher, key: key)
        self.cipher = cipher
        self.context = context
        self.mac = mac
        nonce = key.withBytes { Nonce(cipher.shape, saltOf: $0) }
    }

    /// Decrypts `body`, which the tag follows.
    ///
    /// - Parameters:
    ///   - aad: authenticated, not encrypted; ends where the IV begins.
    ///   - iv: where the IV is: right before `body`.
    ///   - body: the ciphertext without its tag.
    /// - Throws: ``CryptoError/badTag`` if a bit of anything was changed. `body` is then garbage.
    /// - Precondition: all of it lies within `packet`, and `body` fills whole blocks. Check the
    ///   packet's length before.
    package mutating func open(
        _ packet: inout MutableSpan<UInt8>, aad: Range<Int>, iv: Range<Int>, body: Range<Int>
    ) throws(CryptoError) {
        precondition(
            0 <= aad.lowerBound && aad.upperBound == iv.lowerBound
                && iv.count == cipher.ivLength && iv.upperBound == body.lowerBound
                && body.count % cipher.blockLength == 0
                && body.upperBound <= packet.count - cipher.tagLength,
            "ranges of a packet to open")
        let done = packet.withUnsafeMutableBufferPointer { packet in
            nonce.takeIV(packet, at: iv.lowerBound)
            switch mac {
            case .some(let mac):
                return mac.verify(packet, aad.lowerBound..<body.upperBound)
                    && context.decrypt(packet, nonce, aad: aad, body: body)
            case nil:
                return context.decrypt(packet, nonce, aad: aad, body: body)
            }
        }
        guard done else {
            ERR_clear_error()
            throw .badTag
        }
    }
}
