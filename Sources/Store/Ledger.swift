import Encoding
import SQLite

/// Sums that are kept up as facts come in: `session_traffic`, what each session carried by hour of
/// the wall clock, and `handshake_hours`.
///
/// What a sample moved is added once, what a Child SA carried after its last sample is added once,
/// to the hour in which it ended, and so is each handshake. How far that has got is in `summed`, in
/// the same transaction: no crash adds anything twice or loses it. Nothing is ever summed up again,
/// so what it is of may go.
enum Ledger {
    /// How far it has got.
    struct Position {
        /// Rows of the journal up to this id are in.
        var journal: Int64 = 0
        /// Events `child_sa_closed` up to this id are in.
        var closing: Int64 = 0
        /// Events `session_established` up to this id are in.
        var establishing: Int64 = 0
        /// Chunks up to this id are in, of those up to `lastOldChunk`, which an older Weir made.
        /// All others are: their samples were before they became chunks.
        var chunk: Int64 = 0
        var lastOldChunk: Int64 = 0

        init(of connection: Connection) throws(SQLiteError) {
            let found = try connection.rows(
                "SELECT journal, closing, establishing, chunk, last_old_chunk FROM summed"
            ) { row in (0..<5).map { row.integer($0) ?? 0 } }.first
            guard let found, found.count == 5 else { return }
            (journal, closing, establishing) = (found[0], found[1], found[2])
            (chunk, lastOldChunk) = (found[3], found[4])
        }

        func store(_ connection: Connection) throws(SQLiteError) {
            try connection.prepare(Tables.summed.insertion(orReplace: true))
                .run(integers: [1, journal, closing, establishing, chunk, lastOldChunk])
        }
    }

    /// Ends of Child SAs, and old chunks, that one transaction of the gateway's adds at most.
    static let atOnce: Int64 = 2_000

    /// Adds what is not in yet, within a transaction of the caller's.
    ///
    /// - Parameter folded: what the journal has that is not in yet, from who has just read it.
    /// - Returns: whether more is left than is to be done at once.
    static func sum(
        _ connection: Connection, folded: TrafficSteps? = nil
    ) throws(SQLiteError) -> Bool {
        var reading = try Reading(connection)
        try reading.addOldChunks(atMost: atOnce) { _ in }
        if let folded {
            try reading.add(folded)
        } else {
            try reading.addJournal { _ in }
        }
        let hasMoreEnds = try reading.addEnds(atMost: atOnce)
        try reading.entries.store(connection)
        var position = reading.position
        let hasMoreHandshakes = try HandshakeHours.add(upTo: &position.establishing, connection)
        try position.store(connection)
        return hasMoreEnds || hasMoreHandshakes || position.chunk < position.lastOldChunk
    }

    /// The traffic that is not in yet, for questions.
    ///
    /// - Parameter noteDamage: is given chunks that can't be read, by their id, and rows of the
    ///   journal as negative numbers.
    static func unsummed(
        _ connection: Connection, _ noteDamage: (Int64) -> Void
    ) throws(SQLiteError) -> TrafficEntries {
        var reading = try Reading(connection)
        try reading.addOldChunks(atMost: .max, noteDamage)
        try reading.addJournal(noteDamage)
        _ = try reading.addEnds(atMost: .max)
        return reading.entries
    }

    /// After the journal's rows became chunks: the ids that follow may be lower ones.
    static func noteFold(_ connection: Connection) throws(SQLiteError) {
        try connection.execute(
            "UPDATE summed SET journal = (SELECT coalesce(max(id), 0) FROM journal)")
    }

    /// Has a store of an older format summed up from its beginning.
    static func adopt(_ connection: Connection) throws(SQLiteError) {
        var position = try Position(of: connection)
        position.lastOldChunk = try connection.integer("SELECT max(id) FROM chunks")
        try position.store(connection)
    }
}

/// One look at the traffic that is not in yet.
private struct Reading {
    private let connection: Connection
    private(set) var position: Ledger.Position
    private(set) var entries = TrafficEntries()

