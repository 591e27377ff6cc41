import SQLite
import Vocabulary

/// Deletes whole sessions that ended long ago: every event that is theirs. What they carried by
/// hour stays, without a name.
enum SweptSessions {
    /// Sessions that one tick looks at.
    static let atOnce = 50

    /// The end of the session that was looked at last.
    struct Place {
        var at = Int64.min
        var id = Int64.min
    }

    private struct Candidate {
        let place: Place
        let session: String
        let mayGo: Bool
    }

    /// - Parameter before: nanoseconds since 1970.
    static func exist(before: Int64, on connection: Connection) throws(SQLiteError) -> Bool {
        try connection.integer(
            "SELECT EXISTS (SELECT 1 FROM session_closed WHERE at_ns < ?)", [.integer(before)]) != 0
    }

    /// Within a transaction of the caller's.
    ///
    /// - Returns: where the next tick goes on; the beginning, if the end was reached.
    static func delete(
        before: Int64, from place: Place, on connection: Connection
    ) throws(SQLiteError) -> Place {
        // The journal may name what ended since it was folded, and asks whether it did.
        let journal = try connection.integer(
            "SELECT coalesce(min(at_ns), \(Int64.max)) FROM journal")
        let found = try candidates(before: min(before, journal), from: place, on: connection)
        let newest = try sessionOfNewestEvent(connection)
        let kinds = Catalogue.events.filter(\.hasSession)
        for candidate in found where candidate.mayGo && candidate.session != newest {
            for kind in kinds {
                try connection.execute(
                    "DELETE FROM \(quoted(kind.name)) WHERE session = ?",
                    [.text(candidate.session)])
            }
        }
        return found.count < atOnce ? Place() : found.last?.place ?? Place()
    }

    /// Those that no hold covers and that are summed up.
    private static func candidates(
        before: Int64, from place: Place, on connection: Connection
    ) throws(SQLiteError) -> [Candidate] {
        try connection.rows(
            """
            SELECT c.at_ns, c.id, c.session,
                   NOT \(Holds.holdingSession)
                   AND coalesce(e.id, 0) <= (SELECT establishing FROM summed)
                   AND NOT EXISTS (SELECT 1 FROM child_sa_closed k WHERE k.session = c.session
                                      AND k.id > (SELECT closing FROM summed))
              FROM session_closed c
              LEFT JOIN session_established e ON e.session = c.session
             WHERE c.at_ns < ? AND (c.at_ns, c.id) > (?, ?) ORDER BY c.at_ns, c.id LIMIT \(atOnce)
            """, [.integer(before), .integer(place.at), .integer(place.id)]
        ) { row in
            Candidate(
                place: Place(at: row.integer(0) ?? 0, id: row.integer(1) ?? 0),
                session: row.text(2) ?? "", mayGo: row.integer(3) == 1)
        }
    }

    /// It stays: ids are never used again.
    private static func sessionOfNewestEvent(
        _ connection: Connection
    ) throws(SQLiteError) -> String? {
        let newest = try Writer.nextID(on: connection) - 1
        for kind in Catalogue.events where kind.hasSession {
            let session = try connection.value(
                "SELECT session FROM \(quoted(kind.name)) WHERE id = ?", [.integer(newest)])
            if case .text(let session) = session { return session }
        }
        return nil
    }
}
