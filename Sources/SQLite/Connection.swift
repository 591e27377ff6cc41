import CSQLite

/// One connection to one database file. Use it from one thread at a time.
package final class Connection {
    package enum Mode: Sendable {
        /// Fails if there is no such file.
        case readOnly
        /// Creates the file if there is none, with the process's umask.
        case readWrite
    }

    let handle: Handle
    private var statements: [String: Statement] = [:]
    private var deadline: Deadline?
    private let busyTimeoutMilliseconds: Int32
    /// More distinct statements than any program of ours has; a bound, not a tuning knob.
    private static let cacheLimit = 512

    /// - Parameters:
    ///   - path: of the file, or `:memory:`. Never read as a URI.
    ///   - busyTimeoutMilliseconds: how long a statement waits for somebody else's lock.
    /// - Throws: ``SQLiteError`` if the file can't be opened. A file that is no database is
    ///   found out by the first statement.
    package init(
        path: String, mode: Mode, busyTimeoutMilliseconds: Int32 = 5_000
    ) throws(SQLiteError) {
        let access =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
        var pointer: OpaquePointer?
        let code = sqlite3_open_v2(
            path, &pointer, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        handle = Handle(pointer)
        guard code == SQLITE_OK else {
            let error = handle.error(code, "")
            handle.close()
            throw error
        }
        sqlite3_busy_timeout(pointer, busyTimeoutMilliseconds)
    }

    /// Somebody else's connection, in whose process we are a guest. It is never closed from here.
    package init(guestOf pointer: OpaquePointer) {
        handle = Handle(pointer, isGuest: true)
        busyTimeoutMilliseconds = 0
    }

    /// Ends all statements and closes the file. A second call does nothing; any other use
    /// afterwards throws misuse.
    package func close() {
        statements.removeAll()
        handle.close()
    }

    /// Ends all statements that nobody else holds.
    package func forgetStatements() { statements.removeAll() }

    /// - Returns: the statement for exactly one SQL command, prepared once for each text.
    /// - Throws: ``SQLiteError`` for a mistake in `sql`, and for text after its first command.
    package func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        if let statement = statements[sql], !statement.isBusy { return statement }
        let statement = try Statement(sql, on: handle)
        if statements[sql] == nil {
            if statements.count >= Self.cacheLimit { statements.removeAll() }
            statements[sql] = statement
        }
        return statement
    }

    /// Runs one command to its end; rows are ignored.
    package func execute(_ sql: String, _ values: [Value] = []) throws(SQLiteError) {
        try prepare(sql).run(values)
    }

    /// Runs one insertion.
    ///
    /// - Returns: the new row's id.
    package func insert(_ sql: String, _ values: [Value]) throws(SQLiteError) -> Int64 {
        try prepare(sql).run(values)
        return sqlite3_last_insert_rowid(try handle.open())
    }

    /// Runs any number of commands without parameters, separated by semicolons.
    package func execute(script: String) throws(SQLiteError) {
        let code = sqlite3_exec(try handle.open(), script, nil, nil, nil)
        guard code == SQLITE_OK else { throw handle.error(code, script) }
    }

    /// - Returns: what `read` makes of each row, in order.
    package func rows<Result>(
        _ sql: String, _ values: [Value] = [], _ read: (Row) -> Result
    ) throws(SQLiteError) -> [Result] {
        try prepare(sql).rows(values, read)
    }

    /// - Returns: the first column of the first row; null if there is no row.
    package func value(_ sql: String, _ values: [Value] = []) throws(SQLiteError) -> Value {
        try rows(sql, values) { $0.value(0) }.first ?? .null
    }

    /// All of `body` or nothing of it. Takes the write lock at its beginning, so that it can't
    /// fail for a lock half-way. Not for nesting.
    ///
    /// - Throws: what `body` threw, or why the commit failed; either way nothing has changed.
    package func transaction<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // A full disk has SQLite roll back by itself.
            if try sqlite3_get_autocommit(handle.open()) == 0 { try execute("ROLLBACK") }
            throw error
        }
    }

    /// Moves all of the write-ahead log into the database and leaves none of it. Waits for nobody.
    ///
    /// - Returns: false if somebody reads or writes what would have to go; as much as can be is in
    ///   the database then, and the log is as long as before.
    package func truncateLog() throws(SQLiteError) -> Bool {
        sqlite3_busy_timeout(try handle.open(), 0)
        defer { sqlite3_busy_timeout(handle.pointer, busyTimeoutMilliseconds) }
        return try value("PRAGMA wal_checkpoint(TRUNCATE)") == .integer(0)
    }

    /// From now on this connection reads and nothing else, whatever SQL it is given: no pragma, no
    /// other file, no change. A command that runs past the deadline is interrupted.
    ///
    /// - Parameters:
    ///   - seconds: for all that is still to come, from now on.
    ///   - memoryBytes: for SQLite in this whole process.
    package func restrictToReading(seconds: Double, memoryBytes: Int64) throws(SQLiteError) {
        let pointer = try handle.open()
        sqlite3_hard_heap_limit64(memoryBytes)
        sqlite3_set_authorizer(
            pointer,
            { _, action, _, name, _, _ in
                switch action {
                case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return SQLITE_OK
                case SQLITE_FUNCTION:
                    let isLoader = name.map { String(cString: $0) == "load_extension" } ?? true
                    return isLoader ? SQLITE_DENY : SQLITE_OK
                default: return SQLITE_DENY
                }
            }, nil)
        let deadline = Deadline(seconds: seconds)
        self.deadline = deadline
        sqlite3_progress_handler(
            pointer, 10_000,
            { context in
                guard let context else { return 1 }
                return Unmanaged<Deadline>.fromOpaque(context).takeUnretainedValue().hasPassed
                    ? 1 : 0
            }, Unmanaged.passUnretained(deadline).toOpaque())
    }

    /// Rows that the last insert, update or delete touched.
    package var changes: Int {
        guard let pointer = handle.pointer else { return 0 }
        return Int(sqlite3_changes(pointer))
    }
}

/// The C connection, kept until the last statement on it is gone.
final class Handle {
    private(set) var pointer: OpaquePointer?
    private let isGuest: Bool

    init(_ pointer: OpaquePointer?, isGuest: Bool = false) {
        self.pointer = pointer
        self.isGuest = isGuest
    }

    deinit { close() }

    func close() {
        if !isGuest { sqlite3_close_v2(pointer) }
        pointer = nil
    }

    func open() throws(SQLiteError) -> OpaquePointer {
        guard let pointer else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "the database is closed", sql: "")
        }
        return pointer
    }

    func error(_ code: Int32, _ sql: String) -> SQLiteError {
        let message = pointer.map { String(cString: sqlite3_errmsg($0)) }
        return SQLiteError(
            code: code, message: message ?? String(cString: sqlite3_errstr(code)), sql: sql)
    }
}

private final class Deadline {
    private let instant: ContinuousClock.Instant

    init(seconds: Double) { instant = .now + .seconds(seconds) }

    var hasPassed: Bool { ContinuousClock.now >= instant }
}
