/// Writes bits, the most significant first, after whole bytes.
struct BitWriter {
    private(set) var bytes: [UInt8]
    private var pending: UInt64 = 0
    private var count = 0

    init(after bytes: [UInt8]) { self.bytes = bytes }

    /// - Parameter width: 0 to 56; `value` has no more bits.
    mutating func write(_ value: UInt64, width: Int) {
        pending = (pending << UInt64(width)) | value
        count += width
        while count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> UInt64(count)))
        }
    }

    /// - Parameter width: 0 to 64.
    mutating func writeLong(_ value: UInt64, width: Int) {
        if width > 32 {
            write(value >> 32, width: width - 32)
            write(value & 0xffff_ffff, width: 32)
        } else {
            write(value, width: width)
        }
    }

    mutating func writeRice(_ value: UInt64, _ parameter: Int) {
        let quotient = value >> UInt64(parameter)
        guard quotient < Rice.escape else {
            write((1 << Rice.escape) - 1, width: Int(Rice.escape))
            writeLong(value, width: 64)
            return
        }
        let ones = Int(truncatingIfNeeded: quotient)
        write((1 << (quotient + 1)) - 2, width: ones + 1)
        writeLong(value & ((1 << UInt64(parameter)) - 1), width: parameter)
    }

    /// Fills the last byte with zeros.
    consuming func finish() -> [UInt8] {
        if count > 0 { write(0, width: 8 - count) }
        return bytes
    }
}

/// Rice codes: the quotient as so many ones and a zero, then the remainder. A quotient of
/// ``escape`` or more is that many ones, and then the value itself in 64 bits.
enum Rice {
    static let escape: UInt64 = 20
    static let maxParameter = 40

    static func width(of value: UInt64, _ parameter: Int) -> Int {
        let quotient = value >> UInt64(parameter)
        return quotient < escape
            ? Int(truncatingIfNeeded: quotient) + 1 + parameter
            : Int(truncatingIfNeeded: escape) + 64
    }
}

/// Reads what ``BitWriter`` wrote. Reading past the end throws.
struct BitReader {
    private let bytes: [UInt8]
    private var next: Int
    private let end: Int
    private var pending: UInt64 = 0
    private var count = 0

    init(_ bytes: [UInt8], from start: Int, to end: Int) {
        self.bytes = bytes
        next = start
        self.end = end
    }

    private mutating func fill() {
        while count <= 48, next < end {
            pending = (pending << 8) | UInt64(bytes[next])
            next += 1
            count += 8
        }
    }

    /// - Parameter width: 0 to 48.
    mutating func read(_ width: Int) throws(ChunkError) -> UInt64 {
        if count < width {
            fill()
            guard count >= width else { throw .truncated }
        }
        count -= width
        return (pending >> UInt64(count)) & ((1 << UInt64(width)) - 1)
    }

    /// Passes zeros, up to a one or to `most` of them.
    ///
    /// - Returns: how many.
    mutating func skipZeros(_ most: Int) throws(ChunkError) -> Int {
        var skipped = 0
        while skipped < most {
            if count == 0 { fill() }
            guard count > 0 else { throw .truncated }
            let zeros = min((pending << UInt64(64 - count)).leadingZeroBitCount, count)
            let passed = min(zeros, most - skipped)
            skipped += passed
            count -= passed
            if passed < zeros || count > 0 { break }
        }
        return skipped
    }

    /// - Parameter width: 0 to 64.
    mutating func readLong(_ width: Int) throws(ChunkError) -> UInt64 {
        guard width > 32 else { return try read(width) }
        return try read(width - 32) << 32 | read(32)
    }

    mutating func readRice(_ parameter: Int) throws(ChunkError) -> UInt64 {
        if count < 24 { fill() }
        // Ones up to the first zero, as leading zeros of the complement.
        let window = count == 0 ? 0 : pending << UInt64(64 - count)
        let ones = min((~window).leadingZeroBitCount, count)
        if ones >= Int(Rice.escape) {
            count -= Int(Rice.escape)
            return try readLong(64)
        }
        guard count > ones else { throw .truncated }
        count -= ones + 1
        return try UInt64(truncatingIfNeeded: ones) << UInt64(parameter) | readLong(parameter)
    }

    /// Nothing is left but zeros that fill the last byte.
    var isAtEnd: Bool {
        next == end && count < 8 && pending & ((1 << UInt64(count)) - 1) == 0
    }
}
