import COpenSSL

/// One OpenSSL cipher, keyed for one direction. Freed and wiped with it.
struct CipherContext: ~Copyable {
    private let pointer: OpaquePointer
    private let mode: CipherShape.Mode

    /// - Parameter key: without its salt.
    init(_ shape: CipherShape, key: Span<UInt8>, encrypts: Bool) throws(CryptoError) {
        guard let context = EVP_CIPHER_CTX_new() else { throw .latest() }
        let keyed = key.withUnsafeBufferPointer {
            Self.prepare(context, shape, $0, encrypts ? 1 : 0)
        }
        guard keyed else {
            EVP_CIPHER_CTX_free(context)
            throw .latest()
        }
        pointer = context
        mode = shape.mode
    }

    private static func prepare(
        _ context: OpaquePointer, _ shape: CipherShape, _ key: UnsafeBufferPointer<UInt8>,
        _ encrypts: Int32
    ) -> Bool {
        guard EVP_CipherInit_ex2(context, shape.algorithm, nil, nil, encrypts, nil) == 1 else {
            return false
        }
        switch shape.mode {
        case .gcm, .ctr: break
        case .ccm:
            // An 11-byte nonce leaves four bytes for the length (RFC 4309 §4).
            guard
                EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_SET_IVLEN, Int32(shape.salt + shape.iv), nil) == 1,
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, nil) == 1
            else { return false }
        case .cbc: EVP_CIPHER_CTX_set_padding(context, 0)
        }
        return EVP_CipherInit_ex2(context, nil, key.baseAddress, nil, encrypts, nil) == 1
    }

    /// Encrypts `body` in place; an AEAD writes its tag right after it.
    ///
    /// - Returns: false if OpenSSL refused; `body` is then garbage.
    borrowing func encrypt(
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ nonce: borrowing Nonce, aad: Range<Int>,
        body: Range<Int>
    ) -> Bool {
        guard let base = packet.baseAddress, let aadCount = Int32(exactly: aad.count),
            let bodyCount = Int32(exactly: body.count),
            nonce.withPointer({ EVP_EncryptInit_ex2(pointer, nil, nil, $0, nil) }) == 1
        else { return false }
        let text = base + body.lowerBound
        let tag = base + body.upperBound
        var written: Int32 = 0
        switch mode {
        case .cbc, .ctr:
            return EVP_EncryptUpdate(pointer, text, &written, text, bodyCount) == 1
        case .ccm:
            guard EVP_EncryptUpdate(pointer, nil, &written, nil, bodyCount) == 1 else {
                return false
            }
        case .gcm: break
        }
        return EVP_EncryptUpdate(pointer, nil, &written, base + aad.lowerBound, aadCount) == 1
            && EVP_EncryptUpdate(pointer, text, &written, text, bodyCount) == 1
            && EVP_EncryptFinal_ex(pointer, tag, &written) == 1
            && EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1
    }

    /// Decrypts `body` in place; an AEAD checks the tag right after it.
    ///
    /// - Returns: false if a bit was changed; `body` is then garbage.
    borrowing func decrypt(
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ nonce: borrowing Nonce, aad: Range<Int>,
        body: Range<Int>
    ) -> Bool {
        guard let base = packet.baseAddress, let aadCount = Int32(exactly: aad.count),
            let bodyCount = Int32(exactly: body.count),
            nonce.withPointer({ EVP_DecryptInit_ex2(pointer, nil, nil, $0, nil) }) == 1
        else { return false }
        let text = base + body.lowerBound
        let tag = base + body.upperBound
        var written: Int32 = 0
        switch mode {
        case .cbc, .ctr:
            return EVP_DecryptUpdate(pointer, text, &written, text, bodyCount) == 1
        case .ccm:
            // The last call compares the tag, too.
            return EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1
                && EVP_DecryptUpdate(pointer, nil, &written, nil, bodyCount) == 1
                && EVP_DecryptUpdate(pointer, nil, &written, base + aad.lowerBound, aadCount) == 1
                && EVP_DecryptUpdate(pointer, text, &written, text, bodyCount) == 1
        case .gcm:
            return EVP_DecryptUpdate(pointer, nil, &written, base + aad.lowerBound, aadCount) == 1
                && EVP_DecryptUpdate(pointer, text, &written, text, bodyCount) == 1
                && EVP_CIPHER_CTX_ctrl(pointer, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1
                && EVP_DecryptFinal_ex(pointer, tag, &written) == 1
        }
    }

    deinit { EVP_CIPHER_CTX_free(pointer) }
}

/// What a cipher starts from: the salt of the key, then the IV of the packet, and for a counter
/// mode the number of the first block, 1 (RFC 3686 §4; the AEADs count by themselves). It need not
/// be secret; it must not come twice under one key.
struct Nonce: ~Copyable {
    private var bytes: [16 of UInt8] = .init(repeating: 0)
    private let salt: Int
    private let iv: Int

    /// - Parameter key: the key, then its salt.
    init(_ shape: CipherShape, saltOf key: Span<UInt8>) {
        salt = shape.salt
        iv = shape.iv
        for index in 0..<shape.salt { bytes[index] = key[shape.key + index] }
        if shape.mode == .ctr { bytes[15] = 1 }
    }

    /// - Parameter packet: has the IV at `index`.
    mutating func takeIV(_ packet: UnsafeMutableBufferPointer<UInt8>, at index: Int) {
        for offset in 0..<iv { bytes[salt + offset] = packet[index + offset] }
    }

    borrowing func withPointer<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
        bytes.span.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
    }
}
