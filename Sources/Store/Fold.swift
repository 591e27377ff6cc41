import Encoding
import SQLite
import Vocabulary

/// Turns the journal into chunks: one for each group, or several if there are many samples.
///
/// Reads the journal twice: to see how many bytes each group has in it, and to sort them by group
/// into one array of that size. Memory is that of the journal, whatever the number of groups.
struct Fold {
    /// Rows of the journal that are folded together: two hours of them at the usual interval, so
    /// that most Child SAs are in one chunk or two.
    static let rows = 480
    /// Bytes of the journal that are folded together, if that is less: a fold takes about twice so
    /// much memory.
    static let bytes = 8_000_000

    private var groups: [Group] = []
    /// Of the ticks, in their order.
    private var times: [Int64] = []
    /// What the journal says of the first group, of the second, and so on.
    private var arena: [UInt8] = []
    private var damaged: [Int64] = []
    private var newest: (id: Int64, run: Int64, at: Int64)?
    private var range = FoldRange()
    /// Rows of the journal up to this id are summed up.
    private let summed: Int64
    /// Of the ticks, those.
    private var summedTicks = 0
    /// What moved in the others.
    private var carried = TrafficSteps()

    private init(summed: Int64) { self.summed = summed }

    private struct Group {
        let series: Int64
        /// Before the first tick; nil if the group begins with it.
        var base: Counters?
        /// Its part of the arena: how long it is, and what of that is written.
        var start = 0
        var length = 0
        var written = 0
        /// The tick of its latest sample, counted from 1.
        var tick = 0
        /// False where a damaged row hides what the counters are.
        var isKnown = false
        /// The latest tick that it was in, with or without a sample, counted from 1.
        var seen = 0

        mutating func rewind() {
            tick = 0
            isKnown = false
        }
    }

    /// Whether a group was in the newest tick.
    private func isPresent(_ group: Group) -> Bool { !times.isEmpty && group.seen == times.count }

    /// Within a transaction of the caller's. Afterwards the journal is one row, a state, or empty
    /// if no Child SA is left, but for rows that can't be read: those stay for `check` to tell.
    static func fold(_ connection: Connection) throws(SQLiteError) {
        var fold = Fold(summed: try Ledger.Position(of: connection).journal)
        try fold.read(connection)
        guard let newest = fold.newest else {
            _ = try Ledger.sum(connection)
            return
        }
        let latest = try fold.insertChunks(connection)
        _ = try Ledger.sum(connection, folded: fold.carried)
        try fold.range.insert(connection)
        let damaged = fold.damaged.map(String.init).joined(separator: ",")
        try connection.execute("DELETE FROM journal WHERE id NOT IN (\(damaged))")
        let present = Set(fold.groups.filter(fold.isPresent).map(\.series))
        let open = try writeState(
            latest, present, id: newest.id + 1, at: (newest.run, newest.at), connection)
        try forgetLast(but: open, connection)
        try Ledger.noteFold(connection)
    }

    private mutating func read(_ connection: Connection) throws(SQLiteError) {
        try Self.forEachRow(connection) { row in
            guard let row = row.journalRow else {
                damaged.append(row.integer(0) ?? 0)
                for index in groups.indices { groups[index].isKnown = false }
                return
            }
            newest = (row.id, row.run, row.at)
            take(row) { group, count in group.length += count }
        }
        var end = 0
        for index in groups.indices {
            groups[index].start = end
            end += groups[index].length
            groups[index].rewind()
        }
        arena = [UInt8](repeating: 0, count: end)
        times.removeAll()
        try Self.forEachRow(connection) { row in
            guard let row = row.journalRow else {
                for index in groups.indices { groups[index].isKnown = false }
                return
            }
            take(row, write: true) { _, _ in }
        }
    }

    /// Passes a row's samples to their groups, which are both in ascending order of series.
    private mutating func take(
        _ row: StoredRow, write: Bool = false, _ count: (inout Group, Int) -> Void
    ) {
        if row.kind == .tick {
            times.append(row.at)
            if row.id <= summed { summedTicks = times.count }
        }
        var reader = row.reader
        var index = 0
        while let entry = reader.next() {
            while index < groups.count, groups[index].series < entry.series { index += 1 }
            if index == groups.count || groups[index].series != entry.series {
                groups.insert(Group(series: entry.series), at: index)
            }
            if row.kind == .state {
                groups[index].base = reader.counters(of: entry)
                groups[index].isKnown = true
                continue
            }
            groups[index].seen = times.count
            if entry.isMoved { groups[index].isKnown = true }
            guard groups[index].isKnown else { continue }
            let head = UInt64(times.count - groups[index].tick) << 1 | (entry.isMoved ? 1 : 0)
            groups[index].tick = times.count
            if write {
                append(head, reader.bytes(of: entry), to: index)
            } else {
                count(&groups[index], varintLength(head) + entry.values.count)
            }
        }
    }

    private mutating func append(_ head: UInt64, _ values: ArraySlice<UInt8>, to index: Int) {
        var place = groups[index].start + groups[index].written
        var rest = head
        func put(_ byte: UInt8, _ arena: inout [UInt8]) {
            if place < arena.count { arena[place] = byte }
            place += 1
        }
        while rest >= 0x80 {
            put(UInt8(truncatingIfNeeded: rest) | 0x80, &arena)
            rest >>= 7
        }
        put(UInt8(truncatingIfNeeded: rest), &arena)
        for byte in values { put(byte, &arena) }
        groups[index].written = place - groups[index].start
    }

