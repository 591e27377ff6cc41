import Forecast
import Testing

@Suite("Statistics")
struct StatisticsTests {
    @Test(
        "nearest-rank percentiles of 15 20 35 40 50",
        arguments: [(0, 15), (5, 15), (30, 20), (40, 20), (50, 35), (95, 50), (100, 50)]
            as [(Double, Double)])
    func nearestRank(percent: Double, value: Double) {
        #expect(percentile(percent, of: [50, 20, 15, 40, 35]) == value)
    }

    @Test("no percentile of nothing, or outside of 0 to 100")
    func refuses() {
        #expect(percentile(50, of: []) == nil)
        #expect(percentile(-1, of: [1]) == nil)
        #expect(percentile(101, of: [1]) == nil)
        #expect(percentile(.nan, of: [1]) == nil)
        #expect(median([]) == nil)
    }

    @Test("medians")
    func medians() {
        #expect(median([3, 1, 2]) == 2)
        #expect(median([4, 1, 3, 2]) == 2.5)
        #expect(median([.greatestFiniteMagnitude, .greatestFiniteMagnitude])?.isFinite == true)
    }

    // scipy.stats.theilslopes([1, 3, 2, 5, 4, 20], range(6), method="joint") says the same.
    @Test("Theil–Sen shrugs off an outlier")
    func knownAnswer() throws {
        let points = [1, 3, 2, 5, 4, 20].enumerated().map { Point(x: Double($0), y: $1) }
        let line = try #require(theilSen(points))
        #expect(line.slope == 4.0 / 3)
        #expect(line.intercept == 1)
        #expect(line.slopes.count == 15)
        #expect(line.slopes == line.slopes.sorted())
    }

    @Test("Theil–Sen finds a line exactly, in any order and around gaps", arguments: 0..<50)
    func exactLine(seed: Int) throws {
        var random = Random(seed: seed)
        let slope = Double(random.below(2001) - 1000) / 8
        let intercept = Double(random.below(2001) - 1000)
        let points = (0..<40).filter { _ in random.below(3) > 0 }.map {
            Point(x: Double($0), y: slope * Double($0) + intercept)
        }
        let line = try #require(theilSen(points.shuffled(using: &random)))
        #expect(line.slope == slope)
        #expect(line.intercept == intercept)
    }

    @Test("a quarter of wild points does not move it", arguments: 0..<20)
    func robust(seed: Int) throws {
        var random = Random(seed: seed)
        let points = (0..<40).map { index in
            let isWild = index % 4 == 1
            let y = isWild ? Double(random.below(100_000)) : 3 * Double(index)
            return Point(x: Double(index), y: y)
        }
        let line = try #require(theilSen(points))
        #expect(abs(line.slope - 3) < 5)
    }

    @Test("no line through less than two abscissae")
    func noLine() {
        #expect(theilSen([]) == nil)
        #expect(theilSen([Point(x: 1, y: 1)]) == nil)
        #expect(theilSen([Point(x: 1, y: 1), Point(x: 1, y: 2)]) == nil)
        #expect(theilSen([Point(x: 1, y: 1), Point(x: .nan, y: 2)]) == nil)
    }
}

/// Knuth's MMIX generator: the same on every machine.
struct Random: RandomNumberGenerator {
    private var state: UInt64
    init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }

    mutating func below(_ limit: Int) -> Int { Int(next() >> 33) % limit }
}
