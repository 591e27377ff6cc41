import Encoding
import SQLite

/// Adds up anew what sessions carried by hour, from the samples and ends that are still there, and
/// compares `session_traffic` with it.
///
/// Where samples were deleted for their age nothing can be compared. That they were shows where a
/// chunk does not go on from the one before, or where nothing tells that a Child SA has ended.
struct TrafficCheck {
    private struct Group {
        let session: Int64
        /// As far as it was read.
        var latest = Counters()
        /// Of the latest sample in a chunk.
        var hour = Int64.min
        var lastChunk: Int64?
        /// Nothing comes after its last chunk.
        var isOver = false
        var isInJournal = false
        var isClosed = false
    }

    private struct Child: Hashable {
        let session: Int64
        let number: Int64
    }

    private let connection: Connection
    private let position: Ledger.Position
    /// Sessions whose number has this rest are looked at; one part after the other, for memory.
    private let part: (of: Int64, rest: Int64)

    private var groups: [Int64: Group] = [:]
    private var places: [Child: Int64] = [:]
    private var entries = TrafficEntries()
    /// Hours of a session of which something is missing.
    private var doubts: [Int64: [ClosedRange<Int64>]] = [:]
    /// The journal is damaged: from this hour on, of all sessions.
    private var doubtfulFrom = Int64.max
    /// Of which anything is known.
    private var sessions: Set<Int64> = []

    /// Sums in memory at once.
    private static let atOnce: Int64 = 500_000

    /// - Parameter note: is told how much could not be compared.
    /// - Returns: what is wrong, a line each, 100 at most.
    static func problems(
        on connection: Connection, _ note: (String) -> Void
    ) throws(SQLiteError) -> [String] {
        let position = try Ledger.Position(of: connection)
        let rows = try connection.integer("SELECT count(*) FROM session_traffic")
        guard position.chunk >= position.lastOldChunk else {
            note(
                "\(rows) sums of traffic by hour: not compared, older samples are still to be added"
            )
            return []
        }
        var problems: [String] = []
        var left: Int64 = 0
        let parts = rows / atOnce + 1
        for rest in 0..<parts {
            var check = TrafficCheck(connection, position, part: (parts, rest))
            try check.readChunks()
            try check.readJournal()
            try check.readEnds()
            left += try check.compare(&problems)
        }
        if left > 0 {
            note("\(left) sums of traffic by hour: not compared, their samples were deleted")
        }
        return problems
    }

    private init(
        _ connection: Connection, _ position: Ledger.Position, part: (of: Int64, rest: Int64)
    ) {
        self.connection = connection
        self.position = position
        self.part = part
    }

    private func isMine(_ session: Int64) -> Bool { session % part.of == part.rest }

    private mutating func doubt(_ session: Int64, _ from: Int64, _ to: Int64 = .max) {
        doubts[session, default: []].append(min(from, to)...max(from, to))
    }

    // MARK: - What there is

    private mutating func readChunks() throws(SQLiteError) {
        let values: [Value] = [.integer(part.of), .integer(part.rest)]
        try connection.prepare("SELECT id, session, child FROM series WHERE session % ? = ?")
            .forEachRow(values) { row in
                guard let id = row.integer(0), let session = row.integer(1) else { return }
                groups[id] = Group(session: session)
                let child = Child(session: session, number: row.integer(2) ?? 0)
                // The same from two gateways: which of them ended is not told.
                if places.updateValue(id, forKey: child) != nil { doubt(session, .min) }
                sessions.insert(session)
            }
        try connection.prepare(
            """
            SELECT c.id, c.series, c.data FROM chunks c JOIN series s ON s.id = c.series
             WHERE s.session % ? = ? ORDER BY c.id
            """
        ).forEachRow(values) { row in
            guard let id = row.integer(0), let series = row.integer(1),
                var group = groups.removeValue(forKey: series)
            else { return }
            if case .blob(let bytes) = row.value(2), let chunk = try? Chunk(decoding: bytes) {
                take(chunk, &group)
            } else {
                doubt(group.session, group.hour)
            }
            group.lastChunk = id
            groups[series] = group
        }
    }

