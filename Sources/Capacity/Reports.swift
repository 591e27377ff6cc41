import SQLite
package import Store
import Vocabulary

/// The reports on one store. Each is made of one consistent state of it, even while the gateway
/// writes. Use it from one thread at a time.
package struct Reports {
    private let store: StoreReader

    package init(on store: StoreReader) { self.store = store }

    var database: Connection { store.connection }

    /// Runs `body` on one state of the database.
    func snapshot<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(StoreError) -> Result {
        do throws(SQLiteError) {
            try database.execute("BEGIN")
            let result = try body()
            try database.execute("COMMIT")
            return result
        } catch {
            // Nothing was written; the first error is the one to tell.
            try? database.execute("ROLLBACK")
            throw .database(path: store.path, error)
        }
    }

    /// Sums up the ticks of `window`.
    func ticks(in window: Window) throws(SQLiteError) -> TickFold {
        var started: [Int64: Int64] = [:]
        for (run, at) in try database.rows(
            "SELECT run, started_ns FROM runs", [],
            { row in
                (row.integer(0) ?? 0, row.time(1))
            })
        {
            started[run] = at
        }
        let base = try database.rows(
            "\(Self.tickColumns) WHERE at_ns < ? ORDER BY at_ns DESC LIMIT 1",
            [.integer(window.since.nanoseconds)], Self.tick
        ).first
        var fold = TickFold(started: started, base: base)
        try database.prepare("\(Self.tickColumns) WHERE at_ns >= ? AND at_ns < ? ORDER BY at_ns")
            .forEachRow(window.bounds) { fold.add(Self.tick($0)) }
        return fold
    }

    private static let tickColumns = """
        SELECT run, at_ns, mono_ns, sessions, session_limit, bytes_in, packets_in, bytes_out, \
        packets_out FROM ticks
        """

    private static func tick(_ row: Row) -> TickRow {
        TickRow(
            run: row.integer(0) ?? 0, at: row.time(1), instant: row.time(2),
            sessions: row.integer(3) ?? 0, sessionLimit: row.integer(4) ?? 0,
            traffic: row.traffic(from: 5))
    }
}

extension Window {
    var bounds: [Value] { [.integer(since.nanoseconds), .integer(until.nanoseconds)] }
}

extension Row {
    /// Nanoseconds, kept within 1970 to 2116 whatever the file says, so that they can be added
    /// and subtracted.
    func time(_ column: Int) -> Int64 { min(max(0, integer(column) ?? 0), 1 << 62) }

    /// Four columns in the order of the store's; what is missing or negative is 0.
    func traffic(from column: Int) -> Traffic {
        Traffic(
            bytesIn: UInt64(clamping: integer(column) ?? 0),
            packetsIn: UInt64(clamping: integer(column + 1) ?? 0),
            bytesOut: UInt64(clamping: integer(column + 2) ?? 0),
            packetsOut: UInt64(clamping: integer(column + 3) ?? 0))
    }
}

extension Datum {
    /// What the store holds, as the store holds it. Blobs are not shown.
    init(_ value: Value) {
        switch value {
        case .null, .blob: self = .null
        case .integer(let number): self = .integer(number)
        case .real(let number): self = .real(number)
        case .text(let text): self = .text(text)
        }
    }

    /// Whole numbers as integers.
    init(_ value: Double?) {
        guard let value, value.isFinite else {
            self = .null
            return
        }
        self = Int64(exactly: value).map { .integer($0) } ?? .real(value)
    }

    init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }

    init(_ value: UInt64) { self = value.datum }

    init(_ value: String?) { self = value.map { .text($0) } ?? .null }
}
