import SQLite
import Vocabulary

/// Why something can't be imported.
package enum ImportError: Error, Hashable, Sendable {
    case store(StoreError)
    /// What is wrong with a record, and what to do about it.
    case refused(String)
}

/// How far the import of one file is.
package struct ImportState: Hashable, Sendable {
    package let id: Int64
    /// Without its folder; for people.
    package var name: String
    /// What of the file is in the store.
    package var bytes: Int64 = 0
    package var lines: Int64 = 0
    /// Of the file's first bytes, at most ``headBytes``, and of all that are in the store.
    package var head: UInt64
    package var fingerprint: UInt64
    package var isFinished = false

    package static let headBytes: Int64 = 4_096
}

/// A store's writer for history: what a gateway recorded elsewhere or earlier. It begins no run of
/// its own. What is taken within a batch is in the store together with how far the file is read,
/// or not at all.
package final class StoreImporter {
    package let path: String
    let connection: Connection
    private let tables: SampleTables
    private let lock: WriterLock
    private var isInBatch = false

    var nextEvent: Int64
    var nextSeries: Int64
    var runs = ImportedRuns()
    var children = ImportedChildren()
    var metrics = StagedMetrics()

    /// Opens a store, or makes one that only its owner can read.
    package init(path: String) throws(StoreError) {
        let path = try StoreFile.resolve(path)
        try StoreFile.create(path)
        try StoreFile.checkPermissions(path)
        lock = try WriterLock(for: path)
        let connection = try reporting(path) { () throws(SQLiteError) in
            try Connection(path: path, mode: .readWrite)
        }
        _ = try Format.state(of: connection, path: path)
        tables = try reporting(path) { () throws(SQLiteError) in try SampleTables(on: connection) }
        (nextEvent, nextSeries) = try reporting(path) { () throws(SQLiteError) in
            try Store.configure(connection)
            try Format.upgrade(connection)
            return (
                try Writer.nextID(on: connection),
                try connection.integer("SELECT coalesce(max(id), 0) + 1 FROM series")
            )
        }
        self.path = path
        self.connection = connection
    }

    /// Every file that was ever imported, or begun.
    package func states() throws(ImportError) -> [ImportState] {
        try storing { () throws(SQLiteError) in
            try self.connection.rows(
                """
                SELECT id, name, bytes, lines, head, fingerprint, finished FROM imports ORDER BY id
                """
            ) { row in
                ImportState(
                    id: row.integer(0) ?? 0, name: row.text(1) ?? "", bytes: row.integer(2) ?? 0,
                    lines: row.integer(3) ?? 0,
                    head: UInt64(bitPattern: row.integer(4) ?? 0),
                    fingerprint: UInt64(bitPattern: row.integer(5) ?? 0),
                    isFinished: row.integer(6) == 1)
            }
        }
    }

    /// A file that nothing was imported of yet.
    package func makeState(name: String) throws(ImportError) -> ImportState {
        let id = try storing { () throws(SQLiteError) in
            try self.connection.integer("SELECT coalesce(max(id), 0) + 1 FROM imports")
        }
        return ImportState(id: id, name: name, head: 0, fingerprint: 0)
    }

    /// Within a batch everything counts together, or nothing does.
    package func beginBatch(of state: ImportState) throws(ImportError) {
        do throws(StoreError) {
            try LogLimit(path: path, bytes: Store.standardLogLimit).check(connection)
        } catch { throw .store(error) }
        try storing { () throws(SQLiteError) in
            try self.connection.execute("BEGIN IMMEDIATE")
            self.isInBatch = true
            try self.runs.load(state.id, self.connection)
        }
    }

    /// Makes a batch durable.
    ///
    /// - Parameter state: how far the file is read with it.
    package func commit(_ state: ImportState) throws(ImportError) {
        try storing { () throws(SQLiteError) in
            try self.children.flush(self.connection)
            if state.isFinished { while try Ledger.sum(self.connection) {} }
            try self.runs.flush(self.connection)
            try self.connection.execute(
                ImportTables.imports.insertion(orReplace: true),
                [
                    .integer(state.id), .text(state.name), .integer(state.bytes),
                    .integer(state.lines), .integer(Int64(bitPattern: state.head)),
                    .integer(Int64(bitPattern: state.fingerprint)),
                    .integer(state.isFinished ? 1 : 0),
                ])
            try self.connection.execute("COMMIT")
            self.isInBatch = false
        }
    }

    /// Folds the write-ahead log into the database, gives free space back and lets the next writer
    /// in. A batch that is not committed is gone.
    package func close() {
        if isInBatch { try? connection.execute("ROLLBACK") }
        _ = try? connection.execute("PRAGMA incremental_vacuum")
        _ = try? connection.value("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        lock.release()
    }

    /// Samples that wait in memory for the end of the batch.
    package var waiting: Int { children.count }

    func storing<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(ImportError) -> Result {
        do throws(SQLiteError) { return try body() } catch {
            throw .store(StoreError(error, path: path))
        }
    }
}
