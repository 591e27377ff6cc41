import COpenSSL

/// Encrypts and authenticates the packets of one key, in place. Allocates nothing per packet;
/// OpenSSL does so for an HMAC, where the cipher is no AEAD.
@safe
package struct Sealer: ~Copyable, @unchecked Sendable {
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
                cipher.shape, key: bytes.extracting(first: cipher.shape.key), encrypts: true)
        }
        let mac = try PacketMAC.make(cipher, key: key)
        self.cipher = cipher
        self.context = context
        self.mac = mac
        nonce = key.withBytes { Nonce(cipher.shape, saltOf: $0) }
    }

    /// Writes the IV right before `body`, encrypts `body` and writes the tag right after it.
    ///
    /// - Parameters:
    ///   - aad: authenticated, not encrypted; ends where the IV begins.
    ///   - iv: what the IV is made of. Must not come twice under one key.
    /// - Throws: ``CryptoError/library(code:)``; `body` is then garbage.
    /// - Precondition: all of it lies within `packet`; `body` fills whole blocks.
    package mutating func seal(
        _ packet: inout MutableSpan<UInt8>, aad: Range<Int>, iv: UInt64, body: Range<Int>
    ) throws(CryptoError) {
        let start = body.lowerBound - cipher.ivLength
        precondition(
            0 <= aad.lowerBound && aad.upperBound == start
                && body.count % cipher.blockLength == 0
                && body.upperBound <= packet.count - cipher.tagLength,
            "ranges of a packet to seal")
        let done = packet.withUnsafeMutableBufferPointer { packet in
            switch mac {
            case .some(let mac):
                guard writeIV(packet, at: start, number: iv, mac) else { return false }
                nonce.takeIV(packet, at: start)
                return context.encrypt(packet, nonce, aad: aad, body: body)
                    && mac.sign(packet, aad.lowerBound..<body.upperBound)
            case nil:
                Self.writeCounter(packet, at: start, iv)
                nonce.takeIV(packet, at: start)
                return context.encrypt(packet, nonce, aad: aad, body: body)
            }
        }
        guard done else { throw .latest() }
    }

    private borrowing func writeIV(
        _ packet: UnsafeMutableBufferPointer<UInt8>, at start: Int, number: UInt64,
        _ mac: borrowing PacketMAC
    ) -> Bool {
        guard cipher.ivLength == 16 else {
            Self.writeCounter(packet, at: start, number)
            return true
        }
        return mac.writeIV(packet, at: start, number: number)
    }

    private static func writeCounter(
        _ packet: UnsafeMutableBufferPointer<UInt8>, at start: Int, _ number: UInt64
    ) {
        for index in 0..<8 { packet[start + index] = number.bigEndianByte(index) }
    }
}
