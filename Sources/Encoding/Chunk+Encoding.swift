extension Chunk {
    /// - Returns: bytes that say all of this, and end with their checksum.
    /// - Throws: ``ChunkError/shape``.
    package func encoded() throws(ChunkError) -> [UInt8] {
        guard isWellFormed else { throw .shape }
        let steps = Steps(self)
        let clock = Clock(times)
        var flags: Flags = []
        if base == nil { flags.insert(.begins) }
        if ends { flags.insert(.ends) }
        if clock.isRegular { flags.insert(.regular) }
        if marks.contains(where: { !$0.isEmpty }) { flags.insert(.marked) }
        if steps.busy.isEmpty { flags.insert(.idle) }

        var head: [UInt8] = [Self.format, flags.rawValue, UInt8(truncatingIfNeeded: columns)]
        head.appendVarint(UInt64(truncatingIfNeeded: times.count))
        clock.write(to: &head)
        for value in base ?? [] { head.appendVarint(value) }
        if !steps.busy.isEmpty { for code in steps.codes { code.write(to: &head) } }

        var bits = BitWriter(after: head)
        write(steps, clock, flags, to: &bits)
        var bytes = bits.finish()
        let sum = Checksum.crc32(bytes, count: bytes.count)
        for shift in [0, 8, 16, 24] as [UInt32] {
            bytes.append(UInt8(truncatingIfNeeded: sum >> shift))
        }
        return bytes
    }

    private func write(
        _ steps: Steps, _ clock: Clock, _ flags: Flags, to bits: inout BitWriter
    ) {
        if !clock.isRegular {
            for deviation in clock.deviations { bits.writeRice(deviation, clock.rice) }
        }
        if flags.contains(.marked) {
            for mark in marks { bits.write(UInt64(mark.rawValue & 3), width: 2) }
        }
        guard !flags.contains(.idle) else { return }
        var next = 0
        for sample in times.indices {
            guard next < steps.busy.count, steps.busy[next] == sample else {
                bits.write(0, width: 1)
                continue
            }
            bits.write(1, width: 1)
            for (column, code) in steps.codes.enumerated() {
                let place = next * columns + column
                let step = steps.steps[place]
                let level = Int(steps.levels[place])
                let from = code.reference.map { Int(steps.levels[next * columns + $0]) } ?? 0
                bits.writeRice(
                    zigzag(Int64(truncatingIfNeeded: level - from - code.centre)), code.rice)
                let open = Level.openBits(level)
                if open > 0 { bits.writeLong(step & ((1 << UInt64(open)) - 1), width: open) }
            }
            next += 1
        }
    }
}

/// How the times are told: a unit, the first, a period, and deviations from it.
private struct Clock {
    /// The unit is ten to this power, in nanoseconds.
    private var exponent: UInt8 = 0
    private var first: Int64
    private var period: Int64 = 0
    private(set) var isRegular = true
    /// Folded; one for each sample but the first.
    private(set) var deviations: [UInt64] = []
    private(set) var rice = 0

    init(_ times: [Int64]) {
        var unit: Int64 = 1
        while exponent < 9, times.allSatisfy({ $0 % (unit * 10) == 0 }) {
            unit *= 10
            exponent += 1
        }
        first = times.first.map { $0 / unit } ?? 0
        guard times.count > 1 else { return }
        // Differences wrap, and wrap back when they are added up.
        let spans = (1..<times.count).map { times[$0] / unit &- times[$0 - 1] / unit }
        period = spans[0]
        isRegular = spans.allSatisfy { $0 == period }
        guard !isRegular else { return }
        period = spans.sorted()[spans.count / 2]
        deviations = spans.map { zigzag($0 &- period) }
        rice = cheapestRice(deviations, upTo: Rice.maxParameter)
    }

    func write(to head: inout [UInt8]) {
        head.append(exponent)
        head.appendVarint(zigzag(first))
        head.appendVarint(zigzag(period))
        if !isRegular { head.append(UInt8(truncatingIfNeeded: rice)) }
    }
}

private func cheapestRice(_ values: [UInt64], upTo most: Int) -> Int {
    var best = (parameter: 0, width: Int.max)
    for parameter in 0...most {
        let width = values.reduce(0) { $0 + Rice.width(of: $1, parameter) }
        if width < best.width { best = (parameter, width) }
    }
    return best.parameter
}

/// The samples in which something moved, and how each column of those is best told.
private struct Steps {
    private(set) var busy: [Int] = []
    /// Folded if the column is signed.
    private(set) var steps: [UInt64] = []
    private(set) var levels: [UInt8] = []
    private(set) var codes: [ColumnCode]

    init(_ chunk: Chunk) {
        let columns = chunk.columns
        codes = [ColumnCode](repeating: ColumnCode(), count: columns)
        var before = chunk.base ?? [UInt64](repeating: 0, count: columns)
        for sample in chunk.times.indices {
            let row = sample * columns
            guard (0..<columns).contains(where: { chunk.values[row + $0] != before[$0] }) else {
                continue
            }
            busy.append(sample)
            for column in 0..<columns {
                let value = chunk.values[row + column]
                steps.append(value &- before[column])
                if value < before[column] { codes[column].isSigned = true }
                before[column] = value
            }
        }
        for column in 0..<columns where codes[column].isSigned {
            for place in stride(from: column, to: steps.count, by: columns) {
                steps[place] = zigzag(Int64(bitPattern: steps[place]))
            }
        }
        levels = steps.map { UInt8(truncatingIfNeeded: Level.of($0)) }
        guard !busy.isEmpty else { return }
        for column in 0..<columns { choose(column, of: columns) }
    }

    /// Looks for the reference that makes the column shortest.
    private mutating func choose(_ column: Int, of columns: Int) {
        var best = width(of: column, from: nil, columns)
        // Chunks with many columns have too many pairs to try each.
        for reference in max(0, column - 4)..<column {
            let candidate = width(of: column, from: reference, columns)
            if candidate.width < best.width { best = candidate }
        }
        best.code.isSigned = codes[column].isSigned
        codes[column] = best.code
    }

    private func width(
        of column: Int, from reference: Int?, _ columns: Int
    ) -> (code: ColumnCode, width: Int) {
        // Distances are -128 to 128.
        var counts = [Int32](repeating: 0, count: 257)
        for row in stride(from: 0, to: levels.count, by: columns) {
            let from = reference.map { Int(levels[row + $0]) } ?? 0
            counts[Int(levels[row + column]) - from + 128] += 1
        }
        var below = 0
        let middle = counts.firstIndex { count in
            below += Int(count)
            return below * 2 >= busy.count
        }
        let centre = min((middle ?? 128) - 128, 127)
        let occupied = counts.indices.filter { counts[$0] > 0 }
        var best = (parameter: 0, width: Int.max)
        for parameter in 0...6 {
            let width = occupied.reduce(0) { sum, index in
                let distance = zigzag(Int64(truncatingIfNeeded: index - 128 - centre))
                return sum + Int(counts[index]) * Rice.width(of: distance, parameter)
            }
            if width < best.width { best = (parameter, width) }
        }
        return (ColumnCode(reference: reference, centre: centre, rice: best.parameter), best.width)
    }
}

extension ColumnCode {
    fileprivate func write(to head: inout [UInt8]) {
        let from = UInt8(truncatingIfNeeded: (reference ?? -1) + 1)
        head.append(from | (isSigned ? 0x40 : 0))
        head.append(UInt8(bitPattern: Int8(truncatingIfNeeded: centre)))
        head.append(UInt8(truncatingIfNeeded: rice))
    }
}
