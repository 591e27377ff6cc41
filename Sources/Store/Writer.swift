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
    private var journalBytes: Int
    /// That the traffic was last summed up in; nil if it was not in this run.
    private var summedHour: Int64?
    /// Of the traffic that was recorded so far, some is not summed up yet.
    private(set) var isBehind = false
    /// Prepared when they are first needed, and kept.
    private let insertions = EventInsertions()

    init(run: Int64, on connection: Connection) throws(SQLiteError) {
        self.run = run
        nextID = try Self.nextID(on: connection)
        nextSeries = try connection.integer("SELECT coalesce(max(id), 0) + 1 FROM series")
        journalRows = Int(clamping: try connection.integer("SELECT count(*) FROM journal"))
        journalBytes = Int(
            clamping: try connection.integer("SELECT coalesce(sum(length(data)), 0) FROM journal"))
    }

    static func nextID(on connection: Connection) throws(SQLiteError) -> Int64 {
        var last: Int64 = 0
        for kind in Catalogue.events {
            last = max(last, try connection.integer("SELECT max(id) FROM \(quoted(kind.name))"))
        }
        guard last < .max / 2 else {
            throw SQLiteError(
                code: SQLiteError.Kind.corrupt.rawValue, message: "its ids are used up", sql: "")
        }
        return last + 1
    }

    /// None was deleted: ids are one sequence over all kinds.
    static func isEveryEventThere(on connection: Connection) throws(SQLiteError) -> Bool {
        var count: Int64 = 0
        for kind in Catalogue.events {
            count += try connection.integer("SELECT count(*) FROM \(quoted(kind.name))")
        }
        return try count == nextID(on: connection) - 1
    }

    /// A group of a Child SA that runs.
    func isLive(_ series: Int64) -> Bool { groups.hasSeries(series) }

    func knows(_ event: DisclosedEvent) -> Bool { EventInsertions.knows(event) }

    /// Before the connection is closed.
    func forgetStatements() { insertions.forget() }

    /// Within a transaction of the caller's.
    mutating func append(
        events: [RecordedEvent], ticks: [RecordedTick], on connection: Connection
    ) throws(SQLiteError) {
        try append(events, on: connection)
        for tick in ticks { try append(tick, on: connection) }
        if journalRows >= Fold.rows || journalBytes >= Fold.bytes { try fold(on: connection) }
        try note(
            events.last.map { ($0.at, $0.instant) }, ticks.last.map { ($0.at, $0.instant) },
            on: connection)
    }

    private mutating func append(
        _ records: [RecordedEvent], on connection: Connection
    ) throws(SQLiteError) {
        try insertions.insert(records, id: nextID, run: run, on: connection)
        nextID += Int64(records.count)
        for record in records {
            guard let child = EventInsertions.closedChild(record.event),
                let latest = groups.close(child)
            else { continue }
            try store([latest], on: connection)
        }
    }

    private mutating func append(
        _ record: RecordedTick, on connection: Connection
    ) throws(SQLiteError) {
        let tick = record.tick
        let at = Value.integer(record.at.wholeMilliseconds)
        let active = try journal(tick.children, at: at, on: connection)
        let run = Value.integer(run)
        try connection.execute(
            Self.insertTick,
            [run, at, .integer(record.instant.stored)]
                + [tick.sessions, tick.halfOpen, tick.childSAs, tick.sessionLimit].map(\.stored)
                + tick.traffic.stored
                + [tick.messagesReceived, tick.messagesSent, tick.retransmissionsSent, active]
                .map(\.stored)
        )
        for pool in tick.pools {
            try connection.execute(
                Self.insertPool, [run, at, .text(pool.name), pool.size.stored, pool.used.stored])
        }
    }

    /// - Returns: how many of them moved since the tick before.
    private mutating func journal(
        _ samples: [ChildSample], at: Value, on connection: Connection
    ) throws(SQLiteError) -> UInt64 {
        guard !samples.isEmpty || !groups.isEmpty else { return 0 }
        var moved: UInt64 = 0
        for sample in samples {
            let counters = Counters(sample.traffic)
            if let place = groups.place(of: sample.child) {
                if groups.take(counters, at: place) { moved += 1 }
            } else {
                groups.begin(sample.child, try begin(sample, on: connection), counters)
                if counters != Counters() { moved += 1 }
            }
        }
        let (rows, latest) = groups.endTick()
        try store(latest, on: connection)
        for row in rows {
            let bytes = row.encoded
            journalBytes += bytes.count
            try connection.execute(
                Self.insertJournal, [.null, .integer(run), at, .blob(bytes)])
            journalRows += 1
        }
        return moved
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

    private func store(
        _ latest: [SampledGroups.Latest], on connection: Connection
    ) throws(SQLiteError) {
        guard !latest.isEmpty else { return }
        let insertion = try connection.prepare(Self.insertLast)
        for (series, counters) in latest {
            try insertion.run(integers: counters.row(of: series))
        }
    }

    /// Brings `series_last` up to the latest tick, within a transaction of the caller's.
    mutating func storeLatest(on connection: Connection) throws(SQLiteError) {
        try store(groups.takeUnstored(), on: connection)
    }

    /// Once in an hour, and while it is behind.
    func isToSum(after tick: RecordedTick) -> Bool {
        isBehind || summedHour != TrafficEntries.hour(tick.at.nanoseconds)
    }

    /// Adds what passed to the sums by hour, within a transaction of the caller's.
    mutating func sumTraffic(
        after tick: RecordedTick?, on connection: Connection
    ) throws(SQLiteError) {
        isBehind = try Ledger.sum(connection)
        summedHour = tick.map { TrafficEntries.hour($0.at.nanoseconds) } ?? summedHour
        groups.settleClosed()
    }

    /// Turns the journal into chunks, within a transaction of the caller's.
    mutating func fold(on connection: Connection) throws(SQLiteError) {
        try Fold.fold(connection)
        groups.noteFold()
        groups.settleClosed()
        // Rows that can't be read stay, and must not have it fold again and again.
        journalRows = 1
        journalBytes = 0
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
    var stored: Int64 { Int64(clamping: nanoseconds) }
}

extension UInt64 {
    fileprivate var stored: Value { .integer(Int64(clamping: self)) }
}

extension Traffic {
    /// In the order of ``Tables/traffic``.
    fileprivate var stored: [Value] { [bytesIn, packetsIn, bytesOut, packetsOut].map(\.stored) }
}
