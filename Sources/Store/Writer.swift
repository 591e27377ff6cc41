import SQLite
import Vocabulary

/// How facts become rows. A value: a batch works on a copy, which counts once it is committed.
struct Writer {
    private let run: Int64
    /// One sequence over all kinds, in the order of recording.
    private var nextID: Int64
    /// The counters of each Child SA at the last tick: those that did not move get no row.
    private var latest: [ChildID: Traffic] = [:]

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
        let first = nextID
        for event in events { try append(event, on: connection) }
        for tick in ticks { try append(tick, on: connection) }
        if events.contains(where: { $0.event.kind == ChildSAClosed.schema.name }) {
            try connection.execute(Self.forgetClosed, [.integer(first)])
        }
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
        let at = Value.integer(record.at.nanoseconds)
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
        var present: [ChildID: Traffic] = [:]
        for sample in tick.children {
            present[sample.child] = sample.traffic
            guard sample.traffic != latest[sample.child] ?? Traffic() else { continue }
            let counters = sample.traffic.stored
            let child = sample.child.datum.value
            try connection.execute(Self.insertSample, [run, at, child] + counters)
            try connection.execute(
                Self.insertLast, [sample.session.datum.value, child, run, at] + counters)
        }
        latest = present
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
    private static let insertSample = Tables.childSamples.insertion(orReplace: true)
    private static let insertLast = Tables.childLast.insertion(orReplace: true)

    /// After the ticks, because a batch may hold a Child SA's end and an older tick.
    private static let forgetClosed = """
        DELETE FROM child_last
         WHERE (session, child) IN (SELECT session, child FROM child_sa_closed WHERE id >= ?)
        """
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
