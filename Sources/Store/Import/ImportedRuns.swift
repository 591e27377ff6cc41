import SQLite
package import Vocabulary

/// Which run of the store each run of a file is.
struct ImportedRuns {
    private var importID: Int64?
    private var runs: [Int64: Int64] = [:]
    /// The latest time of each run that got a record in this batch.
    private var latest: [Int64: (at: Int64, instant: Int64)] = [:]

    mutating func load(_ id: Int64, _ connection: Connection) throws(SQLiteError) {
        guard importID != id else { return }
        importID = id
        let stored = try connection.rows(
            "SELECT file_run, run FROM imported_runs WHERE import = ?", [.integer(id)]
        ) { ($0.integer(0) ?? 0, $0.integer(1) ?? 0) }
        runs = Dictionary(stored) { first, _ in first }
    }

    subscript(fileRun: Int64) -> Int64? { runs[fileRun] }

    mutating func set(_ fileRun: Int64, to run: Int64, _ connection: Connection) throws(SQLiteError)
    {
        runs[fileRun] = run
        try connection.execute(
            ImportTables.importedRuns.insertion(orReplace: true),
            [.integer(importID ?? 0), .integer(fileRun), .integer(run)])
    }

    mutating func note(_ run: Int64, at: Int64, instant: Int64) {
        if instant >= latest[run]?.instant ?? .min { latest[run] = (at, instant) }
    }

    /// Keeps the times up to which these runs are known to have been alive.
    mutating func flush(_ connection: Connection) throws(SQLiteError) {
        for (run, last) in latest.sorted(by: { $0.key < $1.key }) {
            try connection.execute(
                "UPDATE runs SET last_ns = ?1, last_mono_ns = ?2"
                    + " WHERE run = ?3 AND last_mono_ns < ?2",
                [.integer(last.at), .integer(last.instant), .integer(run)])
        }
        latest.removeAll()
    }
}

extension StoreImporter {
    /// The run that records without one are of.
    package static let unnamedRun: Int64 = -1

    /// A run of the file. It keeps its number if that is free. A run that came with an earlier file
    /// is that same run.
    package func take(run members: [String: Datum]) throws(ImportError) {
        let row = try ImportedRow(Tables.runs, members, without: ["first_id"])
        guard case .integer(let fileRun) = row["run"], fileRun >= 0 else {
            throw .refused("run is no count")
        }
        let known = try storing { () throws(SQLiteError) in
            try self.connection.rows(
                """
                SELECT r.run, EXISTS (SELECT 1 FROM imported_runs i WHERE i.run = r.run) FROM runs r
                 WHERE r.started_ns = ? AND r.boot_id = ?
                """, [row["started_ns"], row["boot_id"]]
            ) { (run: $0.integer(0) ?? 0, isImported: $0.integer(1) == 1) }.first
        }
        if let known, !known.isImported {
            throw .refused("run \(fileRun) was recorded by this very store; import into another")
        }
        try storing { () throws(SQLiteError) in
            if let known {
                try self.connection.execute(
                    "UPDATE runs SET last_ns = ?, last_mono_ns = ?, settled = ? WHERE run = ?",
                    [row["last_ns"], row["last_mono_ns"], row["settled"], .integer(known.run)])
                try self.runs.set(fileRun, to: known.run, self.connection)
            } else {
                try self.insertRun(row, as: fileRun)
            }
        }
    }

    /// Numbers beyond are not kept, so that there are always more.
    private static let highestKept: Int64 = 1_000_000_000

    private func insertRun(_ row: ImportedRow, as fileRun: Int64) throws(SQLiteError) {
        let isTaken = try connection.integer(
            "SELECT EXISTS (SELECT 1 FROM runs WHERE run = ?)", [.integer(fileRun)])
        let isFree = isTaken == 0 && (1...Self.highestKept).contains(fileRun)
        let highest = try connection.integer("SELECT coalesce(max(run), 0) FROM runs")
        let run = isFree ? fileRun : highest + 1
        var row = row
        row["run"] = .integer(run)
        row["first_id"] = .integer(nextEvent)
        try connection.execute(Tables.runs.insertion(), row.values)
        try runs.set(fileRun, to: run, connection)
    }

    /// The run of a record. One that the file did not introduce begins with its first record, and
    /// is taken for settled: nobody will ever close what it left open.
    func run(_ fileRun: Int64, at: Int64, instant: Int64) throws(ImportError) -> Int64 {
        if let run = runs[fileRun] { return run }
        var row = ImportedRow(Tables.runs)
        for (name, value) in [
            ("started_ns", at), ("last_ns", at), ("last_mono_ns", instant), ("settled", 1),
        ] { row[name] = .integer(value) }
        row["boot_id"] = .text("")
        row["version"] = .text("")
        let filled = row
        try storing { () throws(SQLiteError) in try self.insertRun(filled, as: fileRun) }
        return runs[fileRun] ?? 0
    }
}

/// A row of one of our tables, out of named values that somebody else wrote.
struct ImportedRow {
    private let columns: [Tables.Column]
    private(set) var values: [Value]

    /// All null.
    init(_ table: Tables.Table) {
        columns = table.columns
        values = Array(repeating: .null, count: columns.count)
    }

    /// - Parameter absent: columns that may be missing.
    /// - Throws: ``ImportError/refused(_:)`` for members that are no columns, of another type, or
    ///   missing.
    init(
        _ table: Tables.Table, _ members: [String: Datum], without absent: Set<String> = []
    ) throws(ImportError) {
        self.init(table)
        for name in members.keys.sorted() where !columns.contains(where: { $0.name == name }) {
            throw .refused("there is no field \(escaped(Array(name.utf8.prefix(64))))")
        }
        for (place, column) in columns.enumerated() where !absent.contains(column.name) {
            let isText = column.type.hasPrefix("TEXT")
            switch members[column.name] {
            case .integer(let number)? where !isText: values[place] = .integer(number)
            case .text(let text)? where isText: values[place] = .text(text)
            case .null?, nil:
                guard !column.type.hasSuffix("NOT NULL"), !column.type.hasSuffix("KEY") else {
                    throw .refused("field \(column.name) is missing")
                }
            default: throw .refused("field \(column.name) is no \(isText ? "text" : "integer")")
            }
        }
    }

    subscript(name: String) -> Value {
        get {
            columns.firstIndex { $0.name == name }.map { values[$0] } ?? .null
        }
        set {
            guard let place = columns.firstIndex(where: { $0.name == name }) else { return }
            values[place] = newValue
        }
    }
}
