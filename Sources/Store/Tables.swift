import Vocabulary

/// The tables, made from the vocabulary. Every statement may be run again on a store that has
/// them.
enum Tables {
    struct Column {
        let name: String
        /// A storage class and constraints, such as `INTEGER NOT NULL`.
        let type: String

        init(_ name: String, _ type: String = "INTEGER NOT NULL") {
            self.name = name
            self.type = type
        }
    }

    struct Table {
        let name: String
        let columns: [Column]
        /// What follows the columns within the parentheses, such as a key of several columns.
        var key = ""
        var options = "STRICT"

        var creation: String {
            let lines = columns.map { "\(quoted($0.name)) \($0.type)" } + (key.isEmpty ? [] : [key])
            return "CREATE TABLE IF NOT EXISTS \(quoted(name)) (\(lines.joined(separator: ", ")))"
                + " \(options)"
        }

        /// With one parameter for each column of each row, in order.
        func insertion(orReplace: Bool = false) -> String {
            insertion("INSERT\(orReplace ? " OR REPLACE" : "")", ofRows: 1)
        }

        /// Of several rows at once. Where one is refused those before it stay, so that SQLite need
        /// not note how to take them back: the transaction must end there.
        func insertion(ofRows rows: Int) -> String { insertion("INSERT OR FAIL", ofRows: rows) }

        private func insertion(_ verb: String, ofRows rows: Int) -> String {
            let names = columns.map { quoted($0.name) }.joined(separator: ", ")
            let marks = "(" + columns.map { _ in "?" }.joined(separator: ", ") + ")"
            return "\(verb) INTO \(quoted(name)) (\(names)) VALUES "
                + repeatElement(marks, count: rows).joined(separator: ", ")
        }
    }

    static let all =
        [
            runs, holds, ticks, poolSamples, rollupHours, tickMinutes, tickHours, poolMinutes,
            poolHours,
        ]
        + [sampledSessions, series, seriesLast, chunks, folds, journal]
        + [sessionTraffic, handshakeHours, summed]
        + ImportTables.all + Catalogue.events.map(event)

    /// A kind of event. A field may be null, whatever its type: the redaction policy may have
    /// omitted it, and an older Weir did not know it.
    static func event(_ kind: EventKind) -> Table {
        Table(
            name: kind.name,
            columns: [
                Column("id", "INTEGER PRIMARY KEY"), Column("run"), Column("at_ns"),
                Column("mono_ns"),
            ]
                + kind.fields.map { Column($0.name, $0.storage.rawValue.uppercased()) })
    }

    /// Indexes of all event tables.
    static var indexes: [String] {
        let byKind = Catalogue.events.flatMap { kind in
            [index(kind.name, ["at_ns"])]
                + (kind.hasSession ? [index(kind.name, ["session"])] : [])
        }
        return byKind + [
            index("lease_granted", ["address", "at_ns"]),
            index("session_established", ["identity", "at_ns"]),
            index("child_sa_installed", ["run", "child"]),
            index("series", ["session"]),
            index("chunks", ["series"]), index("imported_chunks", ["grouping"]),
            index("rollup_hours", ["state", "hour"]),
        ]
    }

    /// Of an older Weir; of no use any more.
    static let oldIndexes = ["series_by_run_child"]

    private static func index(_ table: String, _ columns: [String]) -> String {
        "CREATE INDEX IF NOT EXISTS \(quoted("\(table)_by_\(columns.joined(separator: "_"))"))"
            + " ON \(quoted(table)) (\(columns.map(quoted).joined(separator: ", ")))"
    }

    /// One row for each opening by a writer.
    ///
    /// - `last_ns`, `last_mono_ns`: the times of the last fact recorded.
    /// - `first_id`: events of this run have this id or a higher one.
    /// - `settled`: 1 once nothing that began in this run is open.
    static let runs = Table(
        name: "runs",
        columns: [
            Column("run", "INTEGER PRIMARY KEY"), Column("started_ns"),
            Column("boot_id", "TEXT NOT NULL"), Column("version", "TEXT NOT NULL"),
            Column("last_ns"), Column("last_mono_ns"), Column("first_id"), Column("settled"),
        ])

    /// Legal holds. `recorded` counts which of placing and releasing are recorded as events.
    static let holds = Table(
        name: "holds",
        columns: [
            Column("id", "INTEGER PRIMARY KEY"), Column("placed_ns"),
            Column("released_ns", "INTEGER"), Column("session", "TEXT"),
            Column("identity", "TEXT"), Column("since_ns", "INTEGER"),
            Column("until_ns", "INTEGER"), Column("reason", "TEXT NOT NULL"), Column("recorded"),
        ])

    static let traffic = ["bytes_in", "packets_in", "bytes_out", "packets_out"]

