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

    /// Makes a group.
    static func insert(
        _ id: Int64, run: Int64, child: Int64, session: String, on connection: Connection
    ) throws(SQLiteError) {
        try connection.execute(
            "INSERT OR IGNORE INTO sampled_sessions (session) VALUES (?)", [.text(session)])
        try connection.execute(
            "INSERT INTO series (id, run, child, session)"
                + " SELECT ?, ?, ?, id FROM sampled_sessions WHERE session = ?",
            [.integer(id), .integer(run), .integer(child), .text(session)])
    }
}
