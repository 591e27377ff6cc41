import Vocabulary

/// What `weir import` keeps: how far it is with each file, and the time series of others.
enum ImportTables {
    static let all = [imports, importedRuns, metrics, labels, groups, chunks, staged]

    /// A file that is being imported, or was. A file is known by its content, not by its name.
    ///
    /// - `bytes`, `lines`: what of it is in the store.
    /// - `head`, `fingerprint`: of its first 4 KiB, and of all those bytes.
    /// - `finished`: 1 once all of it is in its place.
    static let imports = Tables.Table(
        name: "imports",
        columns: [
            Tables.Column("id", "INTEGER PRIMARY KEY"), Tables.Column("name", "TEXT NOT NULL"),
            Tables.Column("bytes"), Tables.Column("lines"), Tables.Column("head"),
            Tables.Column("fingerprint"), Tables.Column("finished"),
        ])

    /// Which run of the store a run of a file became.
    static let importedRuns = Tables.Table(
        name: "imported_runs",
        columns: [Tables.Column("import"), Tables.Column("file_run"), Tables.Column("run")],
        key: "PRIMARY KEY (import, file_run)", options: "STRICT, WITHOUT ROWID")

    static let metrics = Tables.Table(
        name: "imported_metrics",
        columns: [
            Tables.Column("id", "INTEGER PRIMARY KEY"),
            Tables.Column("name", "TEXT NOT NULL UNIQUE"), Tables.Column("type", "TEXT NOT NULL"),
        ])

    /// Label sets, as JSON objects by ascending name.
    static let labels = Tables.Table(
        name: "imported_labels",
        columns: [
            Tables.Column("id", "INTEGER PRIMARY KEY"),
            Tables.Column("labels", "TEXT NOT NULL UNIQUE"),
        ])

    /// Metrics of one label set that are sampled together. `metrics` are their numbers, ascending,
    /// with commas.
    static let groups = Tables.Table(
        name: "imported_groups",
        columns: [
            Tables.Column("id", "INTEGER PRIMARY KEY"), Tables.Column("labels"),
            Tables.Column("metrics", "TEXT NOT NULL"),
        ], key: "UNIQUE (labels, metrics)")

    /// Samples of a group, as in `chunks`, all within `[first_s, last_s]`. `scales` has a
    /// character for each column: a digit for so many decimals, `r` for the bits of a double.
    static let chunks = Tables.Table(
        name: "imported_chunks",
        columns: [
            Tables.Column("id", "INTEGER PRIMARY KEY"), Tables.Column("grouping"),
            Tables.Column("first_s"), Tables.Column("last_s"),
            Tables.Column("scales", "TEXT NOT NULL"), Tables.Column("data", "BLOB NOT NULL"),
        ])

    /// Samples whose groups are not known yet; empty once an import is over. `scale` is the number
    /// of decimals, or -1 if `value` is the bits of a double.
    static let staged = Tables.Table(
        name: "staged_samples",
        columns: [
            Tables.Column("labels"), Tables.Column("at_ns"), Tables.Column("metric"),
            Tables.Column("scale"), Tables.Column("value"),
        ],
        key: "PRIMARY KEY (labels, at_ns, metric)", options: "STRICT, WITHOUT ROWID")
}
