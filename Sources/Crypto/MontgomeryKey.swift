import COpenSSL
import Synchronization

/// A private key of Curve25519 or Curve448 (RFC 7748).
final class MontgomeryKey: PrivateKey {
    enum Curve: Sendable {
        case x25519, x448

        /// In bytes, of every value alike.
        var length: Int {
            switch self {
            case .x25519: 32
            case .x448: 56
            }
        }

        /// The base point's u (RFC 7748 §4.1, §4.2).
        fileprivate var base: UInt8 {
            switch self {
            case .x25519: 9
            case .x448: 5
            }
        }

        fileprivate var maker: KeyMaker {
            switch self {
            case .x25519: .x25519
            case .x448: .x448
            }
        }
    }

    /// Makes OpenSSL's keys of one curve, for all threads. There is one for each curve, because a
    /// new context walks through all the names that OpenSSL knows.
    @safe
    fileprivate final class KeyMaker: Sendable {
        static let x25519 = KeyMaker(.x25519, "X25519")
        static let x448 = KeyMaker(.x448, "X448")

        /// The point as a public value.
        let base: [UInt8]
        /// The same for ``apply(to:_:)``. It is only read.
        nonisolated(unsafe) let basePoint: OpaquePointer
        private let lock = Mutex(())
        nonisolated(unsafe) private let context: OpaquePointer

        private init(_ curve: Curve, _ name: String) {
            var base = [UInt8](repeating: 0, count: curve.length)
            base[0] = curve.base
            let context = Algorithms.present(weir_montgomery_maker(name), name)
            let point = weir_montgomery_key(context, nil, base, base.count)
            self.base = base
            basePoint = Algorithms.present(point, name)
            self.context = context
        }

        /// - Parameters: as long as the curve's values.
        /// - Returns: nil for want of memory.
        func key(
            _ scalar: UnsafeBufferPointer<UInt8>?, public value: UnsafeBufferPointer<UInt8>
        ) -> OpaquePointer? {
            nonisolated(unsafe) var key: OpaquePointer?
            lock.withLock { _ in
                key = weir_montgomery_key(
                    context, scalar?.baseAddress, value.baseAddress, value.count)
            }
            return key
        }
    }

    private let curve: Curve
    /// The function X25519 or X448 with our private key (RFC 7748 §5).
    private let function: OpaquePointer

    /// Any bytes will do; the function clamps them.
    init(_ curve: Curve, random: any RandomSource) throws(CryptoError) {
        let scalar = SecretBytes(count: curve.length) { random.fill(&$0) }
        let key = scalar.withBytes { bytes in
            bytes.withUnsafeBufferPointer { scalar in
                // No public value is made: nobody asks this key for it.
                curve.maker.base.withUnsafeBufferPointer { curve.maker.key(scalar, public: $0) }
            }
        }
        defer { EVP_PKEY_free(key) }
        guard let key, let function = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else {
            throw .latest()
        }
        guard EVP_PKEY_derive_init(function) == 1 else {
            EVP_PKEY_CTX_free(function)
            throw .latest()
        }
        self.curve = curve
        self.function = function
    }

    /// The function of the base point (RFC 7748 §6). OpenSSL does so faster than it makes the
    /// public value with a key.
    func publicValue() throws(CryptoError) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: curve.length)
        let done = value.withUnsafeMutableBufferPointer { apply(to: curve.maker.basePoint, $0) }
        guard done else { throw .latest() }
        return value
    }

    /// - Parameter peer: as long as the curve's values.
    func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes {
        let peerKey = peer.withUnsafeBufferPointer { curve.maker.key(nil, public: $0) }
        defer { EVP_PKEY_free(peerKey) }
        guard let peerKey else { throw .latest() }
        return try SecretBytes(count: curve.length) { output throws(CryptoError) in
            let derived = output.withUnsafeMutableBufferPointer { apply(to: peerKey, $0) }
            // OpenSSL refuses the all-zero result itself, without a branch on the secret.
            guard derived else {
                ERR_clear_error()
                throw .badPublicValue
            }
        }
    }

    /// There is nothing to check of a point: any 32 or 56 bytes are one (RFC 7748 §5).
    private func apply(to point: OpaquePointer, _ result: UnsafeMutableBufferPointer<UInt8>) -> Bool
    {
        var count = result.count
        return EVP_PKEY_derive_set_peer_ex(function, point, 0) == 1
            && EVP_PKEY_derive(function, result.baseAddress, &count) == 1
            && count == result.count
    }

    deinit { EVP_PKEY_CTX_free(function) }
}
