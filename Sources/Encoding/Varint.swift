extension [UInt8] {
    /// Seven bits in each byte, the lowest first; the last byte has its high bit clear.
    package mutating func appendVarint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Bytes that ``Array/appendVarint(_:)`` takes for `number`.
package func varintLength(_ number: UInt64) -> Int {
    max(1, (70 - number.leadingZeroBitCount) / 7)
}

/// Reads whole bytes and varints. Reading past the end throws.
package struct ByteReader {
    private let bytes: [UInt8]
    package private(set) var next: Int
    private let end: Int

    /// - Parameter end: not beyond the bytes' own.
    package init(_ bytes: [UInt8], from start: Int = 0, to end: Int? = nil) {
        self.bytes = bytes
        next = start
        self.end = Swift.min(end ?? bytes.count, bytes.count)
    }

    package var isAtEnd: Bool { next >= end }

    package mutating func byte() throws(ChunkError) -> UInt8 {
        guard next < end else { throw .truncated }
        defer { next += 1 }
        return bytes[next]
    }

    /// Stands after so many varints, which are there.
    package mutating func skipVarints(_ count: Int) {
        var rest = count
        while rest > 0, next < end {
            if bytes[next] < 0x80 { rest -= 1 }
            next += 1
        }
    }

    /// - Throws: ``ChunkError/illegal`` for more than 64 bits.
    package mutating func varint() throws(ChunkError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw .illegal }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }
}
