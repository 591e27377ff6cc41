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
            let connection = try Connection(path: path, mode: .readOnly)
            try connection.execute("PRAGMA query_only = ON")
            return connection
        }
        guard try Format.state(of: connection, path: path) == .ours else {
            throw .notAStore(path: path)
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
}
