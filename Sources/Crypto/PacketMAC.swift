import COpenSSL

/// HMAC over packets, truncated to half (RFC 4868 §2.3). OpenSSL's own state is made anew for
/// each packet; nothing else is.
struct PacketMAC: ~Copyable {
    private let hmac: HMAC
    private let tagLength: Int

    init(_ integrity: Integrity, key: Span<UInt8>) throws(CryptoError) {
        hmac = try HMAC(integrity.prf, key: key)
        tagLength = integrity.prf.length / 2
    }

    /// - Parameter key: of the whole cipher; its last part is for the integrity.
    /// - Returns: nil for an AEAD.
    static func make(
        _ cipher: Cipher, key: borrowing SecretBytes
    ) throws(CryptoError) -> PacketMAC? {
        guard case .encryptThenMAC(_, let integrity) = cipher else { return nil }
        return try key.withBytes { bytes throws(CryptoError) in
            try PacketMAC(integrity, key: bytes.extracting(last: cipher.integrityKeyLength))
        }
    }

    /// Writes the tag of `covered` right after it.
    borrowing func sign(
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ covered: Range<Int>
    ) -> Bool {
        withDigest(packet, covered) { digest in
            for index in 0..<tagLength { packet[covered.upperBound + index] = digest[index] }
            return true
        }
    }

    /// Compares the tag right after `covered`, in the same time wherever they differ.
    borrowing func verify(
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ covered: Range<Int>
    ) -> Bool {
        withDigest(packet, covered) { digest in
            guard let base = packet.baseAddress else { return false }
            return CRYPTO_memcmp(digest.baseAddress, base + covered.upperBound, tagLength) == 0
        }
    }

    /// The 16 bytes of a CBC packet's IV: HMAC of the packet's number. Nobody can foresee them
    /// without the key, and no packet is as short as a number, so that nobody can ask for them
    /// (RFC 3602 §3 wants them unpredictable).
    borrowing func writeIV(
        _ packet: UnsafeMutableBufferPointer<UInt8>, at start: Int, number: UInt64
    ) -> Bool {
        var bytes: [8 of UInt8] = .init(repeating: 0)
        for index in 0..<8 { bytes[index] = number.bigEndianByte(index) }
        return bytes.span.withUnsafeBufferPointer { bytes in
            withDigest(bytes) { digest in
                for index in 0..<16 { packet[start + index] = digest[index] }
                return true
            }
        }
    }

    private borrowing func withDigest(
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ covered: Range<Int>,
        _ body: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        withDigest(UnsafeBufferPointer(rebasing: packet[covered]), body)
    }

    private borrowing func withDigest(
        _ data: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        var digest: [64 of UInt8] = .init(repeating: 0)
        var bytes = digest.mutableSpan
        let done = bytes.withUnsafeMutableBufferPointer { bytes in
            do throws(CryptoError) {
                try hmac.restart()
                try hmac.update(Span(_unsafeElements: data))
                var output = MutableSpan(_unsafeElements: bytes.extracting(..<(2 * tagLength)))
                try hmac.finish(&output)
                return true
            } catch {
                return false
            }
        }
        guard done else { return false }
        return digest.span.withUnsafeBufferPointer(body)
    }
}

extension UInt64 {
    /// - Parameter index: 0 for the most significant byte, 7 for the least.
    func bigEndianByte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: self >> UInt64(56 - 8 * index))
    }
}
