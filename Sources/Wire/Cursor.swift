// A cursor is a `Span<UInt8>` that gets shorter. It can't outlive the datagram, can't read past
// the end, and needs no unsafe code: this module reads hostile bytes. Memory is never sized from
// a number that the peer chose.

extension Span<UInt8> {
    /// Removes a big-endian integer from the front.
    package mutating func take<T: FixedWidthInteger>(_: T.Type = T.self) throws(WireError) -> T {
        let width = T.bitWidth / 8
        guard count >= width else { throw .truncated(needed: width, left: count) }
        var value: T = 0
        for index in 0..<width {
            value = value << 8 | T(truncatingIfNeeded: self[index])
        }
        self = extracting(droppingFirst: width)
        return value
    }

    /// Removes `length` bytes from the front.
    package mutating func take(bytes length: Int) throws(WireError) -> [UInt8] {
        try take(region: length) { (region: inout Span<UInt8>) in region.takeRest() }
    }

    /// Removes a region of `length` bytes from the front and reads it by itself.
    package mutating func take<Value>(
        region length: Int, _ read: (inout Span<UInt8>) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        guard length >= 0, count >= length else { throw .truncated(needed: length, left: count) }
        var region = extracting(first: length)
        self = extracting(droppingFirst: length)
        return try read(&region)
    }

    /// Removes `length` bytes from the front unread.
    package mutating func skip(_ length: Int) throws(WireError) {
        guard length >= 0, count >= length else { throw .truncated(needed: length, left: count) }
        self = extracting(droppingFirst: length)
    }

    /// Removes all that is left.
    package mutating func takeRest() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        self = extracting(droppingFirst: count)
        return bytes
    }

    /// Removes a payload body that must fill exactly `length` bytes.
    package mutating func take<P: Payload>(
        _: P.Type = P.self, length: Int
    ) throws(WireError) -> P {
        try take(region: length) { (body: inout Span<UInt8>) throws(WireError) in
            let payload = try P(parsing: &body)
            guard body.isEmpty else { throw .trailing(left: body.count) }
            return payload
        }
    }
}

extension [UInt8] {
    /// Appends a big-endian integer.
    @inlinable
    package mutating func put<T: FixedWidthInteger>(_ value: T) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    /// Writes a 16-bit length into two bytes that were left for it.
    package mutating func patch(_ value: Int, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
