import Encoding
import SQLite

/// A row of `journal` as it is written: one tick of all Child SAs, or where they were when earlier
/// rows were folded. `docs/store-format.md` has the bytes.
struct JournalRow {
    enum Kind: UInt8 { case tick = 1, state = 2 }

    private var bytes: [UInt8]
    private var before: Int64 = 0

    init(_ kind: Kind) { bytes = [kind.rawValue] }

    /// In ascending order of series.
    ///
    /// - Parameter counters: nil: as in the row before.
    mutating func add(_ series: Int64, _ counters: Counters?) {
        let distance = UInt64(bitPattern: series &- before) & (UInt64.max >> 1)
        before = series
        bytes.appendVarint(distance << 1 | (counters == nil ? 0 : 1))
        guard let counters else { return }
        bytes.appendVarint(counters.packetsIn)
        bytes.appendVarint(counters.bytesIn)
        bytes.appendVarint(counters.packetsOut)
        bytes.appendVarint(counters.bytesOut)
    }

    var encoded: [UInt8] {
        let sum = Checksum.crc32(bytes, count: bytes.count)
        return bytes + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }
}

/// Walks through the bytes of a row. They have been checked: ``init(checking:)``.
struct JournalRowReader {
    struct Entry {
        let series: Int64
        /// Where its four varints are; empty: as in the row before.
        let values: Range<Int>
        var isMoved: Bool { !values.isEmpty }
    }

    let kind: JournalRow.Kind
    private let bytes: [UInt8]
    private var reader: ByteReader
    private var series: Int64 = 0

    /// - Throws: ``ChunkError`` if these are not the bytes of a row.
    init(checking bytes: [UInt8]) throws(ChunkError) {
        let end = bytes.count - 4
        guard end > 0 else { throw .truncated }
        let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << UInt32(8 * $1) }
        guard Checksum.crc32(bytes, count: end) == sum else { throw .checksum }
        var reader = ByteReader(bytes, to: end)
        let first = try reader.byte()
        guard let kind = JournalRow.Kind(rawValue: first) else { throw .format(first) }
        self.kind = kind
        self.bytes = bytes
        self.reader = reader
        while !reader.isAtEnd {
            guard try reader.varint() & 1 == 1 else { continue }
            for _ in 0..<Counters.count { _ = try reader.varint() }
        }
    }

    mutating func next() -> Entry? {
        guard !reader.isAtEnd, let word = try? reader.varint() else { return nil }
        series = series &+ Int64(truncatingIfNeeded: word >> 1)
        let start = reader.next
        if word & 1 == 1 { reader.skipVarints(Counters.count) }
        return Entry(series: series, values: start..<reader.next)
    }

    func bytes(of entry: Entry) -> ArraySlice<UInt8> { bytes[entry.values] }

    /// - Returns: nil if they are as in the row before.
    func counters(of entry: Entry) -> Counters? {
        guard entry.isMoved else { return nil }
        var reader = ByteReader(bytes, from: entry.values.lowerBound, to: entry.values.upperBound)
        return Counters(&reader)
    }
}

/// A row of the journal that was read.
struct StoredRow {
    let id: Int64
    let run: Int64
    let at: Int64
    let reader: JournalRowReader
    var kind: JournalRow.Kind { reader.kind }
}

extension Row {
    /// Of the columns id, run, at_ns, data. Nil if it can't be read.
    var journalRow: StoredRow? {
        guard case .blob(let bytes) = value(3), let reader = try? JournalRowReader(checking: bytes)
        else { return nil }
        return StoredRow(
            id: integer(0) ?? 0, run: integer(1) ?? 0, at: integer(2) ?? 0, reader: reader)
    }
}
