import Encoding
import SQLite

/// What a group of counters belongs to.
struct Series: Hashable {
    let run: Int64
    let child: Int64
    let session: String

    init(run: Int64?, child: Int64?, session: String?) {
        self.run = run ?? 0
        self.child = child ?? 0
        self.session = session ?? ""
    }

    /// - Returns: nil if there is no such group.
    init?(_ id: Int64, of connection: Connection) throws(SQLiteError) {
        let found = try connection.rows(Self.query, [.integer(id)]) { row in
            Series(run: row.integer(0), child: row.integer(1), session: row.text(2))
        }.first
        guard let found else { return nil }
        self = found
    }

    /// What these groups belong to; those that there are.
    ///
    /// - Parameter ids: ascending.
    static func all(
        _ ids: [Int64], of connection: Connection
    ) throws(SQLiteError) -> [(id: Int64, series: Series)] {
        guard let first = ids.first, let last = ids.last else { return [] }
        var found: [(id: Int64, series: Series)] = []
        // Where most are wanted it is quicker to pass them all than to look each up.
        guard (last &- first) / 4 <= Int64(ids.count) else {
            for id in ids {
                if let series = try Series(id, of: connection) { found.append((id, series)) }
            }
            return found
        }
        var place = 0
        try connection.prepare(
            """
            SELECT s.id, s.run, s.child, n.session FROM series s
              JOIN sampled_sessions n ON n.id = s.session
             WHERE s.id BETWEEN ? AND ? ORDER BY s.id
            """
        ).forEachRow([.integer(first), .integer(last)]) { row in
            guard let id = row.integer(0) else { return }
            while place < ids.count, ids[place] < id { place += 1 }
            guard place < ids.count, ids[place] == id else { return }
            let series = Series(run: row.integer(1), child: row.integer(2), session: row.text(3))
            found.append((id, series))
        }
        return found
    }

    private static let query = """
        SELECT s.run, s.child, n.session FROM series s
          JOIN sampled_sessions n ON n.id = s.session WHERE s.id = ?
        """

    /// The latest counters of a group that are in a chunk.
    ///
    /// - Returns: nil if there are none.
    static func lastInChunks(
        _ id: Int64, of connection: Connection
    ) throws(SQLiteError) -> Counters? {
        let stored = try connection.value(
            "SELECT data FROM chunks WHERE series = ? ORDER BY id DESC LIMIT 1", [.integer(id)])
        guard case .blob(let bytes) = stored, let chunk = try? Chunk(decoding: bytes) else {
            return nil
        }
        return Counters(chunk.values, from: chunk.values.count - Counters.count)
    }

    /// The end of a Child SA.
    struct End {
        /// Of the event.
        let id: Int64
        let at: Int64
        let series: Series
        /// In `sampled_sessions`; nil if it is not there.
        let session: Int64?
        /// What it carried after its last sample, or at all if there is none any more.
        let rest: Counters
    }

    /// Child SAs that ended in `[since, until)` and carried something after their last sample.
    static func rests(
        since: Int64, until: Int64, of connection: Connection
    ) throws(SQLiteError) -> [(series: Series, step: Counters)] {
        try ends(
            where: "c.at_ns >= ? AND c.at_ns < ?", [.integer(since), .integer(until)],
            of: connection
        ).filter { $0.rest != Counters() }.map { ($0.series, $0.rest) }
    }

    /// Child SAs whose ends were recorded after an event, in that order.
    static func ends(
        after id: Int64, atMost limit: Int64, of connection: Connection
    ) throws(SQLiteError) -> [End] {
        try ends(
            where: "c.id > ?", [.integer(id), .integer(limit)], "ORDER BY c.id LIMIT ?",
            of: connection)
    }

    private static func ends(
        where condition: String, _ values: [Value], _ order: String = "",
        of connection: Connection
    ) throws(SQLiteError) -> [End] {
        let rows = try connection.rows(
            """
            \(endsQuery) WHERE \(condition)
               AND c.id = (SELECT min(id) FROM child_sa_closed
                            WHERE session = c.session AND child = c.child) \(order)
            """, values
        ) { row in
            (
                id: row.integer(0) ?? 0, at: row.integer(1) ?? 0,
                series: Series(run: row.integer(2), child: row.integer(3), session: row.text(4)),
                session: row.integer(5), total: Counters(row, from: 6), group: row.integer(10),
                last: row.integer(11).map { _ in Counters(row, from: 11) }
            )
        }
        var ends: [End] = []
        for row in rows {
            var last = row.last
            if last == nil, let group = row.group { last = try lastInChunks(group, of: connection) }
            ends.append(
                End(
                    id: row.id, at: row.at, series: row.series, session: row.session,
                    rest: row.total.step(from: last ?? Counters())))
        }
        return ends
    }

    private static let endsQuery: String = {
        let total = Tables.traffic.map { "c.\($0)" }.joined(separator: ", ")
        let last = Tables.traffic.map { "l.\($0)" }.joined(separator: ", ")
        return """
            SELECT c.id, c.at_ns, coalesce(s.run, c.run), c.child, c.session, n.id, \(total),
                   s.id, \(last)
              FROM child_sa_closed c
              LEFT JOIN sampled_sessions n ON n.session = c.session
              LEFT JOIN series s ON s.session = n.id AND s.child = c.child
              LEFT JOIN series_last l ON l.series = s.id
            """
    }()

    /// Makes a group.
    static func insert(
        _ id: Int64, run: Int64, child: Int64, session: String, on connection: Connection
    ) throws(SQLiteError) {
        let values: [Value] = [.integer(id), .integer(run), .integer(child), .text(session)]
        try connection.execute(insertion, values)
        guard connection.changes == 0 else { return }
        try connection.execute(
            "INSERT INTO sampled_sessions (session) VALUES (?)", [.text(session)])
        try connection.execute(insertion, values)
    }

    private static let insertion = """
        INSERT INTO series (id, run, child, session)
        SELECT ?, ?, ?, id FROM sampled_sessions WHERE session = ?
        """
}
