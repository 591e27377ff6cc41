import CSQLite

/// One prepared SQL command.
package final class Statement {
    package let sql: String
    private let handle: Handle
    private let pointer: OpaquePointer
    private var texts: TextBuffer?

    init(_ sql: String, on handle: Handle) throws(SQLiteError) {
        let database = try handle.open()
        var pointer: OpaquePointer?
        var rest = 0
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(database, text, -1, &pointer, &tail)
            if let tail { rest = tail - text }
            return code
        }
        guard code == SQLITE_OK else { throw handle.error(code, sql) }
        guard let pointer else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "there is no command", sql: sql)
        }
        guard Self.isBlank(sql.utf8.dropFirst(rest)) else {
            sqlite3_finalize(pointer)
            throw SQLiteError(
                code: SQLITE_MISUSE, message: "there is text after the first command", sql: sql)
        }
        self.sql = sql
        self.handle = handle
        self.pointer = pointer
    }

    deinit { sqlite3_finalize(pointer) }

    private static func isBlank(_ text: some Sequence<UInt8>) -> Bool {
        text.allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) || $0 == UInt8(ascii: ";") }
    }

    /// Half-way through its rows.
    var isBusy: Bool { sqlite3_stmt_busy(pointer) != 0 }

    /// It can't change the database.
    package var isReadOnly: Bool { sqlite3_stmt_readonly(pointer) != 0 }

    package var columnNames: [String] {
        (0..<sqlite3_column_count(pointer)).map { index in
            sqlite3_column_name(pointer, index).map { String(cString: $0) } ?? ""
        }
    }

    /// Names of the parameters in order, with their colon; nil for a bare `?`.
    package var parameterNames: [String?] {
        (0..<sqlite3_bind_parameter_count(pointer)).map { index in
            sqlite3_bind_parameter_name(pointer, index + 1).map { String(cString: $0) }
        }
    }

    /// Runs to the end; rows are ignored.
    ///
    /// - Parameter values: one for each parameter.
    package func run(_ values: [Value] = []) throws(SQLiteError) {
        try forEachRow(values) { _ in }
    }

    /// Runs to the end with integers only, as ``run(_:)`` in less time.
    package func run(integers: [Int64]) throws(SQLiteError) {
        try run { row in
            for number in integers { row.bind(number) }
        }
    }

    /// Runs to the end, as ``run(_:)`` in less time: no value is copied to the heap. Not for
    /// a command that has itself run again.
    ///
    /// - Parameter bind: gives each parameter its value, in order.
    package func run(binding bind: (inout RowBinder) -> Void) throws(SQLiteError) {
        _ = try handle.open()
        let texts = self.texts ?? TextBuffer()
        self.texts = texts
        var binder = RowBinder(pointer, texts)
        bind(&binder)
        defer { sqlite3_reset(pointer) }
        let expected = sqlite3_bind_parameter_count(pointer)
        guard binder.code == SQLITE_OK else { throw handle.error(binder.code, sql) }
        guard binder.count == expected else {
            throw SQLiteError(
                code: SQLITE_RANGE, message: "\(binder.count) values for \(expected) parameters",
                sql: sql)
        }
        while try next() != nil {}
    }

    /// - Returns: what `read` makes of each row, in order.
    package func rows<Result>(
        _ values: [Value] = [], _ read: (Row) -> Result
    ) throws(SQLiteError) -> [Result] {
        var results: [Result] = []
        try forEachRow(values) { results.append(read($0)) }
        return results
    }

    /// Calls `body` with each row, in order. The row is valid only within the call.
    package func forEachRow(
        _ values: [Value] = [], _ body: (Row) -> Void
    ) throws(SQLiteError) {
        defer { reset() }
        try start(values)
        while let row = try next() { body(row) }
    }

    /// Stands before the first row; for rows that are asked for one at a time.
    package func start(_ values: [Value] = []) throws(SQLiteError) {
        _ = try handle.open()
        reset()
        try bind(values)
    }

    /// - Returns: the next row, valid until the next call; nil at the end.
    package func next() throws(SQLiteError) -> Row? {
        switch sqlite3_step(pointer) {
        case SQLITE_ROW: return Row(statement: pointer)
        case SQLITE_DONE: return nil
        case let code: throw handle.error(code, sql)
        }
    }

    /// Ends reading early, and forgets the values.
    package func reset() {
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    private func bind(_ values: [Value]) throws(SQLiteError) {
        let expected = sqlite3_bind_parameter_count(pointer)
        guard values.count == Int(expected) else {
            throw SQLiteError(
                code: SQLITE_RANGE, message: "\(values.count) values for \(expected) parameters",
                sql: sql)
        }
        var index: Int32 = 0
        for value in values {
            index += 1
            let code = bind(value, at: index)
            guard code == SQLITE_OK else { throw handle.error(code, sql) }
        }
    }

    private func bind(_ value: Value, at index: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(pointer, index)
        case .integer(let number): return sqlite3_bind_int64(pointer, index, number)
        case .real(let number): return sqlite3_bind_double(pointer, index, number)
        case .text(var text):
            return text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) { bytes in
                    guard let start = bytes.baseAddress else {
                        return weir_sqlite3_bind_text(pointer, index, "", 0)
                    }
                    return weir_sqlite3_bind_text(
                        pointer, index, start, Int32(clamping: bytes.count))
                }
            }
        case .blob(let blob):
            guard !blob.isEmpty else { return sqlite3_bind_zeroblob(pointer, index, 0) }
            return blob.withUnsafeBytes { bytes in
                weir_sqlite3_bind_blob(
                    pointer, index, bytes.baseAddress, Int32(clamping: bytes.count))
            }
        }
    }
}

/// The row that a statement stands on. Columns count from 0; one that does not exist is null.
package struct Row {
    let statement: OpaquePointer

    package var count: Int { Int(sqlite3_data_count(statement)) }

    /// - Returns: nil for anything but an integer.
    package func integer(_ column: Int) -> Int64? {
        guard type(column) == SQLITE_INTEGER else { return nil }
        return sqlite3_column_int64(statement, Int32(column))
    }

    /// - Returns: an integer as a real; nil for text, blobs and null.
    package func real(_ column: Int) -> Double? {
        let type = type(column)
        guard type == SQLITE_FLOAT || type == SQLITE_INTEGER else { return nil }
        return sqlite3_column_double(statement, Int32(column))
    }

    /// - Returns: nil for anything but text. Bytes that are no UTF-8 are repaired.
    package func text(_ column: Int) -> String? {
        guard type(column) == SQLITE_TEXT,
            let bytes = sqlite3_column_text(statement, Int32(column))
        else { return nil }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    package func value(_ column: Int) -> Value {
        switch type(column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, Int32(column)))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, Int32(column)))
        case SQLITE_TEXT: return text(column).map { .text($0) } ?? .null
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(statement, Int32(column)))
            guard let bytes = sqlite3_column_blob(statement, Int32(column)) else {
                return .blob([])
            }
            return .blob([UInt8](UnsafeRawBufferPointer(start: bytes, count: count)))
        default: return .null
        }
    }

    package var values: [Value] { (0..<count).map { value($0) } }

    private func type(_ column: Int) -> Int32 {
        guard (0..<count).contains(column) else { return SQLITE_NULL }
        return sqlite3_column_type(statement, Int32(column))
    }
}
