import Encoding
package import SQLite
import Vocabulary

/// The tables that read chunks and journal as one. Every connection of ours has them; any other
/// gets them by loading our extension.
package final class SampleTables {
    /// Chunks that could not be read, by their `id`, and rows of the journal as negative numbers.
    /// Everything else was served.
    package private(set) var damaged: Set<Int64> = []
    fileprivate unowned let connection: Connection

    package init(on connection: Connection) throws(SQLiteError) {
        self.connection = connection
        try connection.register(ChildSamples(self), as: "child_samples")
        try connection.register(ChildLast(self), as: "child_last")
    }

    fileprivate func noteDamage(_ id: Int64) { damaged.insert(id) }
}

/// One row for each sample of a Child SA: its counters, and what they moved since its sample
/// before (its first: since it was installed).
private final class ChildSamples: VirtualTable {
    private let owner: SampleTables
    let columns = """
        run INTEGER, at_ns INTEGER, session TEXT, child INTEGER, bytes_in INTEGER,
        packets_in INTEGER, bytes_out INTEGER, packets_out INTEGER, bytes_in_step INTEGER,
        packets_in_step INTEGER, bytes_out_step INTEGER, packets_out_step INTEGER, moved INTEGER
        """
    let indexed: Set<Int> = [0, 1, 2, 3, 12]

    init(_ owner: SampleTables) { self.owner = owner }

    func makeCursor() -> any VirtualTableCursor { SampleCursor(owner) }
}

/// First the chunks one after the other, then the journal tick by tick.
private final class SampleCursor: VirtualTableCursor {
    private let owner: SampleTables
    private var window = SampleWindow()
    private var chunks: Statement?
    private var journal: Statement?
    private var reader = JournalReader()
    private var groups: [Int64: Series?] = [:]

    private struct Sample {
        var at: Int64
        var series: Series
        var counters: Counters
        var step: Counters
    }
    /// Of one chunk or one tick.
    private var samples: [Sample] = []
    private var place = 0

    init(_ owner: SampleTables) { self.owner = owner }

    var isAtEnd: Bool { place >= samples.count }

    func start(_ constraints: [Constraint]) throws(SQLiteError) {
        window = SampleWindow(constraints)
        samples = []
        place = 0
        reader = JournalReader()
        let (sql, values) = window.chunkQuery
        let chunks = try owner.connection.prepare(sql)
        try chunks.start(values)
        self.chunks = chunks
        let journal = try owner.connection.prepare(
            "SELECT run, at_ns, data, id FROM journal ORDER BY id")
        try journal.start()
        self.journal = journal
        try refill()
    }

    func advance() throws(SQLiteError) {
        place += 1
        if isAtEnd { try refill() }
    }

    private func refill() throws(SQLiteError) {
        samples.removeAll(keepingCapacity: true)
        place = 0
        while samples.isEmpty, let row = try chunks?.next() { take(chunk: row) }
        guard samples.isEmpty else { return }
        if let statement = chunks {
            statement.reset()
            chunks = nil
        }
        while samples.isEmpty, let row = try journal?.next() { try take(journal: row) }
        if samples.isEmpty, let statement = journal {
            statement.reset()
            journal = nil
        }
    }

    private func take(chunk row: Row) {
        guard case .blob(let bytes) = row.value(0), let chunk = try? Chunk(decoding: bytes),
            chunk.columns == Counters.count
        else { return owner.noteDamage(row.integer(1) ?? 0) }
        let series = Series(run: row.integer(2), child: row.integer(3), session: row.value(4))
        var before = Counters(chunk.base ?? [], from: 0)
        for (index, at) in chunk.times.enumerated() {
            let counters = Counters(chunk.values, from: index * Counters.count)
            if window.times.contains(at), !window.onlyMoved || counters != before {
                samples.append(
                    Sample(at: at, series: series, counters: counters, step: counters - before))
            }
            before = counters
        }
    }

    private func take(journal row: Row) throws(SQLiteError) {
        guard case .blob(let bytes) = row.value(2), let tick = try? JournalRow(decoding: bytes)
        else {
            owner.noteDamage(-(row.integer(3) ?? 0))
            return reader.take(nil as JournalRow?)
        }
        let at = row.integer(1) ?? 0
        let isWanted = tick.kind == .tick && window.times.contains(at)
        for entry in tick.entries {
            let before = isWanted ? reader.latest[entry.series] : nil
            reader.take(entry)
            guard isWanted, !window.onlyMoved || entry.counters != nil else { continue }
            guard let counters = reader.latest[entry.series],
                let series = try group(entry.series), window.allows(series)
            else { continue }
            samples.append(
                Sample(
                    at: at, series: series, counters: counters,
                    step: counters - (before ?? Counters())))
        }
    }

    private func group(_ id: Int64) throws(SQLiteError) -> Series? {
        if let known = groups[id] { return known }
        let series = try Series(id, of: owner.connection)
        groups[id] = .some(series)
        return series
    }

    func value(_ column: Int) -> Value {
        guard samples.indices.contains(place) else { return .null }
        let sample = samples[place]
        return switch column {
        case 0: .integer(sample.series.run)
        case 1: .integer(sample.at)
        case 2: .text(sample.series.session)
        case 3: .integer(sample.series.child)
        case 4: .integer(Int64(clamping: sample.counters.bytesIn))
        case 5: .integer(Int64(clamping: sample.counters.packetsIn))
        case 6: .integer(Int64(clamping: sample.counters.bytesOut))
        case 7: .integer(Int64(clamping: sample.counters.packetsOut))
        case 8: .integer(Int64(truncatingIfNeeded: sample.step.bytesIn))
        case 9: .integer(Int64(truncatingIfNeeded: sample.step.packetsIn))
        case 10: .integer(Int64(truncatingIfNeeded: sample.step.bytesOut))
        case 11: .integer(Int64(truncatingIfNeeded: sample.step.packetsOut))
        case 12: .integer(sample.step == Counters() ? 0 : 1)
        default: .null
        }
    }
}