    init(_ connection: Connection) throws(SQLiteError) {
        self.connection = connection
        position = try Ledger.Position(of: connection)
    }

    mutating func addOldChunks(
        atMost limit: Int64, _ noteDamage: (Int64) -> Void
    ) throws(SQLiteError) {
        guard position.chunk < position.lastOldChunk else { return }
        let statement = try connection.prepare(
            """
            SELECT c.id, c.data, s.session FROM chunks c JOIN series s ON s.id = c.series
             WHERE c.id > ? AND c.id <= ? ORDER BY c.id LIMIT ?
            """)
        defer { statement.reset() }
        try statement.start([
            .integer(position.chunk), .integer(position.lastOldChunk), .integer(limit),
        ])
        var count: Int64 = 0
        while let row = try statement.next() {
            count += 1
            position.chunk = row.integer(0) ?? position.chunk
            if case .blob(let bytes) = row.value(1), let chunk = try? Chunk(decoding: bytes) {
                entries.add(chunk, session: row.integer(2) ?? 0)
            } else {
                noteDamage(position.chunk)
            }
        }
        if count < limit { position.chunk = position.lastOldChunk }
    }

    mutating func addJournal(_ noteDamage: (Int64) -> Void) throws(SQLiteError) {
        var totals = JournalTotals()
        var hour: Int64?
        let before = position.journal
        let statement = try connection.prepare(
            "SELECT id, run, at_ns, data FROM journal ORDER BY id")
        defer { statement.reset() }
        try statement.start()
        while let stored = try statement.next() {
            guard let row = stored.journalRow else {
                noteDamage(-(stored.integer(0) ?? 0))
                totals.noteDamage()
                continue
            }
            let isNew = row.id > before
            position.journal = max(position.journal, row.id)
            let next = TrafficEntries.hour(row.at)
            if isNew, let last = hour, last != next { try add(totals.take(), hour: last) }
            if isNew { hour = next }
            try totals.add(row, counts: isNew, on: connection)
        }
        if let hour { try add(totals.take(), hour: hour) }
    }

    mutating func add(_ steps: TrafficSteps) throws(SQLiteError) {
        for (hour, totals) in steps.byHour { try add(totals, hour: hour) }
    }

    private mutating func add(
        _ totals: [(series: Int64, total: Counters)], hour: Int64
    ) throws(SQLiteError) {
        guard let first = totals.first?.series, let last = totals.last?.series else { return }
        // Where most are wanted it is quicker to pass them all than to look each up.
        guard (last &- first) / 4 <= Int64(totals.count) else {
            let owner = try connection.prepare("SELECT session FROM series WHERE id = ?")
            for (series, total) in totals {
                let session = try owner.rows([.integer(series)]) { $0.integer(0) ?? 0 }.first
                if let session { entries.add(total, hour: hour, session: session) }
            }
            return
        }
        var place = 0
        try connection.prepare(
            "SELECT id, session FROM series WHERE id BETWEEN ? AND ? ORDER BY id"
        )
        .forEachRow([.integer(first), .integer(last)]) { row in
            guard let id = row.integer(0), let session = row.integer(1) else { return }
            while place < totals.count, totals[place].series < id { place += 1 }
            guard place < totals.count, totals[place].series == id else { return }
            entries.add(totals[place].total, hour: hour, session: session)
        }
    }

    /// - Returns: whether there are more.
    mutating func addEnds(atMost limit: Int64) throws(SQLiteError) -> Bool {
        let ends = try Series.ends(after: position.closing, atMost: limit, of: connection)
        for end in ends {
            let hour = TrafficEntries.hour(end.at)
            if let session = end.session {
                entries.add(end.rest, hour: hour, session: session)
            } else {
                entries.add(end.rest, hour: hour, unsampled: end.series.session)
            }
        }
        guard Int64(ends.count) < limit else {
            position.closing = ends.last?.id ?? position.closing
            return true
        }
        position.closing = max(
            position.closing, try connection.integer("SELECT max(id) FROM child_sa_closed"))
        return false
    }
}