    /// - Returns: the latest counters of each group.
    private mutating func insertChunks(
        _ connection: Connection
    ) throws(SQLiteError) -> [(series: Int64, counters: Counters)] {
        var latest: [(series: Int64, counters: Counters)] = []
        for var group in groups {
            if group.base == nil, !damaged.isEmpty {
                group.base = try Series.lastInChunks(group.series, of: connection)
            }
            var chunk = Chunk(
                base: group.base?.values, columns: Counters.count, times: [], values: [])
            chunk.times.reserveCapacity(min(times.count, Self.rows))
            chunk.values.reserveCapacity(min(times.count, Self.rows) * Counters.count)
            var counters = group.base
            var reader = ByteReader(arena, from: group.start, to: group.start + group.written)
            var tick = 0
            while let head = try? reader.varint() {
                tick += Int(clamping: head >> 1)
                let before = counters ?? Counters()
                if head & 1 == 1 { counters = Counters(&reader) }
                guard times.indices.contains(tick - 1), let counters else { break }
                if head & 1 == 1, tick > summedTicks {
                    carried.add(counters.step(from: before), of: group.series, at: times[tick - 1])
                }
                if chunk.times.count == Self.rows {
                    try range.add(chunk, of: group.series, connection)
                    chunk = Chunk(
                        base: Array(chunk.values.suffix(Counters.count)), columns: Counters.count,
                        times: [], values: [])
                }
                chunk.times.append(times[tick - 1])
                counters.append(to: &chunk.values)
            }
            if !chunk.times.isEmpty {
                chunk.ends = !isPresent(group)
                try range.add(chunk, of: group.series, connection)
            }
            if let counters { latest.append((group.series, counters)) }
        }
        carried.close()
        return latest
    }

    /// Where the Child SAs of the newest tick are, so that what is known of them outlives the rows
    /// that told it.
    ///
    /// - Parameters:
    ///   - latest: by ascending series.
    ///   - present: of these, those of the newest tick.
    /// - Returns: groups that have not ended.
    static func writeState(
        _ latest: [(series: Int64, counters: Counters)], _ present: Set<Int64>, id: Int64,
        at last: (run: Int64, at: Int64), _ connection: Connection
    ) throws(SQLiteError) -> Set<Int64> {
        var row = JournalRow(.state)
        var open: Set<Int64> = []
        for (series, counters) in latest {
            if present.contains(series) {
                row.add(series, counters)
            } else if try hasEnded(series, connection) {
                continue
            }
            open.insert(series)
        }
        guard !open.isEmpty else { return [] }
        try connection.execute(
            Tables.journal.insertion(),
            [.integer(id), .integer(last.run), .integer(last.at), .blob(row.encoded)])
        return open
    }

    private static func hasEnded(
        _ series: Int64, _ connection: Connection
    ) throws(SQLiteError) -> Bool {
        try connection.integer(
            """
            SELECT NOT EXISTS (SELECT 1 FROM series WHERE id = ?1) OR EXISTS (
                SELECT 1 FROM series s JOIN sampled_sessions n ON n.id = s.session
                  JOIN child_sa_closed c ON c.session = n.session AND c.child = s.child
                 WHERE s.id = ?1)
            """, [.integer(series)]) != 0
    }

    private static func forgetLast(
        but open: Set<Int64>, _ connection: Connection
    ) throws(SQLiteError) {
        let stored = try connection.rows("SELECT series FROM series_last") { $0.integer(0) ?? 0 }
        for series in stored where !open.contains(series) {
            guard try hasEnded(series, connection) else { continue }
            try connection.execute("DELETE FROM series_last WHERE series = ?", [.integer(series)])
        }
    }

    /// All rows of the journal in order. Columns: id, run, at_ns, data.
    static func forEachRow(
        _ connection: Connection, _ body: (Row) -> Void
    ) throws(SQLiteError) {
        try connection.prepare("SELECT id, run, at_ns, data FROM journal ORDER BY id")
            .forEachRow { body($0) }
    }

    /// Rows of the journal that can't be read.
    static func damagedRows(_ connection: Connection) throws(SQLiteError) -> [Int64] {
        var damaged: [Int64] = []
        try forEachRow(connection) { row in
            if row.journalRow == nil { damaged.append(row.integer(0) ?? 0) }
        }
        return damaged
    }
}

/// The chunks that were made together, which questions find by their time.
struct FoldRange {
    private var chunks: ClosedRange<Int64>?
    /// In seconds since 1970.
    private var span: ClosedRange<Int64>?

    /// Keeps a chunk, which holds a sample at least.
    mutating func add(
        _ chunk: Chunk, of series: Int64, _ connection: Connection
    ) throws(SQLiteError) {
        guard let first = chunk.times.min(), let last = chunk.times.max(),
            let bytes = try? chunk.encoded()
        else { return }
        let id = try connection.insert(
            Self.insertion, [.null, .integer(series), .blob(bytes)])
        let (from, to) = (Self.seconds(first), Self.seconds(last) + 1)
        chunks = min(chunks?.lowerBound ?? id, id)...max(chunks?.upperBound ?? id, id)
        span = min(span?.lowerBound ?? from, from)...max(span?.upperBound ?? to, to)
    }

    private static let insertion = Tables.chunks.insertion()

    func insert(_ connection: Connection) throws(SQLiteError) {
        guard let chunks, let span else { return }
        try connection.execute(
            Tables.folds.insertion(),
            [
                .integer(chunks.lowerBound), .integer(chunks.upperBound),
                .integer(span.lowerBound), .integer(span.upperBound),
            ])
    }

    /// Rounded down.
    static func seconds(_ nanoseconds: Int64) -> Int64 {
        nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
    }
}
