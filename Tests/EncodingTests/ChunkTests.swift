import Testing

@testable import Encoding

@Suite("A chunk")
struct ChunkTests {
    /// The example of docs/store-format.md.
    static let example = Chunk(
        columns: 2, times: [15_000_000_000, 30_000_000_000, 45_000_000_000],
        values: [1, 60, 1, 60, 4, 1_560])
    static let exampleBytes: [UInt8] = [
        0x01, 0x05, 0x02, 0x03, 0x09, 0x1e, 0x1e, 0x00, 0x01, 0x01, 0x01, 0x0b, 0x02, 0x83, 0x1e,
        0x71, 0xdc, 0x48, 0x55, 0x7f, 0x43,
    ]

    @Test("is these bytes")
    func knownAnswer() throws {
        let bytes = try Self.example.encoded()
        #expect(bytes == Self.exampleBytes)
        #expect(try Chunk(decoding: bytes) == Self.example)
    }

    @Test("has the checksum that zlib has")
    func checksum() {
        #expect(Checksum.crc32(Array("123456789".utf8), count: 9) == 0xcbf4_3926)
        #expect(Checksum.crc32([], count: 0) == 0)
    }

    @Test(
        "keeps every integer of 64 bits",
        arguments: [
            [0, .max, 0, .max], [.max, .max - 1, .max], [0, 1 << 63, 1, (1 << 63) + 1],
            [1, 2, 3, 4, 5, 6, 7, 8], [7], [.max],
        ] as [[UInt64]])
    func extremes(_ values: [UInt64]) throws {
        for base in [nil, [5]] as [[UInt64]?] {
            let chunk = Chunk(
                base: base, columns: 1, times: values.indices.map { Int64($0) }, values: values)
            #expect(try Chunk(decoding: chunk.encoded()) == chunk)
        }
    }

    @Test(
        "keeps every time",
        arguments: [
            [.min, .max, 0], [0, -1, 1_000_000_007], [5, 5, 5], [1_000_000, 2_000_000, 4_000_000],
            [.max], [.min],
        ] as [[Int64]])
    func times(_ times: [Int64]) throws {
        let chunk = Chunk(columns: 1, times: times, values: times.map { _ in 3 })
        #expect(try Chunk(decoding: chunk.encoded()) == chunk)
    }

    @Test("tells ends, restarts and gaps")
    func marks() throws {
        let chunk = Chunk(
            ends: true, columns: 1, times: [1, 2, 9], values: [5, 8, 1],
            marks: [[], [], [.restart, .gap]])
        #expect(try Chunk(decoding: chunk.encoded()) == chunk)
    }

    @Test("is refused with values missing, too many or too few")
    func shapes() {
        for chunk in [
            Chunk(columns: 0, times: [1], values: []), Chunk(columns: 1, times: [], values: []),
            Chunk(columns: 2, times: [1], values: [1]),
            Chunk(columns: 33, times: [1], values: [UInt64](repeating: 0, count: 33)),
            Chunk(
                columns: 1, times: [Int64](repeating: 0, count: 4_097),
                values: [UInt64](repeating: 0, count: 4_097)),
            Chunk(columns: 1, times: [1, 2], values: [1, 2], marks: [[]]),
        ] {
            #expect(throws: ChunkError.shape, "\(chunk.columns)") { try chunk.encoded() }
        }
    }

    @Test("takes little more than the entropy of what it says when nothing moves")
    func idle() throws {
        let chunk = Chunk(
            base: [3, 3, 3, 3], columns: 4, times: (0..<240).map { $0 * 15_000_000_000 },
            values: [UInt64](repeating: 3, count: 960))
        #expect(try chunk.encoded().count < 20)
    }
}

