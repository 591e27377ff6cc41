import Glibc
import Vocabulary

/// One measurement that stands for its bucket, and the session that it came from.
struct Exemplar: Hashable, Sendable {
    let session: String
    let value: Double
    let time: Timestamp
}

/// One series of a histogram. Bucket counts are kept apart and added up when shown.
struct Distribution: Hashable, Sendable {
    /// By upper bound, then those above all bounds.
    private(set) var counts: [UInt64]
    /// The latest of each bucket.
    private(set) var exemplars: [Exemplar?]
    private(set) var sum = 0.0
    private(set) var native = NativeBuckets()
    let bounds: [Double]

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
        exemplars = Array(repeating: nil, count: bounds.count + 1)
    }

    mutating func observe(_ value: Double, session: String? = nil, at time: Timestamp? = nil) {
        guard value.isFinite else { return }
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts[place] = counts[place].addingSaturating(1)
        if let session, let time {
            exemplars[place] = Exemplar(session: session, value: value, time: time)
        }
        sum += value
        native.observe(value)
    }
}

/// Buckets of a native histogram: each is 2^(1/8) wide, so that a quantile is off by 4.4 % at
/// most. What is not between 2^-20 and 2^20 counts as if it were; at most 321 buckets.
struct NativeBuckets: Hashable, Sendable {
    /// Prometheus's name for eight buckets for each doubling.
    static let schema = 3
    static let zeroThreshold = exp2(-20.125)
    private static let perDoubling = 8.0
    private static let bound = 160

    private(set) var zeroes: UInt64 = 0
    /// By the exponent of the upper bound: bucket i is (2^((i-1)/8), 2^(i/8)].
    private(set) var counts: [Int: UInt64] = [:]

    mutating func observe(_ value: Double) {
        guard value > Self.zeroThreshold else {
            zeroes = zeroes.addingSaturating(1)
            return
        }
        let exact = (log2(value) * Self.perDoubling).rounded(.up)
        let index = Int(min(max(exact, Double(-Self.bound)), Double(Self.bound)))
        counts[index] = (counts[index] ?? 0).addingSaturating(1)
    }

    /// The middle of the bucket that has the value of this rank; nil without observations.
    func quantile(_ quantile: Double) -> Double? {
        let total = counts.values.reduce(zeroes) { $0.addingSaturating($1) }
        guard total > 0 else { return nil }
        let rank = max(1, (Double(total) * quantile).rounded(.up))
        var seen = Double(zeroes)
        if seen >= rank { return 0 }
        for (index, count) in counts.sorted(by: { $0.key < $1.key }) {
            seen += Double(count)
            if seen >= rank { return exp2((Double(index) - 0.5) / Self.perDoubling) }
        }
        return nil
    }
}
