import Encoding
import Vocabulary

/// A row of `journal`: one tick of all Child SAs, or where they were when earlier rows were
/// folded. `docs/store-format.md` has the bytes.
struct JournalRow {
    enum Kind: UInt8 { case tick = 1, state = 2 }

    struct Entry {
        let series: Int64
        /// Nil: as in the row before.
        let counters: Counters?
    }

    let kind: Kind
    /// In ascending order of series.
    private(set) var entries: [Entry] = []

    init(_ kind: Kind) { self.kind = kind }

    mutating func add(_ entry: Entry) { entries.append(entry) }

    var encoded: [UInt8] {
        var bytes = [kind.rawValue]
        var before: Int64 = 0
        for entry in entries {
            let distance = UInt64(bitPattern: entry.series &- before) & (UInt64.max >> 1)
            before = entry.series
            bytes.appendVarint(distance << 1 | (entry.counters == nil ? 0 : 1))
            if let counters = entry.counters {
                for value in counters.values { bytes.appendVarint(value) }
            }
        }
        let sum = Checksum.crc32(bytes, count: bytes.count)
        for shift in [0, 8, 16, 24] as [UInt32] {
            bytes.append(UInt8(truncatingIfNeeded: sum >> shift))
        }
        return bytes
    }

    init(decoding bytes: [UInt8]) throws(ChunkError) {
        let end = bytes.count - 4
        guard end > 0 else { throw .truncated }
        let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << UInt32(8 * $1) }
        guard Checksum.crc32(bytes, count: end) == sum else { throw .checksum }
        var reader = ByteReader(bytes, to: end)
        guard let kind = Kind(rawValue: try reader.byte()) else { throw .format(bytes[0]) }
        self.kind = kind
        var series: Int64 = 0
        while !reader.isAtEnd {
            let word = try reader.varint()
            series = series &+ Int64(truncatingIfNeeded: word >> 1)
            var counters: Counters?
            if word & 1 == 1 {
                counters = Counters(
                    packetsIn: try reader.varint(), bytesIn: try reader.varint(),
                    packetsOut: try reader.varint(), bytesOut: try reader.varint())
            }
            entries.append(Entry(series: series, counters: counters))
        }
    }
}

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

    static func - (left: Self, right: Self) -> Self {
        Self(
            packetsIn: left.packetsIn &- right.packetsIn, bytesIn: left.bytesIn &- right.bytesIn,
            packetsOut: left.packetsOut &- right.packetsOut,
            bytesOut: left.bytesOut &- right.bytesOut)
    }

    static func + (left: Self, right: Self) -> Self {
        Self(
            packetsIn: left.packetsIn &+ right.packetsIn, bytesIn: left.bytesIn &+ right.bytesIn,
            packetsOut: left.packetsOut &+ right.packetsOut,
            bytesOut: left.bytesOut &+ right.bytesOut)
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
}
