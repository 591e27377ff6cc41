import SQLite
import Vocabulary

/// How facts become rows. A value: a batch works on a copy, which counts once it is committed.
struct Writer {
    private let run: Int64
    /// One sequence over all kinds, in the order of recording.
    private var nextID: Int64
    /// The Child SAs of the latest tick.
    private var groups = SampledGroups()
    private var nextSeries: Int64
    private var journalRows: Int

    private struct Kind: Sendable {
        let insertion: String
        let fields: Int
    }

    private static let kinds = Dictionary(
        uniqueKeysWithValues: Catalogue.events.map {
            ($0.name, Kind(insertion: Tables.event($0).insertion(), fields: $0.fields.count))
        })

    init(run: Int64, on connection: Connection) throws(SQLiteError) {
        self.run = run
        nextID = try Self.nextID(on: connection)
        nextSeries = try connection.integer("SELECT coalesce(max(id), 0) + 1 FROM series")
        journalRows = Int(clamping: try connection.integer("SELECT count(*) FROM journal"))
    }

    static func nextID(on connection: Connection) throws(SQLiteError) -> Int64 {
        var last: Int64 = 0
        for kind in Catalogue.events {
            last = max(last, try connection.integer("SELECT max(id) FROM \(quoted(kind.name))"))
        }
        return last + 1
    }

    func knows(_ event: DisclosedEvent) -> Bool {
        Self.kinds[event.kind]?.fields == event.values.count
    }

    /// Within a transaction of the caller's.
    mutating func append(
        events: [RecordedEvent], ticks: [RecordedTick], on connection: Connection
    ) throws(SQLiteError) {
        for event in events { try append(event, on: connection) }
        for tick in ticks { try append(tick, on: connection) }
        if journalRows >= Fold.rows { try fold(on: connection) }
        try note(
            events.last.map { ($0.at, $0.instant) }, ticks.last.map { ($0.at, $0.instant) },
            on: connection)
    }

    private mutating func append(
        _ record: RecordedEvent, on connection: Connection
    ) throws(SQLiteError) {
        guard let kind = Self.kinds[record.event.kind] else { return }
        var values: [Value] = [
            .integer(nextID), .integer(run), .integer(record.at.nanoseconds),
            .integer(record.instant.stored),
        ]
        for datum in record.event.values { values.append(datum.value) }
        try connection.execute(kind.insertion, values)
        nextID += 1
    }

    private mutating func append(
        _ record: RecordedTick, on connection: Connection
    ) throws(SQLiteError) {
        let tick = record.tick
        let at = Value.integer(record.at.wholeMilliseconds)
        let run = Value.integer(run)
        try connection.execute(
            Self.insertTick,
            [run, at, .integer(record.instant.stored)]
                + [tick.sessions, tick.halfOpen, tick.childSAs, tick.sessionLimit].map(\.stored)
                + tick.traffic.stored
                + [tick.messagesReceived, tick.messagesSent, tick.retransmissionsSent].map(\.stored)
        )
        for pool in tick.pools {
            try connection.execute(
                Self.insertPool, [run, at, .text(pool.name), pool.size.stored, pool.used.stored])
        }
        try journal(tick.children, at: at, on: connection)
    }

    private mutating func journal(
        _ samples: [ChildSample], at: Value, on connection: Connection
    ) throws(SQLiteError) {
        guard !samples.isEmpty || !groups.isEmpty else { return }
        let insertLast = try connection.prepare(Self.insertLast)
        for sample in samples {
            let counters = Counters(sample.traffic)
            if let place = groups.place(of: sample.child) {
                guard groups.take(counters, at: place) else { continue }
                try insertLast.run(counters.row(of: groups.series(at: place)))
            } else {
                let series = try begin(sample, on: connection)
                groups.begin(sample.child, series, counters)
                if counters != Counters() { try insertLast.run(counters.row(of: series)) }
            }
        }
        let row = groups.endTick()
        try connection.execute(
            Self.insertJournal, [.null, .integer(run), at, .blob(row.encoded)])
        journalRows += 1
    }

    private mutating func begin(
        _ sample: ChildSample, on connection: Connection
    ) throws(SQLiteError) -> Int64 {
        let series = nextSeries
        try Series.insert(
            series, run: run, child: Int64(clamping: sample.child.number),
            session: sample.session.description, on: connection)
        nextSeries += 1
        return series
    }

    /// Turns the journal into chunks, within a transaction of the caller's.
    mutating func fold(on connection: Connection) throws(SQLiteError) {
        try Fold.fold(connection)
        journalRows = 1
    }

    /// Keeps the time up to which this run is known to have been alive.
    private func note(
        _ event: (at: Timestamp, instant: Instant)?, _ tick: (at: Timestamp, instant: Instant)?,
        on connection: Connection
    ) throws(SQLiteError) {
        guard let last = [event, tick].compactMap({ $0 }).max(by: { $0.instant < $1.instant })
        else { return }
        try connection.execute(
            "UPDATE runs SET last_ns = ?1, last_mono_ns = ?2 WHERE run = ?3 AND last_mono_ns <= ?2",
            [.integer(last.at.nanoseconds), .integer(last.instant.stored), .integer(run)])
    }

    private static let insertTick = Tables.ticks.insertion(orReplace: true)
    private static let insertPool = Tables.poolSamples.insertion(orReplace: true)
    private static let insertLast = Tables.seriesLast.insertion(orReplace: true)
    private static let insertJournal = Tables.journal.insertion()
}

extension Timestamp {
    /// Ticks are told to the millisecond: a timer's jitter below that is noise, and would be most
    /// of what a sample takes to store.
    fileprivate var wholeMilliseconds: Int64 { nanoseconds - nanoseconds % 1_000_000 }
}

extension Instant {
    fileprivate var stored: Int64 { Int64(clamping: nanoseconds) }
}

extension UInt64 {
    fileprivate var stored: Value { .integer(Int64(clamping: self)) }
}

extension Traffic {
    /// In the order of ``Tables/traffic``.
    fileprivate var stored: [Value] { [bytesIn, packetsIn, bytesOut, packetsOut].map(\.stored) }
}
