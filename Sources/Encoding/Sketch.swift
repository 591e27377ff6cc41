/// How many values there are of about which size, in little space: quantiles come out at most
/// 0.8 % off, and the sketch of two lots of values is made of their sketches.
/// `docs/store-format.md` draws its bytes.
///
/// Values up to 127 have a bucket each; above, each octave has 64.
package struct Sketch: Hashable, Sendable {
    private struct Bucket: Hashable, Sendable {
        let index: Int
        var count: UInt64
    }

    /// By ascending index, none of them empty.
    private var buckets: [Bucket] = []
    package private(set) var count: UInt64 = 0
    /// Of all values; both 0 if there are none.
    package private(set) var least: UInt64 = 0
    package private(set) var most: UInt64 = 0

    package init() {}

    /// A quantile is off by less than this part of it.
    package static let error = 1.0 / 128

    private static let buckets = 64 + 58 * 64
    private static let format: UInt8 = 1

    package mutating func add(_ value: UInt64) {
        include(value, value)
        count = Self.sum(count, 1)
        add(1, at: Self.index(of: value))
    }

    /// Takes in all values of another sketch.
    package mutating func merge(_ other: Self) {
        guard other.count > 0 else { return }
        include(other.least, other.most)
        count = Self.sum(count, other.count)
        for bucket in other.buckets { add(bucket.count, at: bucket.index) }
    }

    /// The value that so large a part of all does not exceed (nearest rank). The least and the
    /// greatest are exact.
    ///
    /// - Returns: nil if there are no values, or `part` is not within 0...1.
    package func quantile(_ part: Double) -> UInt64? {
        guard count > 0, (0...1).contains(part) else { return nil }
        let rank = UInt64(exactly: (Double(count) * part).rounded(.up)) ?? count
        guard rank > 1 else { return least }
        guard rank < count else { return most }
        var passed: UInt64 = 0
        for bucket in buckets {
            passed = Self.sum(passed, bucket.count)
            if passed >= rank { return min(max(Self.middle(of: bucket.index), least), most) }
        }
        return most
    }

    private mutating func include(_ least: UInt64, _ most: UInt64) {
        self.least = count == 0 ? least : min(self.least, least)
        self.most = count == 0 ? most : max(self.most, most)
    }

    private mutating func add(_ count: UInt64, at index: Int) {
        var low = 0
        var high = buckets.count
        while low < high {
            let middle = (low + high) / 2
            if buckets[middle].index < index { low = middle + 1 } else { high = middle }
        }
        if low < buckets.count, buckets[low].index == index {
            buckets[low].count = Self.sum(buckets[low].count, count)
        } else {
            buckets.insert(Bucket(index: index, count: count), at: low)
        }
    }

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    private static func index(of value: UInt64) -> Int {
        guard value >= 64 else { return Int(value) }
        let octave = 63 - value.leadingZeroBitCount
        return 64 * (octave - 5) + Int((value >> UInt64(octave - 6)) & 63)
    }

    private static func middle(of index: Int) -> UInt64 {
        guard index >= 64 else { return UInt64(index) }
        let shift = UInt64(index / 64 - 1)
        return (64 | UInt64(index % 64)) << shift | ((1 << shift) - 1) >> 1
    }
}

// MARK: - Bytes

extension Sketch {
    package var encoded: [UInt8] {
        var bytes = [Self.format]
        bytes.appendVarint(UInt64(buckets.count))
        if !buckets.isEmpty {
            bytes.appendVarint(least)
            bytes.appendVarint(most - least)
        }
        var next = 0
        for bucket in buckets {
            bytes.appendVarint(UInt64(bucket.index - next))
            bytes.appendVarint(bucket.count)
            next = bucket.index + 1
        }
        let sum = Checksum.crc32(bytes, count: bytes.count)
        return bytes + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }

    /// Checks everything and trusts nothing.
    package init(decoding bytes: [UInt8]) throws(ChunkError) {
        let end = bytes.count - 4
        guard end > 0 else { throw .truncated }
        let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << UInt32(8 * $1) }
        guard Checksum.crc32(bytes, count: end) == sum else { throw .checksum }
        var reader = ByteReader(bytes, to: end)
        let format = try reader.byte()
        guard format == Self.format else { throw .format(format) }
        let number = try reader.varint()
        guard number <= UInt64(Self.buckets) else { throw .shape }
        if number > 0 {
            least = try reader.varint()
            let (most, overflow) = least.addingReportingOverflow(try reader.varint())
            guard !overflow else { throw .illegal }
            self.most = most
        }
        var next = 0
        for _ in 0..<number {
            let gap = try reader.varint()
            let count = try reader.varint()
            let total = self.count.addingReportingOverflow(count)
            guard count > 0, !total.overflow, gap < UInt64(Self.buckets - next) else {
                throw .illegal
            }
            buckets.append(Bucket(index: next + Int(gap), count: count))
            self.count = total.partialValue
            next += Int(gap) + 1
        }
        guard reader.isAtEnd else { throw .trailing }
        guard let first = buckets.first, let last = buckets.last else { return }
        guard Self.index(of: least) == first.index, Self.index(of: most) == last.index else {
            throw .illegal
        }
    }
}
