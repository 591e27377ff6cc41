extension Chunk {
    /// What its values moved within a time: for each column the sum of the steps of the samples in
    /// `times`, as ``init(decoding:)`` would have them, without making them.
    ///
    /// - Returns: nil if nothing moved.
    package static func steps(
        of bytes: [UInt8], within times: ClosedRange<Int64>
    ) throws(ChunkError) -> [UInt64]? {
        var head = try ChunkHead(checking: bytes)
        guard !head.codes.isEmpty else { return nil }
        let isWanted = try head.times().map { times.contains($0) }
        guard let last = isWanted.lastIndex(of: true) else { return nil }
        if head.flags.contains(.marked) {
            for _ in 0..<head.count { _ = try head.bits.read(2) }
        }
        var total = [UInt64](repeating: 0, count: head.columns)
        var levels = [Int](repeating: 0, count: head.columns)
        // Copies, so that they stay in registers.
        var bits = head.bits
        let codes = head.codes
        var sample = 0
        while true {
            sample += try bits.skipZeros(last + 1 - sample)
            guard sample <= last else { return total.allSatisfy { $0 == 0 } ? nil : total }
            _ = try bits.read(1)
            let counts = isWanted[sample]
            for column in 0..<codes.count {
                let step = try bits.readStep(codes[column], column, &levels)
                if counts { total[column] &+= step }
            }
            sample += 1
        }
    }
}

extension BitReader {
    /// Reads how far a column moved.
    ///
    /// - Parameter levels: of this sample's columns before this one; takes this one's.
    mutating func readStep(
        _ code: ColumnCode, _ column: Int, _ levels: inout [Int]
    ) throws(ChunkError) -> UInt64 {
        let distance = unzigzag(try readRice(code.rice))
        guard -512...512 ~= distance else { throw .illegal }
        let from = code.reference.map { levels[$0] } ?? 0
        let level = from + code.centre + Int(distance)
        guard let least = Level.base(level) else { throw .illegal }
        levels[column] = level
        let step = least | (try readLong(Level.openBits(level)))
        return code.isSigned ? UInt64(bitPattern: unzigzag(step)) : step
    }
}