    /// Gauges at that moment, and counters since the run began. `active_child_sas` are those whose
    /// counters moved since the tick before; null in what an older Weir recorded.
    static let ticks = Table(
        name: "ticks",
        columns: [
            Column("run"), Column("at_ns"), Column("mono_ns"), Column("sessions"),
            Column("half_open"), Column("child_sas"), Column("session_limit"),
        ]
            + traffic.map { Column($0) }
            + ["messages_received", "messages_sent", "retransmissions_sent"].map { Column($0) }
            + [Column("active_child_sas", "INTEGER")],
        key: "PRIMARY KEY (at_ns, run)", options: "STRICT, WITHOUT ROWID")

    static let poolSamples = Table(
        name: "pool_samples",
        columns: [
            Column("run"), Column("at_ns"), Column("pool", "TEXT NOT NULL"), Column("size"),
            Column("used"),
        ],
        key: "PRIMARY KEY (at_ns, run, pool)", options: "STRICT, WITHOUT ROWID")

    /// Each hour since 1970 that has ticks; ``Rollup`` has the states.
    static let rollupHours = Table(
        name: "rollup_hours",
        columns: [Column("hour", "INTEGER PRIMARY KEY"), Column("state")])

    static let tickMinutes = Table(
        name: "tick_minutes", columns: TickSummary.columns, key: "PRIMARY KEY (start_ns, run)",
        options: "STRICT, WITHOUT ROWID")

    static let tickHours = Table(
        name: "tick_hours", columns: TickSummary.columns, key: "PRIMARY KEY (start_ns, run)",
        options: "STRICT, WITHOUT ROWID")

    static let poolMinutes = Table(
        name: "pool_minutes", columns: PoolSummary.columns,
        key: "PRIMARY KEY (start_ns, run, pool)", options: "STRICT, WITHOUT ROWID")

    static let poolHours = Table(
        name: "pool_hours", columns: PoolSummary.columns,
        key: "PRIMARY KEY (start_ns, run, pool)", options: "STRICT, WITHOUT ROWID")

    /// Sessions that a Child SA was sampled of, or that carried anything: a short name for each.
    /// `last_hour` is the last hour that `session_traffic` has of it; before there is one, a number
    /// that takes as much space, so that a row need not move.
    static let sampledSessions = Table(
        name: "sampled_sessions",
        columns: [
            Column("id", "INTEGER PRIMARY KEY"), Column("session", "TEXT NOT NULL UNIQUE"),
            Column("last_hour", "INTEGER NOT NULL DEFAULT -8388608"),
        ])

    /// What a session carried within an hour, counted since 1970; no row if nothing. `session` is
    /// of `sampled_sessions`.
    static let sessionTraffic = Table(
        name: "session_traffic",
        columns: [Column("hour"), Column("session")] + traffic.map { Column($0) },
        key: "PRIMARY KEY (hour, session)", options: "STRICT, WITHOUT ROWID")

    /// How long handshakes took that ended within an hour, counted since 1970: quantiles, and a
    /// sketch of them all. Microseconds.
    static let handshakeHours = Table(
        name: "handshake_hours",
        columns: [
            Column("hour", "INTEGER PRIMARY KEY"), Column("handshakes"), Column("p50_us"),
            Column("p95_us"), Column("p99_us"), Column("max_us"),
            Column("sketch", "BLOB NOT NULL"),
        ])

    /// One row: how far sums are; ``Ledger/Position`` has the columns.
    static let summed = Table(
        name: "summed",
        columns: [
            Column("id", "INTEGER PRIMARY KEY"), Column("journal"), Column("closing"),
            Column("establishing"), Column("chunk"), Column("last_old_chunk"),
        ])

    /// A Child SA's counters as a group. `session` is of `sampled_sessions`.
    static let series = Table(
        name: "series",
        columns: [
            Column("id", "INTEGER PRIMARY KEY"), Column("run"), Column("child"), Column("session"),
        ])

    /// The latest counters of each Child SA that has not ended, or only just; none if they are
    /// zero. Written in the transaction of the tick, so that no question needs the journal for it.
    static let seriesLast = Table(
        name: "series_last",
        columns: [Column("series", "INTEGER PRIMARY KEY")] + traffic.map { Column($0) })

    /// Samples of one group; `docs/store-format.md` has the bytes.
    static let chunks = Table(
        name: "chunks",
        columns: [
            Column("id", "INTEGER PRIMARY KEY"), Column("series"), Column("data", "BLOB NOT NULL"),
        ])

    /// Chunks that were made together: all their samples are in `[first_s, last_s]`, seconds since
    /// 1970.
    static let folds = Table(
        name: "folds",
        columns: [
            Column("first_chunk", "INTEGER PRIMARY KEY"), Column("last_chunk"), Column("first_s"),
            Column("last_s"),
        ])

    /// Ticks that are not in chunks yet, one row each.
    static let journal = Table(
        name: "journal",
        columns: [
            Column("id", "INTEGER PRIMARY KEY"), Column("run"), Column("at_ns"),
            Column("data", "BLOB NOT NULL"),
        ])
}

extension EventKind {
    var hasSession: Bool { fields.contains { $0.name == "session" } }
}

/// An SQL identifier.
func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        + "\""
}
