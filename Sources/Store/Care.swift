import Encoding
import SQLite

/// What an operator does with a store besides asking it.
package enum StoreCare {
    /// Folds all samples into chunks and gives free space back to the file system. Nobody else may
    /// write meanwhile.
    ///
    /// - Returns: bytes before and after.
    package static func compact(
        path: String
    ) throws(StoreError) -> (before: UInt64, after: UInt64) {
        let path = try StoreFile.resolve(path)
        guard StoreFile.exists(path) else { throw .missing(path: path) }
        let lock = try WriterLock(for: path)
        defer { lock.release() }
        let before = StoreFile.size(path) + StoreFile.size(path + "-wal")
        let connection = try reporting(path) { () throws(SQLiteError) in
            try Connection(path: path, mode: .readWrite)
        }
        defer { connection.close() }
        guard try Format.state(of: connection, path: path) == .ours else {
            throw .notAStore(path: path)
        }
        try reporting(path) { () throws(SQLiteError) in
            let samples = try SampleTables(on: connection)
            try Format.upgrade(connection)
            try connection.transaction { () throws(SQLiteError) in
                try LatestCounters.catchUp(connection)
                try Fold.fold(connection)
            }
            try sumAll(connection)
            _ = try connection.value("PRAGMA auto_vacuum = INCREMENTAL")
            try connection.execute("VACUUM")
            _ = try connection.value("PRAGMA wal_checkpoint(TRUNCATE)")
            withExtendedLifetime(samples) {}
        }
        return (before, StoreFile.size(path) + StoreFile.size(path + "-wal"))
    }

    /// Sums up the figures of all hours, as the gateway does a part at each tick. Nobody else may
    /// write meanwhile.
    package static func sum(path: String) throws(StoreError) {
        let path = try StoreFile.resolve(path)
        let lock = try WriterLock(for: path)
        defer { lock.release() }
        try reporting(path) { () throws(SQLiteError) in
            let connection = try Connection(path: path, mode: .readWrite)
            defer { connection.close() }
            try sumAll(connection)
        }
    }

    private static func sumAll(_ connection: Connection) throws(SQLiteError) {
        while try connection.transaction({ () throws(SQLiteError) in
            try Rollup.roll(now: nil, on: connection)
        }) {}
        while try connection.transaction({ () throws(SQLiteError) in
            try Ledger.sum(connection)
        }) {}
    }
}

extension StoreReader {
    /// Reads every page, every chunk and every row of the journal, and makes all sums anew of what
    /// is still there. Changes nothing.
    ///
    /// - Parameter note: is told which sums could not be compared, a line each.
    /// - Returns: what is wrong, a line each; empty if nothing is.
    package func check(_ note: (String) -> Void = { _ in }) throws(StoreError) -> [String] {
        try reporting(path) { () throws(SQLiteError) in
            var problems = try connection.rows("PRAGMA integrity_check(100)") { $0.text(0) ?? "?" }
                .filter { $0 != "ok" }
            try connection.prepare(
                """
                SELECT c.id, c.series, f.first_s, f.last_s, c.data FROM chunks c
                  LEFT JOIN folds f ON f.first_chunk =
                       (SELECT max(first_chunk) FROM folds WHERE first_chunk <= c.id)
                """
            )
            .forEachRow { row in
                if let problem = Self.problem(ofChunk: row) { problems.append(problem) }
            }
            for id in try Fold.damagedRows(connection) {
                problems.append("row \(id) of journal: damaged; the tick's samples are lost")
            }
            let orphans = try connection.integer(
                "SELECT count(*) FROM chunks WHERE series NOT IN (SELECT id FROM series)")
            if orphans > 0 { problems.append("\(orphans) chunks of no known series") }
            let nameless = try connection.integer(
                """
                SELECT count(*) FROM session_traffic
                 WHERE session NOT IN (SELECT id FROM sampled_sessions)
                """)
            if nameless > 0 { problems.append("\(nameless) hours of traffic of no known session") }
            // Of one state of the store, though it is written meanwhile.
            return try connection.reading { () throws(SQLiteError) in
                problems += try FigureCheck.problems(on: connection, note)
                problems += try TrafficCheck.problems(on: connection, note)
                return try problems + HandshakeHours.problems(on: connection, note)
            }
        }
    }

