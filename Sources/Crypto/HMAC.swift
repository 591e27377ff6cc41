import COpenSSL
import Synchronization

/// One keyed HMAC (RFC 2104), for one message after another. Its memory is wiped when it ends.
struct HMAC: ~Copyable, @unchecked Sendable {
    /// This value's alone.
    private let context: OpaquePointer

    init(_ prf: PRF, key: Span<UInt8>) throws(CryptoError) {
        guard let context = EVP_MAC_CTX_dup(prf.template) else { throw .latest() }
        let keyed = key.withUnsafeBufferPointer {
            weir_hmac_key(context, $0.baseAddress, $0.count)
        }
        guard keyed == 1 else {
            EVP_MAC_CTX_free(context)
            throw .latest()
        }
        self.context = context  // last: a ~Copyable value is whole or it is not there
    }

    /// Forgets the message, keeps the key.
    borrowing func restart() throws(CryptoError) {
        guard weir_hmac_restart(context) == 1 else { throw .latest() }
    }

    borrowing func update(_ data: Span<UInt8>) throws(CryptoError) {
        let done = data.withUnsafeBufferPointer {
            $0.isEmpty ? 1 : EVP_MAC_update(context, $0.baseAddress, $0.count)
        }
        guard done == 1 else { throw .latest() }
    }

    /// - Precondition: `output` is as long as the digest.
    borrowing func finish(_ output: inout MutableSpan<UInt8>) throws(CryptoError) {
        let done = output.withUnsafeMutableBufferPointer { target in
            var written = 0
            return EVP_MAC_final(context, target.baseAddress, &written, target.count) == 1
                && written == target.count
        }
        guard done else { throw .latest() }
    }

    /// Of a whole message, `count` bytes: as many as the digest has.
    borrowing func authenticator(
        _ message: [UInt8], count: Int
    ) throws(CryptoError) -> [UInt8] {
        try update(message.span)
        var output = [UInt8](repeating: 0, count: count)
        var span = output.mutableSpan
        try finish(&span)
        return output
    }

    deinit { EVP_MAC_CTX_free(context) }
}

/// HMAC-SHA-256 with one key for many messages, from any thread; the key is prepared once.
package final class KeyedHMAC: Sendable {
    private let mac: Mutex<HMAC>

    package init(key: borrowing SecretBytes) {
        let keyed = try? key.withBytes { bytes throws(CryptoError) in
            try HMAC(.hmacSHA256, key: bytes)
        }
        guard let keyed else { Self.fail() }
        mac = Mutex(keyed)
    }

    /// 32 bytes. Can fail for want of memory only, and then ends the process.
    package func authenticator(_ message: [UInt8]) -> [UInt8] {
        let output = mac.withLock { mac -> [UInt8]? in
            do throws(CryptoError) {
                try mac.restart()
                return try mac.authenticator(message, count: PRF.hmacSHA256.length)
            } catch { return nil }
        }
        guard let output else { Self.fail() }
        return output
    }

    private static func fail() -> Never {
        preconditionFailure("OpenSSL could not compute an HMAC; is there no memory left?")
    }
}
