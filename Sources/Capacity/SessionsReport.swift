package import Presentation
import SQLite
package import Store
package import Vocabulary

extension Reports {
    /// The sessions that overlap `window`, newest first, and a table of them by how they ended.
    /// Identities and addresses are as the store holds them: pseudonyms, by default.
    ///
    /// - Parameters:
    ///   - limit: how many sessions to list; the sums are of all.
    ///   - now: up to when an open session has lasted.
    package func sessions(
        in window: Window, limit: Int = 100, now: Timestamp
    ) throws(StoreError) -> [Table] {
        try snapshot { () throws(SQLiteError) in
            let listed = try database.rows(
                """
                SELECT session, identity, connection, virtual_address, started_ns, ended_ns,
                       bytes_in, packets_in, bytes_out, packets_out, reason
                FROM sessions WHERE \(Self.overlap)
                ORDER BY started_ns DESC, session DESC LIMIT ?
                """, window.overlapBounds + [.integer(Int64(clamping: max(0, limit)))]
            ) { sessionRow($0, now: now) }
            let ends = try sessionEnds(in: window, now: now)
            return [
                Table(
                    title: "Sessions", columns: Self.sessionColumns, rows: listed,
                    notes: try sessionNotes(ends, listed: listed.count, in: window)),
                Table(
                    title: "Sessions by end",
                    columns: [
                        Column("end", .text), Column("sessions", .count),
                        Column("mean_duration", .duration), Column("bytes_in", .bytes),
                        Column("bytes_out", .bytes),
                    ],
                    rows: ends.map(\.row)),
            ]
        }
    }

    /// `[started, ended)` and the window have a moment in common; a session without duration
    /// counts where it began.
    static let overlap = """
        started_ns < ? AND (ended_ns IS NULL OR ended_ns > ? OR started_ns >= ?)
        """

    private static let sessionColumns = [
        Column("identity", .text), Column("connection", .text), Column("address", .text),
        Column("started", .timestamp), Column("ended", .timestamp, absent: "open"),
        Column("duration", .duration), Column("bytes_in", .bytes),
        Column("packets_in", .count), Column("bytes_out", .bytes),
        Column("packets_out", .count), Column("reason", .text), Column("session", .text),
    ]

    private func sessionRow(_ row: Row, now: Timestamp) -> [Datum] {
        let started = row.time(4)
        let isOpen = row.integer(5) == nil
        let end = isOpen ? min(max(0, now.nanoseconds), 1 << 62) : row.time(5)
        return [
            Datum(row.value(1)), Datum(row.value(2)), Datum(row.value(3)), .integer(started),
            isOpen ? .null : .integer(end), .integer(max(0, end - started)),
            Datum(row.value(6)), Datum(row.value(7)), Datum(row.value(8)), Datum(row.value(9)),
            Datum(row.value(10)), Datum(row.value(0)),
        ]
    }

    private func sessionEnds(
        in window: Window, now: Timestamp
    ) throws(SQLiteError) -> [SessionEnds] {
        try database.rows(
            """
            SELECT CASE WHEN ended_ns IS NULL THEN 'open' ELSE coalesce(reason, '?') END AS ending,
                   count(*), avg(max(0, coalesce(ended_ns, ?) - started_ns)), sum(bytes_in),
                   sum(bytes_out)
            FROM sessions WHERE \(Self.overlap)
            GROUP BY ending ORDER BY count(*) DESC, ending
            """, [.integer(now.nanoseconds)] + window.overlapBounds
        ) { row in
            SessionEnds(
                ending: row.text(0) ?? "?", count: row.integer(1) ?? 0,
                meanDuration: row.real(2) ?? 0, bytesIn: row.integer(3) ?? 0,
                bytesOut: row.integer(4) ?? 0)
        }
    }

    private func sessionNotes(
        _ ends: [SessionEnds], listed: Int, in window: Window
    ) throws(SQLiteError) -> [String] {
        let total = ends.reduce(0) { $0 &+ $1.count }
        guard total > 0 else { return ["No session overlaps this time."] }
        let identities =
            try database.rows(
                "SELECT count(DISTINCT +identity) FROM sessions WHERE \(Self.overlap)",
                window.overlapBounds
            ) { $0.integer(0) ?? 0 }.first ?? 0
        let mean = ends.reduce(0) { $0 + $1.meanDuration * Double($1.count) } / Double(total)
        var notes = [
            "\(counted(total, "session")) of \(counted(identities, "identity", "identities")), "
                + "\(human(.real(mean), .duration)) on average."
        ]
        if Int64(listed) < total { notes.append("Only the newest \(listed) listed.") }
        if ends.contains(where: { $0.ending == "open" }), let last = try lastTick() {
            notes.append(
                "Open sessions last until now; the latest sample is of \(last.rfc3339).")
        }
        return notes
    }

    private func lastTick() throws(SQLiteError) -> Timestamp? {
        try database.rows("SELECT at_ns FROM ticks ORDER BY at_ns DESC LIMIT 1") { row in
            Timestamp(nanoseconds: row.time(0))
        }.first
    }
}

/// Sessions that ended alike.
private struct SessionEnds {
    let ending: String
    let count: Int64
    /// Nanoseconds.
    let meanDuration: Double
    let bytesIn: Int64
    let bytesOut: Int64

    var row: [Datum] {
        [
            .text(ending), .integer(count), Datum(meanDuration.rounded()), .integer(bytesIn),
            .integer(bytesOut),
        ]
    }
}

extension Window {
    /// For the parameters of ``Reports/overlap``.
    var overlapBounds: [Value] {
        [
            .integer(until.nanoseconds), .integer(since.nanoseconds),
            .integer(since.nanoseconds),
        ]
    }
}