    private static func problem(ofChunk row: Row) -> String? {
        let name = "chunk \(row.integer(0) ?? 0) of series \(row.integer(1) ?? 0)"
        guard case .blob(let bytes) = row.value(4) else { return "\(name): no bytes" }
        do throws(ChunkError) {
            let chunk = try Chunk(decoding: bytes)
            let span = (row.integer(2) ?? 0)...max(row.integer(2) ?? 0, row.integer(3) ?? 0)
            return chunk.times.allSatisfy { span.contains(FoldRange.seconds($0)) }
                ? nil : "\(name): samples outside of its time"
        } catch {
            return "\(name): \(error); its samples are lost, the others are not"
        }
    }

    /// Copies one state of the store to a new file, also while it is written to. The copy has no
    /// free space in it.
    ///
    /// What it returned from survives a power failure; if it throws, no file is left.
    ///
    /// - Parameter target: must not be there, and be in a folder that is.
    package func backup(to target: String) throws(StoreError) {
        let target = try StoreFile.resolve(target)
        guard !StoreFile.exists(target) else {
            throw .inaccessible(path: target, reason: "there is such a file")
        }
        try StoreFile.create(target)
        do throws(StoreError) {
            try reporting(path) { () throws(SQLiteError) in
                let source = try Connection(
                    path: path, mode: StoreFile.isFrozen(path) ? .immutable : .readOnly)
                defer { source.close() }
                try source.execute("VACUUM INTO ?", [.text(target)])
            }
            try StoreFile.sync(target)
        } catch {
            // A part of a copy would pass for one.
            StoreFile.remove(target)
            throw error
        }
    }

    /// What is in the store, as names and numbers.
    package func statistics() throws(StoreError) -> [(name: String, value: Int64)] {
        try reporting(path) { () throws(SQLiteError) in
            var figures: [(name: String, value: Int64)] = [
                ("file_bytes", Int64(clamping: StoreFile.size(path))),
                ("log_bytes", Int64(clamping: StoreFile.size(path + "-wal"))),
                (
                    "free_bytes",
                    try connection.integer("PRAGMA freelist_count")
                        * connection.integer("PRAGMA page_size")
                ),
            ]
            for (name, sql) in Self.counts {
                figures.append((name, try connection.integer(sql)))
            }
            try connection.prepare("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind")
                .forEachRow { row in
                    figures.append(("events: \(row.text(0) ?? "?")", row.integer(1) ?? 0))
                }
            return figures
        }
    }

    private static let counts = [
        ("format", "PRAGMA user_version"), ("runs", "SELECT count(*) FROM runs"),
        ("ticks", "SELECT count(*) FROM ticks"),
        ("tick_minutes", "SELECT count(*) FROM tick_minutes"),
        ("tick_hours", "SELECT count(*) FROM tick_hours"),
        ("pool_minutes", "SELECT count(*) FROM pool_minutes"),
        ("pool_hours", "SELECT count(*) FROM pool_hours"),
        ("traffic_hours", "SELECT count(*) FROM session_traffic"),
        ("handshake_hours", "SELECT count(*) FROM handshake_hours"),
        ("holds", "SELECT count(*) FROM holds WHERE released_ns IS NULL"),
        ("hours_not_summed", "SELECT count(*) FROM rollup_hours WHERE state = 0"),
        ("child_sas_sampled", "SELECT count(*) FROM series"),
        ("chunks", "SELECT count(*) FROM chunks"),
        ("chunk_bytes", "SELECT coalesce(sum(length(data)), 0) FROM chunks"),
        ("journal_rows", "SELECT count(*) FROM journal"),
        ("journal_bytes", "SELECT coalesce(sum(length(data)), 0) FROM journal"),
    ]
}
