import COpenSSL

/// Checks and decrypts the packets of one key, in place. Allocates nothing per packet.
@safe
package struct Opener: ~Copyable, @unchecked Sendable {
    private let context: CipherContext
    private var nonce: Nonce

    /// - Parameter key: the key, then 4 bytes of salt, as cut from KEYMAT (RFC 4106 §8.1).
    /// - Throws: ``CryptoError/library(code:)``.
    /// - Precondition: `key` has the length that `aead` wants.
    package init(_ aead: AEAD, key: borrowing SecretBytes) throws(CryptoError) {
        context = try CipherContext(aead, key: key, encrypts: false)
        nonce = Nonce(saltOf: key)
    }

    /// Decrypts `body`, which the 16-byte tag follows.
    ///
    /// - Parameters:
    ///   - aad: authenticated, not encrypted.
    ///   - iv: where the 8 bytes of the IV are.
    ///   - body: the ciphertext without its tag.
    /// - Throws: ``CryptoError/badTag`` if a bit of anything was changed. `body` is then garbage.
    /// - Precondition: the ranges and the tag lie within `packet`. Check its length before.
    package mutating func open(
        _ packet: inout MutableSpan<UInt8>, aad: Range<Int>, iv: Range<Int>, body: Range<Int>
    ) throws(CryptoError) {
        precondition(
            0 <= aad.lowerBound && aad.upperBound <= body.lowerBound && 0 <= iv.lowerBound
                && iv.count == 8 && iv.upperBound <= body.lowerBound
                && body.upperBound <= packet.count - 16, "ranges of a packet to open")
        var next = nonce
        let context = context.pointer
        let done = packet.withUnsafeMutableBufferPointer { packet in
            guard let base = packet.baseAddress else { return false }
            next.setIV(base + iv.lowerBound)
            return next.withPointer { Self.run(context, $0, packet, aad, body) }
        }
        guard done else {
            ERR_clear_error()
            throw .badTag
        }
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
        return EVP_DecryptInit_ex2(context, nil, nil, nonce, nil) == 1
            && EVP_DecryptUpdate(context, nil, &written, base + aad.lowerBound, aadCount) == 1
            && EVP_DecryptUpdate(context, text, &written, text, bodyCount) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1
            && EVP_DecryptFinal_ex(context, tag, &written) == 1
    }
}
