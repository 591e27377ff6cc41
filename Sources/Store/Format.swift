import SQLite
import Vocabulary

/// What tells our files from others, and how a file becomes one of ours.
enum Format {
    /// `Weir` in ASCII.
    static let applicationID: Int64 = 0x5765_6972
    /// Raised when an older program could no longer read or write the file rightly. New kinds
    /// and new fields need no new version.
    static let version: Int64 = 4

    enum State { case empty, ours }

    /// - Throws: ``StoreError`` for a file that is not ours to touch.
    static func state(
        of connection: Connection, path: String
    ) throws(StoreError) -> State {
        let (application, version, tables) = try reporting(path) { () throws(SQLiteError) in
            (
                try connection.integer("PRAGMA application_id"),
                try connection.integer("PRAGMA user_version"),
                try connection.integer("SELECT count(*) FROM sqlite_schema")
            )
        }
        if application == 0, version == 0, tables == 0 { return .empty }
        guard application == applicationID else { throw .notAStore(path: path) }
        guard version <= Self.version else {
            throw .newerVersion(path: path, found: version, known: Self.version)
        }
        return .ours
    }

    /// Brings the tables, indexes and views to what the vocabulary wants. Nothing is lost.
    static func upgrade(_ connection: Connection) throws(SQLiteError) {
        try connection.transaction { () throws(SQLiteError) in
            let before = try connection.integer("PRAGMA user_version")
            try connection.execute("PRAGMA application_id = \(applicationID)")
            try connection.execute("PRAGMA user_version = \(version)")
            for table in Tables.all {
                try connection.execute(table.creation)
                try addMissingColumns(of: table, on: connection)
            }
            if before == 1 { try FormatOne.convert(connection) }
            if before < 4 { try Ledger.adopt(connection) }
            for index in Tables.indexes { try connection.execute(index) }
            for index in Tables.oldIndexes {
                try connection.execute("DROP INDEX IF EXISTS \(quoted(index))")
            }
            try replaceTriggers(on: connection)
            try Rollup.adopt(connection)
            try replaceViews(on: connection)
        }
    }

    private static func addMissingColumns(
        of table: Tables.Table, on connection: Connection
    ) throws(SQLiteError) {
        let present = Set(
            try connection.rows("SELECT name FROM pragma_table_info(?)", [.text(table.name)]) {
                $0.text(0) ?? ""
            })
        for column in table.columns where !present.contains(column.name) {
            let initial = column.type.hasPrefix("TEXT") ? "''" : "0"
            let filling = column.type.hasSuffix("NOT NULL") ? " DEFAULT \(initial)" : ""
            try connection.execute(
                "ALTER TABLE \(quoted(table.name)) ADD COLUMN \(quoted(column.name))"
                    + " \(column.type)\(filling)")
        }
    }

    private static func replaceTriggers(on connection: Connection) throws(SQLiteError) {
        for (name, creation) in Rollup.triggers {
            let stored = try connection.value(
                "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", [.text(name)])
            guard stored != .text(creation) else { continue }
            try connection.execute("DROP TRIGGER IF EXISTS \(quoted(name))")
            try connection.execute(creation)
        }
    }

    /// Views that are as we want them stay, so that an ordinary start changes no schema.
    private static func replaceViews(on connection: Connection) throws(SQLiteError) {
        let stored = try connection.rows(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'view'"
        ) { ($0.text(0) ?? "", $0.text(1) ?? "") }
        let present = Dictionary(stored) { first, _ in first }
        let stale = Views.all.filter { present[$0.name] != $0.creation }
        for view in stale { try connection.execute("DROP VIEW IF EXISTS \(quoted(view.name))") }
        for view in stale { try connection.execute(view.creation) }
    }
}

extension Connection {
    /// The first column of the first row; 0 if that is no integer.
    func integer(_ sql: String, _ values: [Value] = []) throws(SQLiteError) -> Int64 {
        if case .integer(let number) = try value(sql, values) { number } else { 0 }
    }
}

/// Names the file in whatever SQLite has to say.
func reporting<Result>(
    _ path: String, _ body: () throws(SQLiteError) -> Result
) throws(StoreError) -> Result {
    do throws(SQLiteError) { return try body() } catch { throw StoreError(error, path: path) }
}
