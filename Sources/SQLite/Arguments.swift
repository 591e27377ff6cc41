import CSQLite

extension Value {
    /// An argument of a function or a table.
    init(argument: OpaquePointer?) {
        switch sqlite3_value_type(argument) {
        case SQLITE_INTEGER: self = .integer(sqlite3_value_int64(argument))
        case SQLITE_FLOAT: self = .real(sqlite3_value_double(argument))
        case SQLITE_TEXT:
            let count = Int(sqlite3_value_bytes(argument))
            let bytes = UnsafeBufferPointer(start: sqlite3_value_text(argument), count: count)
            self = .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let count = Int(sqlite3_value_bytes(argument))
            let bytes = UnsafeRawBufferPointer(start: sqlite3_value_blob(argument), count: count)
            self = .blob([UInt8](bytes))
        default: self = .null
        }
    }

    /// As the result of a function, or of a table's column.
    func give(to context: OpaquePointer) {
        switch self {
        case .null: sqlite3_result_null(context)
        case .integer(let number): sqlite3_result_int64(context, number)
        case .real(let number): sqlite3_result_double(context, number)
        case .text(var text):
            text.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) { bytes in
                    weir_sqlite3_result_text(
                        context, bytes.baseAddress, Int32(clamping: bytes.count))
                }
            }
        case .blob(let blob):
            blob.withUnsafeBytes { bytes in
                weir_sqlite3_result_blob(
                    context, bytes.baseAddress, Int32(clamping: bytes.count))
            }
        }
    }
}
