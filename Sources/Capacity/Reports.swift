import SQLite
package import Store
import Vocabulary

/// The reports on one store. Each is made of one consistent state of it, even while the gateway
/// writes. Use it from one thread at a time.
package struct Reports {
    private let store: StoreReader
    /// How to read the gateway's figures; nil: as suits the window. What comes of it is the same.
    var resolution: TickHistory.Resolution?

    package init(on store: StoreReader) { self.store = store }

    var database: Connection { store.connection }

    /// Runs `body` on one state of the database.
    func snapshot<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(StoreError) -> Result {
        do throws(SQLiteError) { return try database.reading(body) } catch {
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
        var fold = TickFold(
            started: started,
            base: try TickHistory.last(before: window.since.nanoseconds, on: database)
                .map { $0.bounded })
        try TickHistory.forEach(in: window.range, by: resolution ?? window.resolution, on: database)
        {
            fold.add($0.bounded)
        }
        return fold
    }
}

extension Window {
    /// Empty if they are the wrong way round.
    var range: Range<Int64> { since.nanoseconds..<max(since.nanoseconds, until.nanoseconds) }

    /// Short windows are read tick by tick, which is quick enough; what comes of it is the same.
    var resolution: TickHistory.Resolution { nanoseconds > 6 * Span.hour ? .hours : .ticks }

    var bounds: [Value] { [.integer(since.nanoseconds), .integer(until.nanoseconds)] }
}

extension TickSummary {
    /// With times within 1970 to 2116 whatever the file says, so that they can be added and
    /// subtracted.
    fileprivate var bounded: Self {
        func time(_ nanoseconds: Int64) -> Int64 { min(max(0, nanoseconds), 1 << 62) }
        var sum = self
        (sum.first, sum.last) = (time(first), time(last))
        (sum.firstInstant, sum.instant) = (time(firstInstant), time(instant))
        (sum.sessionsPeak, sum.silenceFrom) = (time(sessionsPeak), time(silenceFrom))
        return sum
    }
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