/// Random chunks of every sort, and damage to them.
@Suite("Any chunk")
struct ChunkPropertyTests {
    struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    static func random(_ dice: inout Dice) -> Chunk {
        let columns = Int.random(in: 1...8, using: &dice)
        let count = Int.random(in: 1...100, using: &dice)
        let size = UInt64.random(in: 0...63, using: &dice)
        let jitter = Int64.random(in: 0...2, using: &dice) * 1_000_000
        let mayFall = Int.random(in: 0..<4, using: &dice) == 0
        var row = (0..<columns).map { _ in UInt64.random(in: 0...(1 << size), using: &dice) }
        var chunk = Chunk(
            base: .random(using: &dice) ? row : nil, ends: .random(using: &dice), columns: columns,
            times: [], values: [])
        var time = Int64.random(in: 0...2_000_000_000, using: &dice) * 1_000_000_000
        for _ in 0..<count {
            if Int.random(in: 0..<3, using: &dice) == 0 {
                for column in row.indices {
                    let step = UInt64.random(in: 0...(1 << size), using: &dice)
                    row[column] =
                        mayFall && .random(using: &dice)
                        ? row[column] &- step : row[column] &+ step
                }
            }
            chunk.times.append(time)
            chunk.values.append(contentsOf: row)
            time += 15_000_000_000 + (jitter == 0 ? 0 : Int64.random(in: 0...jitter, using: &dice))
        }
        if Int.random(in: 0..<4, using: &dice) == 0 {
            chunk.marks = chunk.times.map { _ in
                Chunk.Mark(rawValue: UInt8.random(in: 0...3, using: &dice))
            }
            if chunk.marks.allSatisfy(\.isEmpty) { chunk.marks = [] }
        }
        return chunk
    }

    @Test("comes back as it was", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrips(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        for _ in 0..<20 {
            let chunk = Self.random(&dice)
            #expect(try Chunk(decoding: chunk.encoded()) == chunk, "seed \(seed)")
        }
    }

    @Test(
        "steps are what the samples of a time add up to", arguments: 1...20 as ClosedRange<UInt64>)
    func steps(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        for _ in 0..<20 {
            let chunk = Self.random(&dice)
            let ends = [
                chunk.times.randomElement(using: &dice), chunk.times.randomElement(using: &dice),
            ].map { $0 ?? 0 }
            let window = min(ends[0], ends[1])...max(ends[0], ends[1])
            var expected = [UInt64](repeating: 0, count: chunk.columns)
            var before = chunk.base ?? expected
            for (sample, time) in chunk.times.enumerated() {
                for column in 0..<chunk.columns {
                    let value = chunk.values[sample * chunk.columns + column]
                    if window.contains(time) { expected[column] &+= value &- before[column] }
                    before[column] = value
                }
            }
            let found = try Chunk.steps(of: chunk.encoded(), within: window)
            #expect(found ?? expected.map { _ in 0 } == expected, "seed \(seed)")
            #expect((found == nil) == expected.allSatisfy { $0 == 0 })
        }
    }

    @Test("with one bit flipped, cut short or made longer is refused")
    func damaged() throws {
        var dice = Dice(state: 99)
        for _ in 0..<20 {
            let bytes = try Self.random(&dice).encoded()
            for _ in 0..<50 {
                var other = bytes
                let bit = Int.random(in: 0..<bytes.count * 8, using: &dice)
                other[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: ChunkError.self) { try Chunk(decoding: other) }
            }
            for count in 0..<bytes.count {
                #expect(throws: ChunkError.self) { try Chunk(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: ChunkError.self) { try Chunk(decoding: bytes + [0]) }
        }
    }

    @Test("behind a right checksum may say anything, and is decoded or refused")
    func hostile() throws {
        var dice = Dice(state: 7)
        var decoded = 0
        for _ in 0..<400 {
            var bytes = Array(try Self.random(&dice).encoded().dropLast(4))
            for _ in 0..<Int.random(in: 1...4, using: &dice) {
                bytes[Int.random(in: 1..<bytes.count, using: &dice)] = .random(
                    in: 0...255, using: &dice)
            }
            let sum = Checksum.crc32(bytes, count: bytes.count)
            for shift in [0, 8, 16, 24] as [UInt32] {
                bytes.append(UInt8(truncatingIfNeeded: sum >> shift))
            }
            _ = try? Chunk.steps(of: bytes, within: 0...Int64.max)
            guard let chunk = try? Chunk(decoding: bytes) else { continue }
            decoded += 1
            #expect(try Chunk(decoding: chunk.encoded()).values == chunk.values)
        }
        #expect(decoded > 0)
    }
}
