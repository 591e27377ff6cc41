import COpenSSL

/// Encrypts the packets of one key, in place. Allocates nothing per packet.
@safe
package struct Sealer: ~Copyable, @unchecked Sendable {
    private let context: CipherContext
    private var nonce: Nonce

    /// - Parameter key: the key, then 4 bytes of salt, as cut from KEYMAT (RFC 4106 §8.1).
    /// - Throws: ``CryptoError/library(code:)``.
    /// - Precondition: `key` has the length that `aead` wants.
    package init(_ aead: AEAD, key: borrowing SecretBytes) throws(CryptoError) {
        context = try CipherContext(aead, key: key, encrypts: true)
        nonce = Nonce(saltOf: key)
    }

    /// Encrypts `body` and writes the 16-byte tag right after it.
    ///
    /// - Parameters:
    ///   - aad: authenticated, not encrypted.
    ///   - iv: must not come twice under one key. The caller writes it into the packet.
    /// - Throws: ``CryptoError/library(code:)``; `body` is then garbage.
    /// - Precondition: `aad` lies before `body`; `body` and the tag lie within `packet`.
    package mutating func seal(
        _ packet: inout MutableSpan<UInt8>, aad: Range<Int>, iv: UInt64, body: Range<Int>
    ) throws(CryptoError) {
        precondition(
            0 <= aad.lowerBound && aad.upperBound <= body.lowerBound
                && body.upperBound <= packet.count - 16, "ranges of a packet to seal")
        nonce.setIV(iv)
        let context = context.pointer
        let done = nonce.withPointer { nonce in
            packet.withUnsafeMutableBufferPointer { packet in
                Self.run(context, nonce, packet, aad, body)
            }
        }
        guard done else { throw .latest() }
    }

    private static func run(
        _ context: OpaquePointer, _ nonce: UnsafePointer<UInt8>,
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ aad: Range<Int>, _ body: Range<Int>
    ) -> Bool {
        guard let base = packet.baseAddress, let aadCount = Int32(exactly: aad.count),
            let bodyCount = Int32(exactly: body.count)
        else { return false }
        let text = base + body.lowerBound
        let tag = base + body.upperBound
        var written: Int32 = 0
        return EVP_EncryptInit_ex2(context, nil, nil, nonce, nil) == 1
            && EVP_EncryptUpdate(context, nil, &written, base + aad.lowerBound, aadCount) == 1
            && EVP_EncryptUpdate(context, text, &written, text, bodyCount) == 1
            && EVP_EncryptFinal_ex(context, tag, &written) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1
    }
}
