import Encoding
import SQLite
import Vocabulary

/// The four counters of a Child SA in the order of chunks and journal: packets first, because
/// bytes are best told by them.
struct Counters: Hashable {
    var packetsIn: UInt64 = 0
    var bytesIn: UInt64 = 0
    var packetsOut: UInt64 = 0
    var bytesOut: UInt64 = 0

    static let count = 4
    var values: [UInt64] { [packetsIn, bytesIn, packetsOut, bytesOut] }

    func append(to list: inout [UInt64]) {
        list.append(packetsIn)
        list.append(bytesIn)
        list.append(packetsOut)
        list.append(bytesOut)
    }

    /// A row of `series_last`.
    func row(of series: Int64) -> [Value] {
        [series, bytesIn.clamped, packetsIn.clamped, bytesOut.clamped, packetsOut.clamped]
            .map { .integer($0) }
    }

    /// What was added since `earlier`; wraps as the counters do.
    func step(from earlier: Self) -> Self {
        Self(
            packetsIn: packetsIn &- earlier.packetsIn, bytesIn: bytesIn &- earlier.bytesIn,
            packetsOut: packetsOut &- earlier.packetsOut, bytesOut: bytesOut &- earlier.bytesOut)
    }
}

extension Counters {
    init(_ traffic: Traffic) {
        self.init(
            packetsIn: traffic.packetsIn, bytesIn: traffic.bytesIn,
            packetsOut: traffic.packetsOut, bytesOut: traffic.bytesOut)
    }

    /// - Parameter values: as many as ``count`` from `index` on; what is missing is 0.
    init(_ values: [UInt64], from index: Int) {
        func value(_ place: Int) -> UInt64 {
            index + place < values.count ? values[index + place] : 0
        }
        self.init(packetsIn: value(0), bytesIn: value(1), packetsOut: value(2), bytesOut: value(3))
    }

    /// Reads four varints. Nil if there are fewer.
    init?(_ reader: inout ByteReader) {
        guard let packetsIn = try? reader.varint(), let bytesIn = try? reader.varint(),
            let packetsOut = try? reader.varint(), let bytesOut = try? reader.varint()
        else { return nil }
        self.init(
            packetsIn: packetsIn, bytesIn: bytesIn, packetsOut: packetsOut, bytesOut: bytesOut)
    }
}

extension UInt64 {
    /// As SQLite stores it.
    var clamped: Int64 { Int64(clamping: self) }
}
