import COpenSSL

/// A private key of the group P-256 (RFC 5903).
///
/// Multiplies points with OpenSSL's curve functions, as its own ECDH does, without the key
/// objects around them. The cofactor is 1: a point of the curve that is not its zero is good.
final class P256Key: PrivateKey {
    private let scalar: OpaquePointer

    /// Draws until the bytes are a number from 1 to the group's order less 1; nearly always once.
    convenience init(random: any RandomSource) throws(CryptoError) {
        var bytes = SecretBytes(count: 32) { random.fill(&$0) }
        while !Self.isScalar(bytes) { bytes = SecretBytes(count: 32) { random.fill(&$0) } }
        try self.init(bytes)
    }

    /// - Parameter scalar: 32 bytes, big-endian, in range.
    init(_ scalar: borrowing SecretBytes) throws(CryptoError) {
        precondition(Self.isScalar(scalar), "a private key of P-256 is below the group's order")
        guard let number = BN_new() else { throw .latest() }
        BN_set_flags(number, BN_FLG_CONSTTIME)
        let done = scalar.withBytes { bytes in
            bytes.withUnsafeBufferPointer {
                BN_bin2bn($0.baseAddress, Int32($0.count), number) != nil
            }
        }
        guard done else {
            BN_clear_free(number)
            throw .latest()
        }
        self.scalar = number
    }

    private static func isScalar(_ bytes: borrowing SecretBytes) -> Bool {
        bytes.count == 32
            && bytes.withBytes { bytes in
                var isZero = true
                for index in bytes.indices where bytes[index] != 0 { isZero = false }
                for index in bytes.indices where bytes[index] != order[index] {
                    return !isZero && bytes[index] < order[index]
                }
                return false
            }
    }

    /// The order of the group (RFC 5903 §3.1).
    private static let order: [UInt8] =
        [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] + [UInt8](repeating: 0xff, count: 8) + [
            0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
            0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
        ]

    /// x, y: 64 bytes.
    func publicValue() throws(CryptoError) -> [UInt8] {
        let point = try CurvePoint()
        try point.multiplyBase(by: scalar)
        return [UInt8](try point.encoded().dropFirst())
    }

    /// - Parameter peer: x, y: 64 bytes.
    func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes {
        let theirs = try CurvePoint()
        try theirs.decode(x962Uncompressed + peer)
        let product = try CurvePoint()
        try product.multiply(theirs, by: scalar)
        return try product.x()
    }

    deinit { BN_clear_free(scalar) }
}

/// The first byte of a point that is written as x and y (SEC 1 §2.3.3).
private let x962Uncompressed: [UInt8] = [4]

/// A point of P-256, wiped when it ends.
private struct CurvePoint: ~Copyable {
    private let point: OpaquePointer

    init() throws(CryptoError) {
        guard let point = EC_POINT_new(Algorithms.p256) else { throw .latest() }
        self.point = point
    }

    borrowing func multiplyBase(by scalar: OpaquePointer) throws(CryptoError) {
        guard EC_POINT_mul(Algorithms.p256, point, scalar, nil, nil, nil) == 1 else {
            throw .latest()
        }
    }

    borrowing func multiply(
        _ other: borrowing CurvePoint, by scalar: OpaquePointer
    ) throws(CryptoError) {
        guard EC_POINT_mul(Algorithms.p256, point, nil, other.point, scalar, nil) == 1 else {
            throw .latest()
        }
    }

    /// Checks that the point is of the curve.
    borrowing func decode(_ bytes: [UInt8]) throws(CryptoError) {
        guard EC_POINT_oct2point(Algorithms.p256, point, bytes, bytes.count, nil) == 1 else {
            ERR_clear_error()
            throw .badPublicValue
        }
    }

    borrowing func encoded() throws(CryptoError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65)
        let count = EC_POINT_point2oct(
            Algorithms.p256, point, POINT_CONVERSION_UNCOMPRESSED, &bytes, bytes.count, nil)
        guard count == bytes.count else { throw .latest() }
        return bytes
    }

    /// 32 bytes.
    borrowing func x() throws(CryptoError) -> SecretBytes {
        guard let x = BN_new() else { throw .latest() }
        defer { BN_clear_free(x) }
        guard EC_POINT_get_affine_coordinates(Algorithms.p256, point, x, nil, nil) == 1 else {
            throw .latest()
        }
        return try SecretBytes(count: 32) { output throws(CryptoError) in
            let count = output.withUnsafeMutableBufferPointer {
                BN_bn2binpad(x, $0.baseAddress, Int32($0.count))
            }
            guard count == 32 else { throw .latest() }
        }
    }

    deinit { EC_POINT_clear_free(point) }
}
