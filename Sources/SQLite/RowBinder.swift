import CSQLite

/// Gives the parameters of a command their values, in order.
package struct RowBinder {
    private let statement: OpaquePointer
    private let texts: TextBuffer
    private(set) var count: Int32 = 0
    /// Of the first value that SQLite refused.
    private(set) var code = SQLITE_OK
    private var used = 0

    init(_ statement: OpaquePointer, _ texts: TextBuffer) {
        self.statement = statement
        self.texts = texts
    }

    private mutating func note(_ result: Int32) { if code == SQLITE_OK { code = result } }

    package mutating func bindNull() {
        count += 1
        note(sqlite3_bind_null(statement, count))
    }

    package mutating func bind(_ number: Int64) {
        count += 1
        note(sqlite3_bind_int64(statement, count, number))
    }

    package mutating func bind(_ number: Double) {
        count += 1
        note(sqlite3_bind_double(statement, count, number))
    }

    package mutating func bind(_ text: String) {
        count += 1
        var text = text
        note(text.withUTF8 { bind($0) })
    }

    /// Short texts stay in the statement's own memory, where they are until it has run.
    private mutating func bind(_ text: UnsafeBufferPointer<UInt8>) -> Int32 {
        let size = Int32(clamping: text.count)
        guard text.count <= TextBuffer.size - used, let start = text.baseAddress else {
            return text.withMemoryRebound(to: CChar.self) { bytes in
                guard let start = bytes.baseAddress else {
                    return weir_sqlite3_bind_text(statement, count, "", 0)
                }
                return weir_sqlite3_bind_text(statement, count, start, size)
            }
        }
        let place = texts.bytes + used
        place.update(from: start, count: text.count)
        used += text.count
        return place.withMemoryRebound(to: CChar.self, capacity: text.count) { bytes in
            sqlite3_bind_text(statement, count, bytes, size, nil)
        }
    }
}

/// Memory for the texts of one run of a statement.
final class TextBuffer {
    static let size = 8_192
    let bytes: UnsafeMutablePointer<UInt8>

    init() { bytes = .allocate(capacity: Self.size) }

    deinit { bytes.deallocate() }
}