    private mutating func take(_ chunk: Chunk, _ group: inout Group) {
        guard let first = chunk.times.first, let last = chunk.times.last else { return }
        if Counters(chunk.base ?? [], from: 0) != group.latest {
            doubt(group.session, group.hour, TrafficEntries.hour(first))
        }
        entries.add(chunk, session: group.session)
        group.latest = Counters(chunk.values, from: chunk.values.count - Counters.count)
        group.hour = TrafficEntries.hour(last)
        group.isOver = chunk.ends
    }

    private mutating func readJournal() throws(SQLiteError) {
        var totals = JournalTotals()
        var hour: Int64?
        let statement = try connection.prepare(
            "SELECT id, run, at_ns, data FROM journal ORDER BY id")
        defer { statement.reset() }
        try statement.start()
        while let stored = try statement.next() {
            guard let row = stored.journalRow else {
                doubtfulFrom = min(doubtfulFrom, hour ?? .min)
                totals.noteDamage()
                continue
            }
            let next = TrafficEntries.hour(row.at)
            if let hour, hour != next { add(totals.take(), hour) }
            hour = next
            meet(row, next)
            try totals.add(row, counts: row.id <= position.journal, on: connection)
        }
        if let hour { add(totals.take(), hour) }
    }

    /// Notes which groups the journal has, and where it does not go on from their chunks.
    private mutating func meet(_ row: StoredRow, _ hour: Int64) {
        var reader = row.reader
        while let entry = reader.next() {
            guard var group = groups.removeValue(forKey: entry.series) else { continue }
            if row.kind == .state, reader.counters(of: entry) != group.latest {
                doubt(group.session, group.hour, hour)
            }
            group.isInJournal = true
            group.latest = reader.counters(of: entry) ?? group.latest
            group.hour = hour
            groups[entry.series] = group
        }
    }

    private mutating func add(_ totals: [(series: Int64, total: Counters)], _ hour: Int64) {
        for (series, total) in totals {
            guard let session = groups[series]?.session else { continue }
            entries.add(total, hour: hour, session: session)
        }
    }

    private mutating func readEnds() throws(SQLiteError) {
        // Later chunks than those from here on have been deleted, or none.
        let contiguous = try connection.integer(
            """
            SELECT max(id) FROM chunks c
             WHERE NOT EXISTS (SELECT 1 FROM chunks b WHERE b.id = c.id - 1)
            """)
        let hasHolds = try connection.integer("SELECT EXISTS (SELECT 1 FROM holds)") != 0
        func isWhole(_ group: Group) -> Bool {
            group.isInJournal || group.isOver
                || !hasHolds && (group.lastChunk ?? -1) >= contiguous
        }
        var last: Int64 = 0
        while true {
            let ends = try Series.ends(after: last, atMost: 10_000, of: connection)
            for end in ends where end.id <= position.closing {
                guard let session = end.session, isMine(session) else { continue }
                sessions.insert(session)
                guard let id = places[Child(session: session, number: end.series.child)],
                    let group = groups[id]
                else {
                    try take(end, unsampledOf: session)
                    continue
                }
                groups[id]?.isClosed = true
                entries.add(end.rest, hour: TrafficEntries.hour(end.at), session: session)
                if !isWhole(group) { doubt(session, group.hour) }
            }
            guard let next = ends.last?.id, next < position.closing else { break }
            last = next
        }
        // An end that is not there may have been counted, if it was deleted.
        let isEveryEndThere = try Writer.isEveryEventThere(on: connection)
        for group in groups.values where !group.isClosed && !group.isInJournal {
            if !isEveryEndThere || !isWhole(group) { doubt(group.session, group.hour) }
        }
    }

