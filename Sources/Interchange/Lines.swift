/// Cuts a file into lines as its blocks come.
package struct Lines: Sendable {
    /// Bytes that a line may have.
    package static let limit = 65_536

    package struct TooLong: Error, Hashable, Sendable {}

    private var buffer: [UInt8] = []
    private var start = 0
    /// No line ends before here.
    private var scanned = 0

    package init() {}

    package mutating func add(_ block: ArraySlice<UInt8>) {
        buffer.removeFirst(start)
        scanned -= start
        start = 0
        buffer.append(contentsOf: block)
    }

    /// - Returns: the next line with its end (LF); nil if its end has not come yet.
    package mutating func next() throws(TooLong) -> ArraySlice<UInt8>? {
        while scanned < buffer.count, buffer[scanned] != 0x0a { scanned += 1 }
        guard scanned - start <= Self.limit else { throw TooLong() }
        guard scanned < buffer.count else { return nil }
        defer {
            scanned += 1
            start = scanned
        }
        return buffer[start...scanned]
    }

    /// What is left after the last line end; empty as a rule.
    package mutating func finish() -> ArraySlice<UInt8> {
        defer {
            start = buffer.count
            scanned = start
        }
        return buffer[start...]
    }
}

extension ArraySlice<UInt8> {
    /// Without LF, or CR LF.
    package var withoutLineEnd: ArraySlice<UInt8> {
        var line = self
        if line.last == 0x0a { line = line.dropLast() }
        if line.last == 0x0d { line = line.dropLast() }
        return line
    }
}

/// What tells the beginning of one file from that of another: FNV-1a with 64 bits.
package struct Fingerprint: Hashable, Sendable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func add(_ bytes: ArraySlice<UInt8>) {
        var value = value
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        self.value = value
    }
}
