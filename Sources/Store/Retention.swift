import SQLite
import Vocabulary

/// How long things are kept; nil is for good. What belongs to a session, alerts, and when the
/// gateway ran are kept for good: accounting rests on them.
package struct Retention: Hashable, Sendable {
    /// Samples of Child SAs.
    package var samples: Duration?
    /// The gateway's own figures and its pools', tick by tick.
    package var figures: Duration?
    /// Events that belong to no session.
    package var events: Duration?

    package init(
        samples: Duration? = nil, figures: Duration? = nil, events: Duration? = nil
    ) {
        self.samples = samples
        self.figures = figures
        self.events = events
    }
}

/// Deletes what is older than it may be, a little at each tick, so that recording never waits
/// long; and gives the space back.
struct Sweeper {
    private let retention: Retention
    /// Free pages of 4 kB that stay in the file: the journal needs them again.
    private let slack: Int64
    private var first: (at: Timestamp, instant: Instant)?

    /// Rows of one table, or chunks, that one tick deletes.
    static let rows = 500
    /// Pages that one tick gives back.
    private static let pages = 256

    init(_ retention: Retention, slack: Int64 = 2_048) {
        self.retention = retention
        self.slack = slack
    }

    /// After the tick was recorded. Not within a transaction.
    ///
    /// - Parameter isLive: whether a group may still get samples.
    mutating func sweep(
        after tick: RecordedTick, on connection: Connection, isLive: (Int64) -> Bool
    ) throws(SQLiteError) {
        let now = now(at: tick)
        try rollUp(at: tick, on: connection)
        var due: [Task] = []
        for task in tasks(at: now)
        where try connection.integer("SELECT EXISTS (\(task.rows))", [.integer(task.before)]) != 0 {
            due.append(task)
        }
        if !due.isEmpty {
            try connection.transaction { () throws(SQLiteError) in
                for task in due {
                    if task.table == Tables.folds.name {
                        try deleteChunks(before: task.before, on: connection, isLive: isLive)
                    } else {
                        try connection.execute(
                            "DELETE FROM \(quoted(task.table)) WHERE \(task.key) IN (\(task.rows))",
                            [.integer(task.before)])
                    }
                }
            }
        }
        if try connection.integer("PRAGMA freelist_count") > slack {
            try connection.execute("PRAGMA incremental_vacuum(\(Self.pages))")
        }
    }

    private func rollUp(at tick: RecordedTick, on connection: Connection) throws(SQLiteError) {
        let open = try connection.integer(
            "SELECT EXISTS (SELECT 1 FROM rollup_hours WHERE state = 0 AND hour <> ?)",
            [.integer(tick.at.nanoseconds / MinuteFold.hour)])
        guard open != 0 else { return }
        _ = try connection.transaction { () throws(SQLiteError) in
            try Rollup.roll(now: tick.at.nanoseconds, on: connection)
        }
    }

    /// The wall clock's time, but no later than the monotonic clock allows since the first tick: a
    /// wall clock that leaps ahead must not delete anything.
    private mutating func now(at tick: RecordedTick) -> Timestamp {
        guard let first else {
            first = (tick.at, tick.instant)
            return tick.at
        }
        let passed = Int64(
            clamping: tick.instant.nanoseconds
                - min(tick.instant.nanoseconds, first.instant.nanoseconds))
        let (latest, overflow) = first.at.nanoseconds.addingReportingOverflow(passed)
        return Timestamp(nanoseconds: min(tick.at.nanoseconds, overflow ? .max : latest))
    }

    private struct Task {
        let table: String
        let key: String
        /// Selects the keys of some rows that are too old; its parameter is `before`.
        let rows: String
        /// Nanoseconds since 1970; seconds for chunks.
        let before: Int64
    }

    private func tasks(at now: Timestamp) -> [Task] {
        func start(_ age: Duration?) -> Int64? {
            age.flatMap { age in
                let (start, overflow) = now.nanoseconds.subtractingReportingOverflow(
                    age.nanoseconds)
                return overflow ? nil : start
            }
        }
        var tasks: [Task] = []
        if let before = start(retention.samples) {
            tasks.append(
                Task(
                    table: Tables.folds.name, key: "first_chunk",
                    rows: "SELECT first_chunk FROM folds WHERE last_s < ? LIMIT 1",
                    before: FoldRange.seconds(before)))
        }
        if let before = start(retention.figures) {
            for (table, key) in [
                (Tables.ticks.name, "at_ns, run"), (Tables.poolSamples.name, "at_ns, run, pool"),
            ] {
                let rows = "SELECT \(key) FROM \(table) WHERE at_ns < ? ORDER BY at_ns"
                tasks.append(
                    Task(
                        table: table, key: "(\(key))", rows: "\(rows) LIMIT \(Self.rows)",
                        before: before))
            }
        }
        if let before = start(retention.events) {
            for kind in Self.kinds {
                // The newest row stays: ids are never used again.
                let rows = """
                    SELECT id FROM \(quoted(kind)) WHERE at_ns < ?
                       AND id < (SELECT max(id) FROM \(quoted(kind))) ORDER BY at_ns
                    """
                tasks.append(
                    Task(table: kind, key: "id", rows: "\(rows) LIMIT \(Self.rows)", before: before)
                )
            }
        }
        return tasks
    }

    private static let kinds = Catalogue.events.filter { !$0.hasSession }.map(\.name)
        .filter {
            !["gateway_started", "gateway_stopped", "alert_fired", "alert_resolved"].contains($0)
        }

    /// Deletes some chunks of the oldest fold that is too old, and the groups that have none left.
    private func deleteChunks(
        before second: Int64, on connection: Connection, isLive: (Int64) -> Bool
    ) throws(SQLiteError) {
        let fold = try connection.rows(
            "SELECT first_chunk, last_chunk FROM folds WHERE last_s < ? ORDER BY 1 LIMIT 1",
            [.integer(second)]
        ) { (first: $0.integer(0) ?? 0, last: $0.integer(1) ?? 0) }.first
        guard let fold else { return }
        let last = min(fold.last, fold.first + Int64(Self.rows) - 1)
        let part: [Value] = [.integer(fold.first), .integer(last)]
        let groups = try connection.rows(
            "SELECT DISTINCT series FROM chunks WHERE id BETWEEN ? AND ?", part
        ) { $0.integer(0) ?? 0 }
        try connection.execute("DELETE FROM chunks WHERE id BETWEEN ? AND ?", part)
        if last < fold.last {
            try connection.execute(
                "UPDATE folds SET first_chunk = ? WHERE first_chunk = ?",
                [.integer(last + 1), .integer(fold.first)])
        } else {
            try connection.execute(
                "DELETE FROM folds WHERE first_chunk = ?", [.integer(fold.first)])
        }
        for group in groups where !isLive(group) {
            try forget(group, on: connection)
        }
    }

    /// Unless it has other chunks, or has not ended.
    private func forget(_ group: Int64, on connection: Connection) throws(SQLiteError) {
        let session = try connection.value(
            """
            SELECT session FROM series s WHERE id = ?1
               AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.series = ?1)
               AND NOT EXISTS (SELECT 1 FROM series_last l WHERE l.series = ?1)
            """, [.integer(group)])
        guard case .integer = session else { return }
        try connection.execute("DELETE FROM series WHERE id = ?", [.integer(group)])
        try connection.execute(
            """
            DELETE FROM sampled_sessions WHERE id = ?1
               AND NOT EXISTS (SELECT 1 FROM series WHERE session = ?1)
            """, [session])
    }
}
