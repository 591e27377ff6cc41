import Encoding
import SQLite
import Vocabulary

/// Format 1 kept each sample that moved as a row of `child_samples`, and the latest of each
/// Child SA in `child_last`.
enum FormatOne {
    /// Within a transaction of the caller's. No sample is lost, and none is made up: between two
    /// of them nothing moved, or the Child SA was gone.
    static func convert(_ connection: Connection) throws(SQLiteError) {
        // Views that name the old tables can't be while these go.
        let views = try connection.rows("SELECT name FROM sqlite_schema WHERE type = 'view'") {
            $0.text(0) ?? ""
        }
        for view in views { try connection.execute("DROP VIEW \(quoted(view))") }
        let children = try connection.rows(
            """
            SELECT s.run, s.child, coalesce(i.session, l.session)
              FROM (SELECT DISTINCT run, child FROM main.child_samples) s
              LEFT JOIN child_sa_installed i ON i.run = s.run AND i.child = s.child
              LEFT JOIN main.child_last l ON l.run = s.run AND l.child = s.child
             GROUP BY s.run, s.child ORDER BY s.run, s.child
            """
        ) { (run: $0.integer(0) ?? 0, child: $0.integer(1) ?? 0, session: $0.text(2)) }
        var latest: [(series: Int64, counters: Counters)] = []
        var range = FoldRange()
        var last: (run: Int64, at: Int64)?
        for (index, child) in children.enumerated() {
            let id = Int64(index + 1)
            try Series.insert(
                id, run: child.run, child: child.child, session: child.session ?? "",
                on: connection)
            let rows = try connection.rows(
                """
                SELECT at_ns, packets_in, bytes_in, packets_out, bytes_out FROM main.child_samples
                 WHERE run = ? AND child = ? ORDER BY at_ns
                """, [.integer(child.run), .integer(child.child)]
            ) { row in
                (
                    at: row.integer(0) ?? 0,
                    values: (1...4).map { UInt64(clamping: row.integer($0) ?? 0) }
                )
            }
            var base: [UInt64]?
            for start in stride(from: 0, to: rows.count, by: Fold.rows) {
                let part = rows[start..<min(start + Fold.rows, rows.count)]
                let chunk = Chunk(
                    base: base, columns: Counters.count, times: part.map(\.at),
                    values: part.flatMap(\.values))
                try range.add(chunk, of: id, connection)
                base = part.last?.values
            }
            if let end = rows.last {
                latest.append((id, Counters(end.values, from: 0)))
                if end.at >= last?.at ?? .min { last = (child.run, end.at) }
            }
        }
        try connection.execute("DROP TABLE main.child_samples")
        try connection.execute("DROP TABLE main.child_last")
        try range.insert(connection)
        guard let last else { return }
        let open = try Fold.writeState(latest, [], id: 1, at: last, connection)
        for (series, counters) in latest where open.contains(series) {
            try connection.execute(Tables.seriesLast.insertion(), counters.row(of: series))
        }
    }
}
