import Encoding
import SQLite

/// Adds up what each Child SA carried within a time, from chunks and the journal, without making
/// the samples: by numbers of series, whose names are looked up once, at the end.
struct TrafficTotals {
    private let times: ClosedRange<Int64>
    private let owner: SampleTables
    private var totals: [Int64: Counters] = [:]

    /// - Returns: Child SAs that carried something, in ascending order of series; then those of
    ///   which only what passed after their last sample is known.
    static func read(
        _ times: ClosedRange<Int64>, of owner: SampleTables
    ) throws(SQLiteError) -> [(series: Series, total: Counters)] {
        var totals = TrafficTotals(times: times, owner: owner)
        try totals.addChunks()
        try totals.addJournal()
        let known = totals.totals.filter { $0.value != Counters() }
        let names = try Series.all(known.keys.sorted(), of: owner.connection)
        var rows: [(series: Series, total: Counters)] = []
        var places: [Series: Int] = [:]
        func add(_ series: Series, _ step: Counters) {
            if let place = places[series] {
                rows[place].total.add(step)
            } else {
                places[series] = rows.count
                rows.append((series, step))
            }
        }
        for (id, series) in names { add(series, known[id] ?? Counters()) }
        let (end, overflow) = times.upperBound.addingReportingOverflow(1)
        for rest in try Series.rests(
            since: times.lowerBound, until: overflow ? .max : end, of: owner.connection)
        {
            add(rest.series, rest.step)
        }
        return rows
    }

    private init(times: ClosedRange<Int64>, owner: SampleTables) {
        self.times = times
        self.owner = owner
    }

    private mutating func addChunks() throws(SQLiteError) {
        let statement = try owner.connection.prepare(
            """
            SELECT c.data, c.id, c.series FROM folds f
              CROSS JOIN chunks c ON c.id BETWEEN f.first_chunk AND f.last_chunk
             WHERE f.last_s >= ? AND f.first_s <= ?
            """)
        defer { statement.reset() }
        try statement.start([
            .integer(FoldRange.seconds(times.lowerBound)),
            .integer(FoldRange.seconds(times.upperBound)),
        ])
        while let row = try statement.next() {
            do throws(ChunkError) {
                guard case .blob(let bytes) = row.value(0) else { throw .truncated }
                guard let steps = try Chunk.steps(of: bytes, within: times) else { continue }
                guard steps.count == Counters.count else { throw .shape }
                totals[row.integer(2) ?? 0, default: Counters()].add(Counters(steps, from: 0))
            } catch {
                owner.noteDamage(row.integer(1) ?? 0)
            }
        }
    }

    private mutating func addJournal() throws(SQLiteError) {
        var journal = JournalTotals()
        let statement = try owner.connection.prepare(
            "SELECT id, run, at_ns, data FROM journal ORDER BY id")
        defer { statement.reset() }
        try statement.start()
        while let stored = try statement.next() {
            guard let row = stored.journalRow else {
                owner.noteDamage(-(stored.integer(0) ?? 0))
                journal.noteDamage()
                continue
            }
            try journal.add(row, counts: times.contains(row.at), on: owner.connection)
        }
        for (series, total) in journal.take() {
            totals[series, default: Counters()].add(total)
        }
    }
}
