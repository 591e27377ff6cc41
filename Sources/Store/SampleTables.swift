import Encoding
package import SQLite
import Vocabulary

/// The table that reads chunks and journal as one. Every connection of ours has it; any other gets
/// it by loading our extension.
package final class SampleTables {
    /// Chunks that could not be read, by their `id`, and rows of the journal as negative numbers.
    /// Everything else was served.
    package private(set) var damaged: Set<Int64> = []
    fileprivate unowned let connection: Connection
    /// The connection, if nobody else keeps it.
    private let guest: Connection?

    package convenience init(on connection: Connection) throws(SQLiteError) {
        try self.init(connection, guest: nil)
    }

    /// For a connection of somebody else's: the table and all it needs live as long as that.
    package static func register(onGuest connection: Connection) throws(SQLiteError) {
        _ = try SampleTables(connection, guest: connection)
    }

    private init(_ connection: Connection, guest: Connection?) throws(SQLiteError) {
        self.connection = connection
        self.guest = guest
        try connection.register(ChildSamples(self), as: "child_samples")
    }

    fileprivate func disconnected() { guest?.forgetStatements() }

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

    func disconnected() { owner.disconnected() }
}

/// First the chunks one after the other, then the journal tick by tick.
private final class SampleCursor: VirtualTableCursor {
    private let owner: SampleTables
    private var window = SampleWindow()
    private var chunks: Statement?
    private var journal: Statement?
    private var latest: [Int64: Counters] = [:]
    private var groups: [Int64: Series?] = [:]
    /// A row of the journal could not be read.
    private var isBroken = false
    /// Of one chunk or one tick.
    private var samples = Samples()

    init(_ owner: SampleTables) { self.owner = owner }

    var isAtEnd: Bool { samples.isAtEnd }

    func value(_ column: Int) -> Value { samples.value(column) }

    func start(_ constraints: [Constraint]) throws(SQLiteError) {
        window = SampleWindow(constraints)
        latest = [:]
        isBroken = false
        let (sql, values) = window.chunkQuery
        let chunks = try owner.connection.prepare(sql)
        try chunks.start(values)
        self.chunks = chunks
        let journal = try owner.connection.prepare(
            "SELECT id, run, at_ns, data FROM journal ORDER BY id")
        try journal.start()
        self.journal = journal
        try refill()
    }

    func advance() throws(SQLiteError) {
        if samples.advance() { try refill() }
    }

    private func refill() throws(SQLiteError) {
        samples.removeAll()
        while samples.isAtEnd, let row = try chunks?.next() { take(chunk: row) }
        guard samples.isAtEnd else { return }
        if let statement = chunks {
            statement.reset()
            chunks = nil
        }
        while samples.isAtEnd, let row = try journal?.next() { try take(journal: row) }
        if samples.isAtEnd, let statement = journal {
            statement.reset()
            journal = nil
        }
    }

    private func take(chunk row: Row) {
        guard case .blob(let bytes) = row.value(0), let chunk = try? Chunk(decoding: bytes),
            chunk.columns == Counters.count
        else { return owner.noteDamage(row.integer(1) ?? 0) }
        samples.take(
            chunk, of: Series(run: row.integer(2), child: row.integer(3), session: row.text(4)),
            window)
    }

    private func take(journal stored: Row) throws(SQLiteError) {
        guard let row = stored.journalRow else {
            owner.noteDamage(-(stored.integer(0) ?? 0))
            latest.removeAll()
            isBroken = true
            return
        }
        let isWanted = row.kind == .tick && window.times.contains(row.at)
        var reader = row.reader
        while let entry = reader.next() {
            let before = latest[entry.series]
            let counters = reader.counters(of: entry)
            if let counters { latest[entry.series] = counters }
            guard isWanted, counters != nil || !window.onlyMoved, let now = counters ?? before,
                let series = try group(entry.series), window.allows(series)
            else { continue }
            var from = before
            if from == nil, isBroken {
                from = try Series.lastInChunks(entry.series, of: owner.connection)
            }
            samples.add(row.at, now, now.step(from: from ?? Counters()), of: series)
        }
    }

