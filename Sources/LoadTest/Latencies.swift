/// How long something took, many times over: a histogram of fixed size whose buckets are 1/32 of
/// their value wide at most, so that what it tells is within about 3 % of what was.
package struct Latencies: Sendable {
    /// 32 buckets for each power of two, up to 2³² µs.
    private var counts = [UInt64](repeating: 0, count: 28 * 32)
    package private(set) var count: UInt64 = 0
    private var longest: UInt64 = 0

    package init() {}

    /// - Parameter microseconds: beyond an hour they count as the last bucket's.
    package mutating func add(microseconds: UInt64) {
        counts[Self.bucket(of: microseconds)] += 1
        count += 1
        longest = max(longest, microseconds)
    }

    /// The value that this share of all is at or below, in microseconds; nil if there are none.
    ///
    /// - Parameter share: 0 to 1.
    package func percentile(_ share: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((Double(count) * min(max(share, 0), 1)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, number) in counts.enumerated() {
            seen += number
            if seen >= rank { return min(Self.upperBound(of: index), longest) }
        }
        return longest
    }

    /// Values below 32 have a bucket each; above, the five bits after the first choose one.
    private static func bucket(of value: UInt64) -> Int {
        let value = min(value, UInt64(UInt32.max))
        guard value >= 32 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 4) * 32 + Int(value >> UInt64(exponent - 5) & 31)
    }

    private static func upperBound(of bucket: Int) -> UInt64 {
        guard bucket >= 32 else { return UInt64(bucket) }
        let shift = UInt64(bucket / 32 - 1)
        return (UInt64(bucket % 32) + 33) << shift - 1
    }
}
