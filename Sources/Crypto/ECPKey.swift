import COpenSSL

/// A private key of P-256, P-384 or P-521 (RFC 5903).
///
/// Multiplies points with OpenSSL's curve functions, as its own ECDH does, without the key
/// objects around them. The cofactor is 1: a point of the curve that is not its zero is good.
final class ECPKey: PrivateKey {
    enum Curve {
        case p256, p384, p521

        /// Of a coordinate and of a private key, in bits.
        var bits: Int {
            switch self {
            case .p256: 256
            case .p384: 384
            case .p521: 521
            }
        }

        /// The same in bytes.
        var length: Int { (bits + 7) / 8 }

        fileprivate var group: OpaquePointer {
            switch self {
            case .p256: Algorithms.p256
            case .p384: Algorithms.p384
            case .p521: Algorithms.p521
            }
        }
    }

    private let curve: Curve
    private let scalar: OpaquePointer

    /// Draws until the bits are a number from 1 to the group's order less 1; nearly always once.
    init(_ curve: Curve, random: any RandomSource) throws(CryptoError) {
        guard let number = BN_new() else { throw .latest() }
        BN_set_flags(number, BN_FLG_CONSTTIME)
        while true {
            let bytes = SecretBytes(count: curve.length) { bytes in
                random.fill(&bytes)
                bytes[0] &= 0xff >> UInt8(8 * curve.length - curve.bits)
            }
            guard Self.read(bytes, into: number) else {
                BN_clear_free(number)
                throw .latest()
            }
            if BN_is_zero(number) == 0, BN_ucmp(number, EC_GROUP_get0_order(curve.group)) < 0 {
                break
            }
        }
        self.curve = curve
        scalar = number
    }

    private static func read(_ bytes: borrowing SecretBytes, into number: OpaquePointer) -> Bool {
        bytes.withBytes { bytes in
            bytes.withUnsafeBufferPointer {
                BN_bin2bn($0.baseAddress, Int32($0.count), number) != nil
            }
        }
    }

    /// x, y: twice the curve's length.
    func publicValue() throws(CryptoError) -> [UInt8] {
        let point = try CurvePoint(curve)
        try point.multiplyBase(by: scalar)
        return [UInt8](try point.encoded().dropFirst())
    }

    /// - Parameter peer: x, y: twice the curve's length.
    func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes {
        let theirs = try CurvePoint(curve)
        try theirs.decode(x962Uncompressed + peer)
        let product = try CurvePoint(curve)
        try product.multiply(theirs, by: scalar)
        return try product.x()
    }

    deinit { BN_clear_free(scalar) }
}

/// The first byte of a point that is written as x and y (SEC 1 §2.3.3).
private let x962Uncompressed: [UInt8] = [4]

/// A point of a curve, wiped when it ends.
private struct CurvePoint: ~Copyable {
    private let curve: ECPKey.Curve
    private let point: OpaquePointer

    init(_ curve: ECPKey.Curve) throws(CryptoError) {
        guard let point = EC_POINT_new(curve.group) else { throw .latest() }
        self.curve = curve
        self.point = point
    }

    borrowing func multiplyBase(by scalar: OpaquePointer) throws(CryptoError) {
        guard EC_POINT_mul(curve.group, point, scalar, nil, nil, nil) == 1 else {
            throw .latest()
        }
    }

    borrowing func multiply(
        _ other: borrowing CurvePoint, by scalar: OpaquePointer
    ) throws(CryptoError) {
        guard EC_POINT_mul(curve.group, point, nil, other.point, scalar, nil) == 1 else {
            throw .latest()
        }
    }

    /// Checks that the point is of the curve (RFC 6989 §2.3).
    borrowing func decode(_ bytes: [UInt8]) throws(CryptoError) {
        guard EC_POINT_oct2point(curve.group, point, bytes, bytes.count, nil) == 1 else {
            ERR_clear_error()
            throw .badPublicValue
        }
    }

    borrowing func encoded() throws(CryptoError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 + 2 * curve.length)
        let count = EC_POINT_point2oct(
            curve.group, point, POINT_CONVERSION_UNCOMPRESSED, &bytes, bytes.count, nil)
        guard count == bytes.count else { throw .latest() }
        return bytes
    }

    /// As long as the curve says (RFC 5903 §7).
    borrowing func x() throws(CryptoError) -> SecretBytes {
        guard let x = BN_new() else { throw .latest() }
        defer { BN_clear_free(x) }
        guard EC_POINT_get_affine_coordinates(curve.group, point, x, nil, nil) == 1 else {
            throw .latest()
        }
        return try SecretBytes(padding: x, count: curve.length)
    }

    deinit { EC_POINT_clear_free(point) }
}

extension SecretBytes {
    /// A number in big-endian order with zeros in front (RFC 7296 §2.14).
    init(padding number: OpaquePointer, count: Int) throws(CryptoError) {
        self = try SecretBytes(count: count) { output throws(CryptoError) in
            let written = output.withUnsafeMutableBufferPointer {
                BN_bn2binpad(number, $0.baseAddress, Int32($0.count))
            }
            guard written == count else { throw .latest() }
        }
    }
}
