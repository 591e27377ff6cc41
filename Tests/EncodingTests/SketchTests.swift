import Testing

@testable import Encoding

@Suite("A sketch")
struct SketchTests {
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    /// The example of docs/store-format.md.
    private static let bytes: [UInt8] = [
        0x01, 0x03, 0x05, 0xbf, 0x89, 0x01, 0x05, 0x02, 0x5e, 0x01, 0xdf, 0x03, 0x01,
    ]

    private func sketch(_ values: [UInt64]) -> Sketch {
        var sketch = Sketch()
        for value in values { sketch.add(value) }
        return sketch
    }

    /// Values of very different sizes, many of them alike.
    private func values(_ dice: inout Dice, atMost count: Int = 2_000) -> [UInt64] {
        (0..<Int.random(in: 1...count, using: &dice)).map { _ in
            let bits = UInt64.random(in: 0...63, using: &dice)
            return .random(in: 0...UInt64.max >> bits, using: &dice)
        }
    }

    private func sealed(_ bytes: [UInt8]) -> [UInt8] {
        let sum = Checksum.crc32(bytes, count: bytes.count)
        return bytes + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }

    @Test("is these bytes")
    func knownAnswer() throws {
        let example = sketch([5, 100, 5, 17_604])
        #expect(example.encoded == sealed(Self.bytes))
        #expect(try Sketch(decoding: sealed(Self.bytes)) == example)
        #expect(try Sketch(decoding: Sketch().encoded) == Sketch())
    }

    @Test("has every quantile within its bound", arguments: 1...40 as ClosedRange<UInt64>)
    func quantiles(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        let values = values(&dice)
        let sketch = sketch(values)
        let sorted = values.sorted()
        #expect(sketch.count == UInt64(values.count))
        #expect((sketch.least, sketch.most) == (sorted[0], sorted[values.count - 1]))
        for part in [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1] {
            let rank = max(1, Int((Double(values.count) * part).rounded(.up)))
            let exact = Double(sorted[rank - 1])
            let found = Double(try #require(sketch.quantile(part)))
            #expect(abs(found - exact) <= exact * Sketch.error, "\(part)")
        }
        #expect(sketch.quantile(0) == sorted.first)
        #expect(sketch.quantile(1) == sorted.last)
    }

    @Test("of two lots is made of their sketches", arguments: 1...40 as ClosedRange<UInt64>)
    func merging(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        let (left, right) = (values(&dice), values(&dice))
        var merged = sketch(left)
        merged.merge(sketch(right))
        #expect(merged == sketch(left + right))
        var other = sketch(right)
        other.merge(sketch(left))
        other.merge(Sketch())
        #expect(other == merged)
        var empty = Sketch()
        empty.merge(merged)
        #expect(empty == merged)
        #expect(try Sketch(decoding: merged.encoded) == merged)
    }

    @Test("of nothing has no quantile, nor is there one beyond all")
    func none() {
        #expect(Sketch().quantile(0.5) == nil)
        for part in [-0.1, 1.1, .nan, .infinity] { #expect(sketch([1]).quantile(part) == nil) }
        let extremes = sketch([0, 127, 128, .max, .max - 1])
        #expect(extremes.quantile(0.6) == 128)
        #expect(extremes.quantile(1) == .max)
    }

    @Test("of more values than can be counted says the most there can be")
    func saturated() throws {
        var bytes: [UInt8] = [1, 1, 5, 0, 5]
        bytes.appendVarint(.max)
        var sketch = try Sketch(decoding: sealed(bytes))
        sketch.merge(sketch)
        sketch.add(9)
        #expect(sketch.count == .max)
        #expect(sketch.quantile(0.5) == 5)
    }

    @Test(
        "is never made of bytes that none writes",
        arguments: [
            [], [1], [2, 0], [1, 1], [1, 1, 5, 0, 6, 1], [1, 1, 5, 0, 5, 0], [1, 1, 5, 0, 5, 1, 0],
            [1, 2, 5, 0, 5, 1, 0, 1], [1, 1, 5, 1, 5, 1], [1, 0, 7],
            [1, 1, 0x81, 0x3c, 0, 0xc0, 0x1d, 1], [1, 0xff, 0xff, 0xff, 0xff, 0x0f],
        ] as [[UInt8]])
    func hostile(_ bytes: [UInt8]) {
        #expect(throws: ChunkError.self) { try Sketch(decoding: sealed(bytes)) }
        #expect(throws: ChunkError.self) { try Sketch(decoding: bytes) }
    }

    @Test("of bytes that are changed at random is refused, or is another sketch")
    func mutations() throws {
        var dice = Dice(state: 7)
        for _ in 0..<2_000 {
            var bytes = sketch(values(&dice, atMost: 20)).encoded
            bytes.removeLast(4)
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                let place = Int.random(in: bytes.indices, using: &dice)
                bytes[place] = .random(in: 0...255, using: &dice)
            }
            guard let sketch = try? Sketch(decoding: sealed(bytes)) else { continue }
            #expect(try Sketch(decoding: sketch.encoded) == sketch)
            _ = sketch.quantile(0.5)
        }
    }
}
