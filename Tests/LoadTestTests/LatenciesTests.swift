import LoadTest
import Testing

@Suite("Latencies")
struct LatenciesTests {
    @Test("nothing has no percentile")
    func empty() {
        #expect(Latencies().percentile(0.5) == nil)
    }

    @Test("percentiles are within 1/32 above the value of that rank, never beyond the longest")
    func percentiles() {
        var latencies = Latencies()
        let values = (1...10_000).map { UInt64($0 * $0) }
        for value in values.reversed() { latencies.add(microseconds: value) }
        #expect(latencies.count == 10_000)
        for (share, rank) in [(0.0001, 1), (0.5, 5_000), (0.95, 9_500), (0.99, 9_900), (1, 10_000)]
        {
            let exact = values[rank - 1]
            let told = latencies.percentile(share) ?? 0
            #expect(told >= exact && told <= exact + exact / 31, "\(share): \(told), not \(exact)")
        }
        #expect(latencies.percentile(1) == values.last)
    }

    @Test("any value has a bucket")
    func extremes() {
        var latencies = Latencies()
        for value in [0, 31, 32, 63, 64, UInt64(UInt32.max), .max] {
            latencies.add(microseconds: value)
        }
        #expect(latencies.percentile(0) == 0)
        #expect(latencies.count == 7)
    }
}
