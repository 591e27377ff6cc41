extension Chunk {
    /// Checks everything and trusts nothing: memory and time are bounded by
    /// ``maxSamples`` × ``maxColumns``, whatever the bytes say.
    package init(decoding bytes: [UInt8]) throws(ChunkError) {
        var head = try ChunkHead(checking: bytes)
        let flags = head.flags
        let count = head.count
        let times = try head.times()
        var marks: [Mark] = []
        if flags.contains(.marked) {
            for _ in 0..<count { marks.append(Mark(rawValue: UInt8(try head.bits.read(2)))) }
        }
        let values = try Self.values(count, from: head.before, head.codes, &head.bits)
        guard head.bits.isAtEnd else { throw .trailing }
        self.init(
            base: flags.contains(.begins) ? nil : head.before, ends: flags.contains(.ends),
            columns: head.columns,
            times: times, values: values, marks: marks)
    }

    private static func values(
        _ count: Int, from base: [UInt64], _ codes: [ColumnCode], _ bits: inout BitReader
    ) throws(ChunkError) -> [UInt64] {
        var before = base
        var values: [UInt64] = []
        values.reserveCapacity(count * base.count)
        guard !codes.isEmpty else {
            for _ in 0..<count { for value in before { values.append(value) } }
            return values
        }
        var levels = [Int](repeating: 0, count: base.count)
        for _ in 0..<count {
            if try bits.read(1) == 1 {
                for column in 0..<codes.count {
                    before[column] &+= try bits.readStep(codes[column], column, &levels)
                }
            }
            for value in before { values.append(value) }
        }
        return values
    }
}

/// All that stands before a chunk's times, checked; and a reader that stands there.
struct ChunkHead {
    let flags: Chunk.Flags
    let columns: Int
    /// Samples.
    let count: Int
    /// The values before the first sample.
    let before: [UInt64]
    /// Empty in an idle chunk.
    let codes: [ColumnCode]
    private let clock: ClockHead
    var bits: BitReader

    init(checking bytes: [UInt8]) throws(ChunkError) {
        let end = bytes.count - 4
        guard end > 0 else { throw .truncated }
        let sum = (0..<4).reduce(UInt32(0)) { sum, index in
            sum | UInt32(bytes[end + index]) << UInt32(8 * index)
        }
        guard Checksum.crc32(bytes, count: end) == sum else { throw .checksum }

        var head = ByteReader(bytes, to: end)
        let format = try head.byte()
        guard format == Chunk.format else { throw .format(format) }
        flags = Chunk.Flags(rawValue: try head.byte())
        guard Chunk.Flags.all.isSuperset(of: flags) else { throw .illegal }
        columns = Int(try head.byte())
        count = Int(clamping: try head.varint())
        guard (1...Chunk.maxColumns).contains(columns), (1...Chunk.maxSamples).contains(count)
        else { throw .shape }
        clock = try ClockHead(&head, isRegular: flags.contains(.regular))
        var before = [UInt64](repeating: 0, count: columns)
        if !flags.contains(.begins) {
            for column in before.indices { before[column] = try head.varint() }
        }
        self.before = before
        var codes: [ColumnCode] = []
        if !flags.contains(.idle) {
            for column in 0..<columns { codes.append(try ColumnCode(&head, column: column)) }
        }
        self.codes = codes
        bits = BitReader(bytes, from: head.next, to: end)
    }

    /// Of all samples. Afterwards `bits` stands behind them.
    mutating func times() throws(ChunkError) -> [Int64] {
        try clock.times(count, &bits, isRegular: flags.contains(.regular))
    }
}

/// What the head says of the times.
private struct ClockHead {
    private let unit: Int64
    private let first: Int64
    private let period: Int64
    private let rice: Int

    init(_ head: inout ByteReader, isRegular: Bool) throws(ChunkError) {
        let exponent = try head.byte()
        guard exponent <= 9 else { throw .illegal }
        unit = (0..<exponent).reduce(1) { unit, _ in unit * 10 }
        first = unzigzag(try head.varint())
        period = unzigzag(try head.varint())
        rice = isRegular ? 0 : Int(try head.byte())
        guard rice <= Rice.maxParameter else { throw .illegal }
    }

    func times(
        _ count: Int, _ bits: inout BitReader, isRegular: Bool
    ) throws(ChunkError) -> [Int64] {
        var times: [Int64] = []
        times.reserveCapacity(count)
        var time = first
        for sample in 0..<count {
            if sample > 0 {
                time = time &+ period
                if !isRegular { time = time &+ unzigzag(try bits.readRice(rice)) }
            }
            let (nanoseconds, overflow) = time.multipliedReportingOverflow(by: unit)
            guard !overflow else { throw .illegal }
            times.append(nanoseconds)
        }
        return times
    }
}

extension ColumnCode {
    fileprivate init(_ head: inout ByteReader, column: Int) throws(ChunkError) {
        let first = try head.byte()
        let from = Int(first & 0x3f)
        guard first & 0x80 == 0, from <= column else { throw .illegal }
        reference = from == 0 ? nil : from - 1
        isSigned = first & 0x40 != 0
        centre = Int(Int8(bitPattern: try head.byte()))
        rice = Int(try head.byte())
        guard rice <= Rice.maxParameter else { throw .illegal }
    }
}
