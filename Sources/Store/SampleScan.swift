import Encoding
import SQLite
import Vocabulary

/// Reads the samples that a question wants: first the chunks one after the other, then the journal
/// tick by tick.
final class SampleScan {
    private let owner: SampleTables
    private let window: SampleWindow
    private var chunks: Statement?
    private var journal: Statement?
    private var latest: [Int64: Counters] = [:]
    private var groups: [Int64: Series?] = [:]
    /// The groups that are wanted, in ascending order; nil is all.
    private var wanted: [Int64]?
    /// A row of the journal could not be read.
    private var isBroken = false

    init(_ window: SampleWindow, of owner: SampleTables) throws(SQLiteError) {
        self.owner = owner
        var window = window
        try window.findSession(owner.connection)
        self.window = window
        if let (sql, values) = window.seriesQuery {
            wanted = try owner.connection.rows(sql, values) { $0.integer(0) ?? 0 }
        }
        let (sql, values) = window.chunkQuery(wanted)
        let chunks = try owner.connection.prepare(sql)
        try chunks.start(values)
        self.chunks = chunks
        let journal = try owner.connection.prepare(
            "SELECT id, run, at_ns, data FROM journal ORDER BY id")
        try journal.start()
        self.journal = journal
    }

    deinit {
        chunks?.reset()
        journal?.reset()
    }

    /// Reads one chunk or one tick.
    ///
    /// - Returns: false at the end.
    func next(into samples: inout Samples) throws(SQLiteError) -> Bool {
        if let statement = chunks {
            if let row = try statement.next() {
                take(chunk: row, into: &samples)
                return true
            }
            statement.reset()
            chunks = nil
        }
        guard let statement = journal else { return false }
        if let row = try statement.next() {
            try take(journal: row, into: &samples)
            return true
        }
        statement.reset()
        journal = nil
        return false
    }

    private func take(chunk row: Row, into samples: inout Samples) {
        guard case .blob(let bytes) = row.value(0), let chunk = try? Chunk(decoding: bytes),
            chunk.columns == Counters.count
        else { return owner.noteDamage(row.integer(1) ?? 0) }
        samples.take(
            chunk, of: Series(run: row.integer(2), child: row.integer(3), session: row.text(4)),
            window)
    }

    private func take(journal stored: Row, into samples: inout Samples) throws(SQLiteError) {
        guard let row = stored.journalRow else {
            owner.noteDamage(-(stored.integer(0) ?? 0))
            latest.removeAll()
            isBroken = true
            return
        }
        let isInTime = row.kind == .tick && window.times.contains(row.at)
        var reader = row.reader
        var place = 0
        while let entry = reader.next() {
            if let wanted {
                while place < wanted.count, wanted[place] < entry.series { place += 1 }
                guard place < wanted.count else { return }
                guard wanted[place] == entry.series else { continue }
            }
            let counters = reader.counters(of: entry)
            if isInTime, counters != nil || !window.onlyMoved {
                try add(entry.series, counters, at: row.at, to: &samples)
            }
            if let counters { latest[entry.series] = counters }
        }
    }

    /// - Parameter counters: nil: as in the row before.
    private func add(
        _ id: Int64, _ counters: Counters?, at: Int64, to samples: inout Samples
    ) throws(SQLiteError) {
        var before = latest[id]
        guard let now = counters ?? before, let series = try group(id) else { return }
        if before == nil, isBroken {
            before = try Series.lastInChunks(id, of: owner.connection)
        }
        samples.add(at, now, now.step(from: before ?? Counters()), of: series)
    }

    private func group(_ id: Int64) throws(SQLiteError) -> Series? {
        if let known = groups[id] { return known }
        let series = try Series(id, of: owner.connection)
        groups[id] = .some(series)
        return series
    }
}

/// Samples of one chunk or one tick, and one of them that a cursor stands on.
struct Samples {
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
