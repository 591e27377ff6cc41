package import SQLite
package import Vocabulary

/// A store, for reading only: while its writer writes, and after it crashed.
///
/// The user needs to be able to write to the store's directory, because readers and writer
/// share a small file there. Use it from one thread at a time.
package struct StoreReader {
    /// Without symbolic links.
    package let path: String
    /// Refuses every change.
    package let connection: Connection
    private let samples: SampleTables

    /// How many chunks of samples no question so far could read. They were left out.
    package var damagedChunks: Int { samples.damaged.count }

    /// What a question gives: the names of the columns, and the rows.
    package struct Rows: Hashable, Sendable {
        package let columns: [String]
        package let rows: [[Datum]]
    }

    /// - Throws: ``StoreError`` if there is no such file, or it is not a store of ours.
    package init(path: String) throws(StoreError) {
        let path = try StoreFile.resolve(path)
        guard StoreFile.exists(path) else { throw .missing(path: path) }
        let connection = try reporting(path) { () throws(SQLiteError) in
            let connection = try Connection(
                path: path, mode: StoreFile.isFrozen(path) ? .immutable : .readOnly)
            try connection.execute("PRAGMA query_only = ON")
            return connection
        }
        guard try Format.state(of: connection, path: path) == .ours else {
            throw .notAStore(path: path)
        }
        samples = try reporting(path) { () throws(SQLiteError) in
            try SampleTables(on: connection)
        }
        self.path = path
        self.connection = connection
    }

    /// Asks one SQL question.
    ///
    /// - Parameters:
    ///   - sql: one command that changes nothing, with parameters such as `:since`.
    ///   - parameters: values by name, without the colon; more than `sql` names may be given.
    /// - Throws: ``StoreError/database(path:_:)`` for a mistake in `sql`, a parameter without a
    ///   value, or a command that would change something.
    package func rows(
        _ sql: String, _ parameters: [String: Datum] = [:]
    ) throws(StoreError) -> Rows {
        try reporting(path) { () throws(SQLiteError) in
            let statement = try connection.prepare(sql)
            guard statement.isReadOnly else {
                throw SQLiteError(
                    code: SQLiteError.Kind.misuse.rawValue,
                    message: "the command would change the store", sql: sql)
            }
            var values: [Value] = []
            for name in statement.parameterNames {
                guard let value = parameters[String((name ?? "?").dropFirst())] else {
                    throw SQLiteError(
                        code: SQLiteError.Kind.range.rawValue,
                        message: "no value for parameter \(name ?? "?")", sql: sql)
                }
                values.append(value.value)
            }
            let rows = try statement.rows(values) { row in row.values.map { Datum($0) } }
            return Rows(columns: statement.columnNames, rows: rows)
        }
    }

    /// Asks one SQL question of somebody whom we need not trust. Afterwards this reader can't do
    /// anything else either.
    ///
    /// - Parameters:
    ///   - seconds: that it may take.
    ///   - memoryBytes: that SQLite may take, in this whole process.
    package func restrictedRows(
        _ sql: String, seconds: Double, memoryBytes: Int64
    ) throws(StoreError) -> Rows {
        // Connects the tables of samples, which is more than a reader may do afterwards.
        _ = try rows(
            "SELECT 1 FROM child_samples, traffic_between, traffic_unsummed, imported_samples"
                + " WHERE 0")
        try reporting(path) { () throws(SQLiteError) in
            try connection.restrictToReading(seconds: seconds, memoryBytes: memoryBytes)
        }
        return try rows(sql)
    }
}