    private func group(_ id: Int64) throws(SQLiteError) -> Series? {
        if let known = groups[id] { return known }
        let series = try Series(id, of: owner.connection)
        groups[id] = .some(series)
        return series
    }
}

/// Samples of one chunk or one tick, and one of them that a cursor stands on.
private struct Samples {
    private struct Sample {
        let at: Int64
        let counters: Counters
        let step: Counters
        /// In `series`.
        let owner: Int
    }
    private var samples: [Sample] = []
    private var series: [Series] = []
    private var place = 0

    var isAtEnd: Bool { place >= samples.count }

    mutating func removeAll() {
        samples.removeAll(keepingCapacity: true)
        series.removeAll(keepingCapacity: true)
        place = 0
    }

    /// - Returns: whether that was the last.
    mutating func advance() -> Bool {
        place += 1
        return isAtEnd
    }

    mutating func add(_ at: Int64, _ counters: Counters, _ step: Counters, of owner: Series) {
        series.append(owner)
        samples.append(Sample(at: at, counters: counters, step: step, owner: series.count - 1))
    }

    mutating func take(_ chunk: Chunk, of owner: Series, _ window: SampleWindow) {
        series.append(owner)
        var before = Counters(chunk.base ?? [], from: 0)
        for (index, at) in chunk.times.enumerated() {
            let counters = Counters(chunk.values, from: index * Counters.count)
            if window.times.contains(at), !window.onlyMoved || counters != before {
                samples.append(
                    Sample(
                        at: at, counters: counters, step: counters.step(from: before),
                        owner: series.count - 1))
            }
            before = counters
        }
    }

    func value(_ column: Int) -> Value {
        guard place < samples.count else { return .null }
        let sample = samples[place]
        return switch column {
        case 0: .integer(series[sample.owner].run)
        case 1: .integer(sample.at)
        case 2: .text(series[sample.owner].session)
        case 3: .integer(series[sample.owner].child)
        case 4: .integer(sample.counters.bytesIn.clamped)
        case 5: .integer(sample.counters.packetsIn.clamped)
        case 6: .integer(sample.counters.bytesOut.clamped)
        case 7: .integer(sample.counters.packetsOut.clamped)
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

    /// Columns: data, id, run, child, session. In the order of the chunks.
    var chunkQuery: (sql: String, values: [Value]) {
        var conditions: [String] = []
        var values: [Value] = []
        func add(_ condition: String, _ value: Value) {
            conditions.append(condition)
            values.append(value)
        }
        if let session { add("n.session = ?", .text(session)) }
        if let run { add("s.run = ?", .integer(run)) }
        if let child { add("s.child = ?", .integer(child)) }
        // With a session or a Child SA in hand its own index is the best one; and CROSS JOIN has
        // SQLite begin with the few folds that are of the time.
        let isOfTime = session == nil && child == nil
        if isOfTime, times.lowerBound > Int64.min {
            add("f.last_s >= ?", .integer(FoldRange.seconds(times.lowerBound)))
        }
        if isOfTime, times.upperBound < Int64.max {
            add("f.first_s <= ?", .integer(FoldRange.seconds(times.upperBound)))
        }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let source =
            isOfTime
            ? "folds f CROSS JOIN chunks c ON c.id BETWEEN f.first_chunk AND f.last_chunk"
            : "chunks c"
        return (
            "SELECT c.data, c.id, s.run, s.child, n.session FROM \(source)"
                + " JOIN series s ON s.id = c.series"
                + " JOIN sampled_sessions n ON n.id = s.session\(filter)"
                + (isOfTime ? "" : " ORDER BY c.id"), values
        )
    }
}