    /// It was too short for a sample, or its samples were deleted. Within one hour that is the same.
    private mutating func take(
        _ end: Series.End, unsampledOf session: Int64
    ) throws(SQLiteError) {
        let hour = TrafficEntries.hour(end.at)
        let installed = try connection.rows(
            "SELECT at_ns FROM child_sa_installed WHERE session = ? AND child = ?",
            [.text(end.series.session), .integer(end.series.child)]
        ) { TrafficEntries.hour($0.integer(0) ?? 0) }.first
        if installed == hour {
            entries.add(end.rest, hour: hour, session: session)
        } else {
            doubt(session, installed ?? .min, hour)
        }
    }

    // MARK: - Comparing

    /// - Returns: how many sums could not be compared.
    private func compare(_ problems: inout [String]) throws(SQLiteError) -> Int64 {
        var expected = entries.known.filter { $0.value != Counters() }
        var left: Int64 = 0
        var found: [(key: TrafficEntries.Key, summed: Counters, counted: Counters)] = []
        try connection.prepare(
            "SELECT hour, session, \(Tables.traffic.joined(separator: ", ")) FROM session_traffic"
                + " WHERE session % ? = ?"
        ).forEachRow([.integer(part.of), .integer(part.rest)]) { row in
            let key = TrafficEntries.Key(hour: row.integer(0) ?? 0, session: row.integer(1) ?? 0)
            let counted = expected.removeValue(forKey: key) ?? Counters()
            let summed = Counters(
                packetsIn: UInt64(bitPattern: row.integer(3) ?? 0),
                bytesIn: UInt64(bitPattern: row.integer(2) ?? 0),
                packetsOut: UInt64(bitPattern: row.integer(5) ?? 0),
                bytesOut: UInt64(bitPattern: row.integer(4) ?? 0))
            guard isWhole(key) else {
                left += 1
                return
            }
            if summed != counted { found.append((key, summed, counted)) }
        }
        // Hours go one after the other: what was before the first may have been there.
        let first = try firstKey()
        for (key, counted) in expected where isWhole(key) {
            guard let first, first < key else {
                left += 1
                continue
            }
            found.append((key, Counters(), counted))
        }
        for (key, summed, counted) in found.sorted(by: { $0.key < $1.key })
        where problems.count < 100 {
            problems.append(try line(key, summed, counted))
        }
        return left
    }

    private func isWhole(_ key: TrafficEntries.Key) -> Bool {
        key.hour < doubtfulFrom && sessions.contains(key.session)
            && !(doubts[key.session] ?? []).contains { $0.contains(key.hour) }
    }

    /// Of those that no hold keeps.
    private func firstKey() throws(SQLiteError) -> TrafficEntries.Key? {
        try connection.rows(
            """
            SELECT t.hour, t.session FROM session_traffic t
              LEFT JOIN sampled_sessions n ON n.id = t.session
             WHERE NOT \(Holds.holdingTraffic) ORDER BY t.hour, t.session LIMIT 1
            """
        ) { TrafficEntries.Key(hour: $0.integer(0) ?? 0, session: $0.integer(1) ?? 0) }.first
    }

    private func line(
        _ key: TrafficEntries.Key, _ summed: Counters, _ counted: Counters
    ) throws(SQLiteError) -> String {
        let name = try connection.rows(
            "SELECT session FROM sampled_sessions WHERE id = ?", [.integer(key.session)]
        ) { $0.text(0) ?? "?" }.first
        let columns = [
            ("bytes in", summed.bytesIn, counted.bytesIn),
            ("packets in", summed.packetsIn, counted.packetsIn),
            ("bytes out", summed.bytesOut, counted.bytesOut),
            ("packets out", summed.packetsOut, counted.packetsOut),
        ].filter { $0.1 != $0.2 }.map {
            "\(Int64(bitPattern: $0.1)) \($0.0), samples say \(Int64(bitPattern: $0.2))"
        }
        return "traffic of session \(name ?? "?") in hour \(key.hour): summed up as "
            + columns.joined(separator: "; ")
    }
}