/// What a question wants of the samples.
private struct SampleWindow {
    var times = Int64.min...Int64.max
    /// Samples that are as the ones before them are not wanted.
    private(set) var onlyMoved = false
    private var run: Int64?
    private var child: Int64?
    private var session: String?

    init() {}

    init(_ constraints: [Constraint]) {
        for constraint in constraints {
            switch (constraint.column, constraint.relation, constraint.value) {
            case (0, .equal, .integer(let value)): run = value
            case (2, .equal, .text(let value)): session = value
            case (3, .equal, .integer(let value)): child = value
            case (12, .equal, .integer(1)): onlyMoved = true
            case (1, let relation, .integer(let value)): narrow(relation, value)
            default: break
            }
        }
    }

    private mutating func narrow(_ relation: Constraint.Relation, _ value: Int64) {
        var (lower, upper) = (times.lowerBound, times.upperBound)
        if relation != .less, relation != .atMost { lower = max(lower, value) }
        if relation != .greater, relation != .atLeast { upper = min(upper, value) }
        // SQLite drops the rows at the bounds that it does not want.
        times = lower...max(lower, upper)
    }

    func allows(_ series: Series) -> Bool {
        (run ?? series.run) == series.run && (child ?? series.child) == series.child
            && (session ?? series.session) == series.session
    }

    /// Columns: data, id, run, child, session.
    var chunkQuery: (sql: String, values: [Value]) {
        var conditions: [String] = []
        var values: [Value] = []
        func add(_ condition: String, _ value: Value) {
            conditions.append(condition)
            values.append(value)
        }
        if let session {
            add("s.session = ?", SessionID(stored: session)?.bytes ?? .null)
        }
        if let run { add("s.run = ?", .integer(run)) }
        if let child { add("s.child = ?", .integer(child)) }
        // With a session or a Child SA in hand, its own index is the better one.
        let plus = session == nil && child == nil ? "" : "+"
        if times.lowerBound > Int64.min {
            add("\(plus)c.last_s >= ?", .integer(Fold.seconds(times.lowerBound)))
        }
        if times.upperBound < Int64.max {
            add("+c.first_s <= ?", .integer(Fold.seconds(times.upperBound)))
        }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return (
            "SELECT c.data, c.id, s.run, s.child, s.session FROM chunks c"
                + " JOIN series s ON s.id = c.series\(filter)"
                + (session == nil && child == nil ? "" : " ORDER BY c.id"), values
        )
    }
}

/// The latest counters of each Child SA that the journal knows: all that have not ended, and some
/// that have.
private final class ChildLast: VirtualTable {
    private let owner: SampleTables
    private var cache: (key: [Int64], rows: [[Value]], bySession: [String: [Int]])?
    let columns = """
        session TEXT, child INTEGER, run INTEGER, at_ns INTEGER, bytes_in INTEGER,
        packets_in INTEGER, bytes_out INTEGER, packets_out INTEGER
        """
    let indexed: Set<Int> = [0]

    init(_ owner: SampleTables) { self.owner = owner }

    func makeCursor() -> any VirtualTableCursor { LastCursor(self) }

    fileprivate func rows(of session: String?) throws(SQLiteError) -> [[Value]] {
        let connection = owner.connection
        let key = [
            try connection.integer("SELECT coalesce(max(id), 0) FROM journal"),
            try connection.integer("SELECT at_ns FROM journal ORDER BY id DESC LIMIT 1"),
        ]
        if cache?.key != key { cache = try load(key) }
        guard let cache else { return [] }
        guard let session else { return cache.rows }
        return (cache.bySession[session] ?? []).map { cache.rows[$0] }
    }

    private func load(
        _ key: [Int64]
    ) throws(SQLiteError) -> (key: [Int64], rows: [[Value]], bySession: [String: [Int]]) {
        var journal = JournalReader()
        var times: [Int64: Int64] = [:]
        try Fold.forEach(owner.connection) { _, at, row in
            journal.take(row)
            for entry in row?.entries ?? [] where entry.counters != nil { times[entry.series] = at }
        }
        var rows: [[Value]] = []
        var bySession: [String: [Int]] = [:]
        for (id, counters) in journal.latest.sorted(by: { $0.key < $1.key }) {
            guard let series = try Series(id, of: owner.connection) else { continue }
            bySession[series.session, default: []].append(rows.count)
            rows.append(
                [
                    .text(series.session), .integer(series.child), .integer(series.run),
                    .integer(times[id] ?? 0),
                ]
                    + [
                        counters.bytesIn, counters.packetsIn, counters.bytesOut,
                        counters.packetsOut,
                    ].map { .integer(Int64(clamping: $0)) })
        }
        return (key, rows, bySession)
    }
}

private final class LastCursor: VirtualTableCursor {
    private let table: ChildLast
    private var rows: [[Value]] = []
    private var place = 0

    init(_ table: ChildLast) { self.table = table }

    var isAtEnd: Bool { place >= rows.count }

    func start(_ constraints: [Constraint]) throws(SQLiteError) {
        var session: String?
        for constraint in constraints where constraint.relation == .equal {
            if case .text(let text) = constraint.value { session = text }
        }
        rows = try table.rows(of: session)
        place = 0
    }

    func advance() { place += 1 }

    func value(_ column: Int) -> Value {
        rows.indices.contains(place) && rows[place].indices.contains(column)
            ? rows[place][column] : .null
    }
}
