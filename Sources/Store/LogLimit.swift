import SQLite

/// Keeps the write-ahead log of a store within bounds. It is folded into the database all the time,
/// but for what somebody still reads: a reader that holds one question open has it grow.
struct LogLimit {
    let path: String
    /// The log's length from which on nothing is written.
    let bytes: UInt64

    var hasRoom: Bool { Self.size(path) < bytes }

    /// Asked before a transaction; so the log passes the limit by what one transaction writes, and
    /// by no more. Waits for nobody.
    ///
    /// - Throws: ``StoreError/logPinned(path:limit:readers:)`` if the log is as long and can't be
    ///   folded; as soon as it can, it is, and this throws no more.
    func check(_ connection: Connection) throws(StoreError) {
        guard !hasRoom else { return }
        let isFolded = try reporting(path) { () throws(SQLiteError) in
            try connection.truncateLog()
        }
        guard isFolded else {
            throw .logPinned(path: path, limit: bytes, readers: LogReaders.named(of: path))
        }
    }

    static func size(_ path: String) -> UInt64 { StoreFile.size(path + "-wal") }
}
