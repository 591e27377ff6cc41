import Encoding
import SQLite
import Vocabulary

/// Turns the journal into chunks: one for each group, or several if there are many samples.
enum Fold {
    /// Rows of the journal that are folded together: two hours of them at the usual interval, so
    /// that most Child SAs are in one chunk or two.
    static let rows = 480
    /// Samples that are in memory at once.
    private static let slice = 400_000

    /// Within a transaction of the caller's. Afterwards the journal is one row, a state, or empty
    /// if no Child SA is left, but for rows that can't be read: those stay for `check` to tell.
    static func fold(_ connection: Connection) throws(SQLiteError) {
        var entries = 0
        var journal = JournalReader()
        var latestTick = JournalRow(.tick)
        var last: (run: Int64, at: Int64)?
        let newest = try connection.integer("SELECT coalesce(max(id), 0) FROM journal")
        try forEach(connection) { run, at, row in
            journal.take(row)
            guard let row else { return }
            last = (run, at)
            guard row.kind == .tick else { return }
            entries += row.entries.count
            latestTick = row
        }
        let present = Set(latestTick.entries.map(\.series))
        let groups = journal.seen.sorted()
        let size = max(1, groups.count * slice / max(slice, entries))
        for first in stride(from: 0, to: groups.count, by: size) {
            let part = Array(groups[first..<min(first + size, groups.count)])
            try fold(part, present, connection)
        }
        let damaged = try damagedRows(connection)
        try connection.execute(
            "DELETE FROM journal WHERE id NOT IN (\(damaged.map(String.init).joined(separator: ",")))"
        )
        guard let last else { return }
        try writeState(journal.latest, present, id: newest + 1, at: last, connection)
    }

    private struct Group {
        var chunk = Chunk(columns: Counters.count, times: [], values: [])
        /// Nil while unknown.
        var counters: Counters?
    }

    /// - Parameter wanted: in ascending order, as are the entries of each row.
    private static func fold(
        _ wanted: [Int64], _ present: Set<Int64>, _ connection: Connection
    ) throws(SQLiteError) {
        var groups = [Group](repeating: Group(), count: wanted.count)
        var full: [(Int64, Chunk)] = []
        try forEach(connection) { _, at, row in
            guard let row else {
                for index in groups.indices { groups[index].counters = nil }
                return
            }
            var index = 0
            for entry in row.entries {
                while index < wanted.count, wanted[index] < entry.series { index += 1 }
                guard index < wanted.count else { break }
                guard wanted[index] == entry.series else { continue }
                if let counters = entry.counters { groups[index].counters = counters }
                guard let counters = groups[index].counters else { continue }
                if row.kind == .state {
                    groups[index].chunk.base = counters.values
                    continue
                }
                groups[index].chunk.times.append(at)
                counters.append(to: &groups[index].chunk.values)
                if groups[index].chunk.times.count == rows {
                    full.append((entry.series, groups[index].chunk))
                    groups[index].chunk = Chunk(
                        base: counters.values, columns: Counters.count, times: [], values: [])
                }
            }
        }
        for (series, chunk) in full { try insert(chunk, of: series, connection) }
        for (series, group) in zip(wanted, groups) where !group.chunk.times.isEmpty {
            var chunk = group.chunk
            chunk.ends = !present.contains(series)
            try insert(chunk, of: series, connection)
        }
    }

    static func insert(
        _ chunk: Chunk, of series: Int64, _ connection: Connection
    ) throws(SQLiteError) {
        guard let first = chunk.times.min(), let last = chunk.times.max(),
            let bytes = try? chunk.encoded()
        else { return }
        try connection.execute(
            Tables.chunks.insertion(),
            [
                .null, .integer(series), .integer(seconds(first)),
                .integer(seconds(last) + 1), .blob(bytes),
            ])
    }

    /// Rounded down.
    static func seconds(_ nanoseconds: Int64) -> Int64 {
        nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
    }

    /// Where all Child SAs are that have not ended, so that what is known of them outlives the
    /// rows that told it.
    static func writeState(
        _ latest: [Int64: Counters], _ present: Set<Int64>, id: Int64,
        at last: (run: Int64, at: Int64), _ connection: Connection
    ) throws(SQLiteError) {
        var row = JournalRow(.state)
        for (series, counters) in latest.sorted(by: { $0.key < $1.key }) {
            if !present.contains(series), try hasEnded(series, connection) { continue }
            row.add(JournalRow.Entry(series: series, counters: counters))
        }
        guard !row.entries.isEmpty else { return }
        try connection.execute(
            Tables.journal.insertion(),
            [.integer(id), .integer(last.run), .integer(last.at), .blob(row.encoded)])
    }

    private static func hasEnded(
        _ series: Int64, _ connection: Connection
    ) throws(SQLiteError) -> Bool {
        guard let group = try Series(series, of: connection) else { return true }
        return try connection.integer(
            "SELECT EXISTS (SELECT 1 FROM child_sa_closed WHERE session = ? AND child = ?)",
            [.text(group.session), .integer(group.child)]) != 0
    }

    static func damagedRows(_ connection: Connection) throws(SQLiteError) -> [Int64] {
        try connection.rows("SELECT id, data FROM journal ORDER BY id") { row -> Int64? in
            guard case .blob(let bytes) = row.value(1), (try? JournalRow(decoding: bytes)) != nil
            else { return row.integer(0) }
            return nil
        }.compactMap { $0 }
    }

    /// All rows of the journal in order; nil for one that can't be read.
    static func forEach(
        _ connection: Connection, _ body: (Int64, Int64, JournalRow?) -> Void
    ) throws(SQLiteError) {
        try connection.prepare("SELECT run, at_ns, data FROM journal ORDER BY id")
            .forEachRow { row in
                guard case .blob(let bytes) = row.value(2) else { return body(0, 0, nil) }
                body(
                    row.integer(0) ?? 0, row.integer(1) ?? 0, try? JournalRow(decoding: bytes))
            }
    }
}

/// Follows the journal from its beginning.
struct JournalReader {
    private(set) var latest: [Int64: Counters] = [:]
    private(set) var seen: Set<Int64> = []

    mutating func take(_ entry: JournalRow.Entry) {
        if let counters = entry.counters { latest[entry.series] = counters }
    }

    /// - Parameter row: nil if it can't be read. What did not move is unknown then.
    mutating func take(_ row: JournalRow?) {
        guard let row else {
            latest.removeAll()
            return
        }
        for entry in row.entries {
            seen.insert(entry.series)
            take(entry)
        }
    }
}

/// What a group of counters belongs to.
struct Series: Hashable {
    let run: Int64
    let child: Int64
    let session: String

    /// - Returns: nil if there is no such group.
    init?(_ id: Int64, of connection: Connection) throws(SQLiteError) {
        let found = try connection.rows(
            "SELECT run, child, session FROM series WHERE id = ?", [.integer(id)]
        ) { Series(run: $0.integer(0), child: $0.integer(1), session: $0.value(2)) }.first
        guard let found else { return nil }
        self = found
    }

    init(run: Int64?, child: Int64?, session: Value) {
        self.run = run ?? 0
        self.child = child ?? 0
        self.session = SessionID(bytes: session)?.description ?? ""
    }
}

extension SessionID {
    init?(bytes value: Value) {
        guard case .blob(let bytes) = value, bytes.count == 16 else { return nil }
        func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(bytes[0..<8]), low: word(bytes[8..<16]))
    }

    var bytes: Value {
        .blob(
            [high, low].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
            })
    }
}
