import COpenSSL

/// Key material. It can't be copied by accident, printed or encoded, and its memory is wiped when
/// it ends.
@safe
package struct SecretBytes: ~Copyable, @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<UInt8>

    /// - Parameters:
    ///   - count: the length in bytes; not negative.
    ///   - fill: writes the bytes; they start as zero. If it throws, what it wrote is wiped.
    package init<F: Error>(
        count: Int, _ fill: (inout MutableSpan<UInt8>) throws(F) -> Void
    ) throws(F) {
        let storage = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count)
        storage.initialize(repeating: 0)
        do throws(F) {
            var bytes = MutableSpan(_unsafeElements: storage)
            try fill(&bytes)
        } catch {
            Self.wipe(storage)
            throw error
        }
        self.storage = storage  // last: a ~Copyable value is whole or it is not there
    }

    package init(copying bytes: Span<UInt8>) {
        self.init(count: bytes.count) { target in
            for index in bytes.indices { target[index] = bytes[index] }
        }
    }

    /// The array is not wiped: for what came from a file or a test.
    package init(copying bytes: [UInt8]) {
        self.init(copying: bytes.span)
    }

    /// In bytes.
    package var count: Int { storage.count }

    /// The only door. Grep for it to find everyone who reads a key.
    package borrowing func withBytes<R: ~Copyable, F: Error>(
        _ body: (Span<UInt8>) throws(F) -> R
    ) throws(F) -> R {
        try body(Span(_unsafeElements: UnsafeBufferPointer(storage)))
    }

    /// A second copy, which lives on its own.
    package borrowing func duplicate() -> SecretBytes { slice(0..<count) }

    /// A copy of a part, as keys are cut from KEYMAT (RFC 7296 §2.17).
    ///
    /// - Precondition: `range` lies within the bytes.
    package borrowing func slice(_ range: Range<Int>) -> SecretBytes {
        precondition(0 <= range.lowerBound && range.upperBound <= count, "slice of a secret")
        return withBytes { SecretBytes(copying: $0.extracting(range)) }
    }

    /// A copy of these bytes and then those.
    package borrowing func appending(_ other: borrowing SecretBytes) -> SecretBytes {
        SecretBytes(count: count + other.count) { target in
            withBytes { bytes in
                for index in bytes.indices { target[index] = bytes[index] }
            }
            other.withBytes { bytes in
                for index in bytes.indices { target[count + index] = bytes[index] }
            }
        }
    }

    /// Takes as long for equal bytes as for different ones. The lengths are no secret.
    package borrowing func matches(_ other: borrowing SecretBytes) -> Bool {
        count == other.count
            && CRYPTO_memcmp(storage.baseAddress, other.storage.baseAddress, count) == 0
    }

    /// Takes as long for equal bytes as for different ones. The lengths are no secret.
    package borrowing func matches(_ bytes: [UInt8]) -> Bool {
        count == bytes.count
            && bytes.withUnsafeBufferPointer {
                CRYPTO_memcmp(storage.baseAddress, $0.baseAddress, count) == 0
            }
    }

    deinit { Self.wipe(storage) }

    private static func wipe(_ storage: UnsafeMutableBufferPointer<UInt8>) {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }
}

/// A secret that several owners hold, such as a pre-shared key. Nothing that prints or inspects
/// values finds it.
package final class SharedSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package let bytes: SecretBytes

    package init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    package var description: String { "‹secret›" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
