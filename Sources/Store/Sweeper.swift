import SQLite
import Vocabulary

/// Deletes what is older than it may be, a little at each tick, so that recording never waits
/// long; sums up hours that are over; and gives space back.
///
/// Each table has a place where the next tick goes on, so that what is held costs no more time
/// than what is deleted: it is passed once, and again after the end was reached.
struct Sweeper {
    private let retention: Retention
    /// Of kinds of events that don't stay for good.
    private let ages: [(kind: EventKind, age: Duration)]
    /// Free pages of 4 kB that stay in the file: the journal needs them again.
    private let slack: Int64
    /// From where the monotonic clock is followed.
    private var first: (at: Timestamp, instant: Instant)?
    /// Since when the wall clock has been further than that, and by how many nanoseconds.
    private var ahead: (since: UInt64, lead: UInt64)?
    /// By kind of event: the row that was looked at last.
    private var places: [String: (at: Int64, id: Int64)] = [:]
    /// The chunk to look at next.
    private var nextChunk: Int64 = 0
    private var lastSession = SweptSessions.Place()
    /// What a session carried in an hour, that was looked at last.
    private var lastTraffic: TrafficEntries.Key?

    /// Rows of one table, or chunks, that one tick looks at.
    static let rows = 500
    /// Pages that one tick gives back.
    private static let pages = 256

    init(_ retention: Retention, slack: Int64 = 2_048) {
        self.retention = retention
        ages = Catalogue.events.compactMap { kind in
            retention.age(of: kind).map { (kind, $0) }
        }
        self.slack = slack
    }

    /// After the tick was recorded. Not within a transaction.
    ///
    /// - Parameters:
    ///   - isBehind: there is traffic that was not summed up: its samples stay.
    ///   - isLive: whether a group may still get samples.
    mutating func sweep(
        after tick: RecordedTick, on connection: Connection, isBehind: Bool = false,
        isLive: (Int64) -> Bool
    ) throws(SQLiteError) {
        let now = now(at: tick)
        try rollUp(at: tick, on: connection)
        var deleted = false
        // A copy, so that places are those of what was committed.
        var next = self
        if try next.hasWork(at: now, on: connection) {
            try connection.transaction { () throws(SQLiteError) in
                try next.deleteEvents(at: now, on: connection)
                if !isBehind { try next.deleteChunks(at: now, on: connection, isLive: isLive) }
                try next.deleteTraffic(at: now, on: connection)
                if !isBehind { try next.deleteSessions(at: now, on: connection) }
                try next.deleteFigures(at: now, on: connection)
            }
            deleted = true
        }
        if deleted { self = next }
        if try connection.integer("PRAGMA freelist_count") > slack {
            try connection.execute("PRAGMA incremental_vacuum(\(Self.pages))")
        }
    }

    private func rollUp(at tick: RecordedTick, on connection: Connection) throws(SQLiteError) {
        let open = try connection.integer(
            "SELECT EXISTS (SELECT 1 FROM rollup_hours WHERE state = 0 AND hour <> ?)",
            [.integer(tick.at.nanoseconds / MinuteFold.hour)])
        guard open != 0 else { return }
        _ = try connection.transaction { () throws(SQLiteError) in
            try Rollup.roll(now: tick.at.nanoseconds, on: connection)
        }
    }

    /// Nanoseconds. A wall clock that is ahead for so long is right.
    private static let doubt: UInt64 = 86_400_000_000_000
    /// Nanoseconds that clocks may come apart meanwhile, because each goes at its own pace.
    private static let drift: UInt64 = 60_000_000_000

    /// The wall clock's time, but no later than the monotonic clock allows since the first tick: a
    /// wall clock that leaps ahead must not delete anything before somebody can have seen it. One
    /// that was behind at the start, and was set right, is believed after a day.
    private mutating func now(at tick: RecordedTick) -> Timestamp {
        guard let first else {
            first = (tick.at, tick.instant)
            return tick.at
        }
        let instant = tick.instant.nanoseconds
        let passed = Int64(clamping: instant - min(instant, first.instant.nanoseconds))
        let (sum, overflow) = first.at.nanoseconds.addingReportingOverflow(passed)
        let latest = overflow ? Int64.max : sum
        guard tick.at.nanoseconds > latest else {
            ahead = nil
            return tick.at
        }
        let lead = UInt64(bitPattern: tick.at.nanoseconds &- latest)
        var leap = ahead ?? (instant, lead)
        // Another leap.
        if lead > leap.lead, lead - leap.lead > Self.drift { leap = (instant, lead) }
        ahead = leap
        guard instant - min(instant, leap.since) >= Self.doubt else {
            return Timestamp(nanoseconds: latest)
        }
        self.first = (tick.at, tick.instant)
        ahead = nil
        return tick.at
    }

    /// What is before this may go; nil: nothing.
    private func start(_ age: Duration?, before now: Timestamp) -> Int64? {
        age.flatMap { age in
            let (start, overflow) = now.nanoseconds.subtractingReportingOverflow(age.nanoseconds)
            return overflow ? nil : start
        }
    }

    /// Looks, without a lock, whether anything is old enough.
    private func hasWork(
        at now: Timestamp, on connection: Connection
    ) throws(SQLiteError) -> Bool {
        for (kind, age) in ages {
            guard let before = start(age, before: now) else { continue }
            let found = try connection.integer(
                "SELECT EXISTS (SELECT 1 FROM \(quoted(kind.name)) WHERE at_ns < ?)",
                [.integer(before)])
            if found != 0 { return true }
        }
        if let before = start(retention.samples, before: now) {
            let found = try connection.integer(
                "SELECT EXISTS (SELECT 1 FROM folds WHERE last_s < ?)",
                [.integer(FoldRange.seconds(before))])
            if found != 0 { return true }
        }
        if let before = start(retention.sessionAge, before: now),
            try SweptSessions.exist(before: before, on: connection)
        {
            return true
        }
        if let hour = lastTrafficHour(at: now) {
            let found = try connection.integer(
                "SELECT EXISTS (SELECT 1 FROM session_traffic WHERE hour < ?)", [.integer(hour)])
            if found != 0 { return true }
            let handshakes = try connection.integer(
                "SELECT EXISTS (SELECT 1 FROM handshake_hours r WHERE \(Self.oldHandshakes))",
                [.integer(hour)])
            if handshakes != 0 { return true }
        }
        for step in figureSteps(at: now) where try hour(of: step, on: connection) != nil {
            return true
        }
        return false
    }

    // MARK: - Events

    private mutating func deleteEvents(
        at now: Timestamp, on connection: Connection
    ) throws(SQLiteError) {
        for (kind, age) in ages {
            guard let before = start(age, before: now) else { continue }
            let place = places[kind.name] ?? (.min, .min)
            // The newest row stays: ids are never used again.
            let rows = try connection.rows(
                """
                SELECT e.id, e.at_ns, \(Holds.holding(kind)) FROM \(quoted(kind.name)) e
                 WHERE e.at_ns < ?1 AND (e.at_ns, e.id) > (?2, ?3)
                   AND e.id < (SELECT max(id) FROM \(quoted(kind.name)))
                 ORDER BY e.at_ns, e.id LIMIT \(Self.rows)
                """, [.integer(before), .integer(place.at), .integer(place.id)]
            ) {
                (
                    id: $0.integer(0) ?? 0, at: $0.integer(1) ?? 0,
                    isHeld: $0.integer(2) != 0
                )
            }
            let deletion = try connection.prepare(
                "DELETE FROM \(quoted(kind.name)) WHERE id = ?")
            for row in rows where !row.isHeld { try deletion.run(integers: [row.id]) }
            // Where the end was reached the next look begins anew.
            places[kind.name] = rows.count < Self.rows ? nil : rows.last.map { ($0.at, $0.id) }
        }
    }

    private mutating func deleteSessions(
        at now: Timestamp, on connection: Connection
    ) throws(SQLiteError) {
        guard let before = start(retention.sessionAge, before: now) else { return }
        lastSession = try SweptSessions.delete(
            before: before, from: lastSession, on: connection)
    }

    // MARK: - Samples

    /// Deletes some chunks of the next fold that is too old, and the groups that have none left.
    private mutating func deleteChunks(
        at now: Timestamp, on connection: Connection, isLive: (Int64) -> Bool
    ) throws(SQLiteError) {
        guard let before = start(retention.samples, before: now) else { return }
        let fold = try connection.rows(
            """
            SELECT first_chunk, last_chunk FROM folds WHERE last_s < ? AND last_chunk >= ?
             ORDER BY first_chunk LIMIT 1
            """, [.integer(FoldRange.seconds(before)), .integer(nextChunk)]
        ) { (first: $0.integer(0) ?? 0, last: $0.integer(1) ?? 0) }.first
        guard let fold else {
            nextChunk = 0
            return
        }
        let chunks = try connection.rows(
            """
            SELECT c.id, c.series, \(Holds.holdingChunk)
              FROM chunks c JOIN folds f ON f.first_chunk = ?1
              LEFT JOIN series s ON s.id = c.series
              LEFT JOIN sampled_sessions n ON n.id = s.session
             WHERE c.id BETWEEN ?2 AND ?3 ORDER BY c.id LIMIT \(Self.rows)
            """,
            [.integer(fold.first), .integer(max(nextChunk, fold.first)), .integer(fold.last)]
        ) { (id: $0.integer(0) ?? 0, series: $0.integer(1) ?? 0, isHeld: $0.integer(2) != 0) }
        let deletion = try connection.prepare("DELETE FROM chunks WHERE id = ?")
        var groups: Set<Int64> = []
        for chunk in chunks where !chunk.isHeld {
            try deletion.run(integers: [chunk.id])
            groups.insert(chunk.series)
        }
        for group in groups where !isLive(group) { try forget(group, on: connection) }
        guard chunks.count < Self.rows else {
            nextChunk = chunks.last.map { $0.id &+ 1 } ?? 0
            return
        }
        nextChunk = fold.last &+ 1
        try connection.execute(
            """
            DELETE FROM folds WHERE first_chunk = ?1
               AND NOT EXISTS (SELECT 1 FROM chunks WHERE id BETWEEN ?1 AND ?2)
            """, [.integer(fold.first), .integer(fold.last)])
    }

    /// Unless it has other chunks, or has not ended.
    private func forget(_ group: Int64, on connection: Connection) throws(SQLiteError) {
        let session = try connection.value(
            """
            SELECT session FROM series s WHERE id = ?1
               AND NOT EXISTS (SELECT 1 FROM chunks c WHERE c.series = ?1)
               AND NOT EXISTS (SELECT 1 FROM series_last l WHERE l.series = ?1)
            """, [.integer(group)])
        guard case .integer = session else { return }
        try connection.execute("DELETE FROM series WHERE id = ?", [.integer(group)])
        try connection.execute(Self.unnaming, [session])
    }

    /// A session of which there are neither samples nor sums left.
    private static let unnaming = """
        DELETE FROM sampled_sessions WHERE id = ?1
           AND NOT EXISTS (SELECT 1 FROM series WHERE session = ?1)
           AND NOT EXISTS (SELECT 1 FROM session_traffic t
                            WHERE t.hour = last_hour AND t.session = ?1)
        """

    // MARK: - Traffic and handshakes by hour

    private static let oldHandshakes = "r.hour < ? AND NOT \(Holds.holdingHour)"

    /// Hours before this one may go; nil: none.
    private func lastTrafficHour(at now: Timestamp) -> Int64? {
        start(retention.trafficAge, before: now).map { TrafficEntries.hour($0) }
    }

    private mutating func deleteTraffic(
        at now: Timestamp, on connection: Connection
    ) throws(SQLiteError) {
        guard let hour = lastTrafficHour(at: now) else { return }
        let place = lastTraffic ?? TrafficEntries.Key(hour: .min, session: .min)
        let rows = try connection.rows(
            """
            SELECT t.hour, t.session, \(Holds.holdingTraffic) FROM session_traffic t
              LEFT JOIN sampled_sessions n ON n.id = t.session
             WHERE t.hour < ?1 AND (t.hour, t.session) > (?2, ?3)
             ORDER BY t.hour, t.session LIMIT \(Self.rows)
            """, [.integer(hour), .integer(place.hour), .integer(place.session)]
        ) { row in
            (
                key: TrafficEntries.Key(hour: row.integer(0) ?? 0, session: row.integer(1) ?? 0),
                isHeld: row.integer(2) != 0
            )
        }
        let deletion = try connection.prepare(
            "DELETE FROM session_traffic WHERE hour = ? AND session = ?")
        for row in rows where !row.isHeld {
            try deletion.run(integers: [row.key.hour, row.key.session])
            try connection.execute(Self.unnaming, [.integer(row.key.session)])
        }
        lastTraffic = rows.count < Self.rows ? nil : rows.last?.key
        try connection.execute(
            "DELETE FROM handshake_hours AS r WHERE \(Self.oldHandshakes)", [.integer(hour)])
    }

    // MARK: - Figures

    /// From one state of an hour to the next.
    private struct FigureStep {
        let from: Rollup.State
        /// Nil: the hour is forgotten.
        let to: Rollup.State?
        /// What goes, and the column of its time.
        let tables: [(name: String, time: String)]
        /// Hours before this one.
        let hour: Int64
    }

    private func figureSteps(at now: Timestamp) -> [FigureStep] {
        let ages = retention.figureAges
        func step(
            _ age: Duration?, _ from: Rollup.State, _ to: Rollup.State?, _ tables: [Tables.Table],
            _ time: String
        ) -> FigureStep? {
            start(age, before: now).map {
                FigureStep(
                    from: from, to: to, tables: tables.map { ($0.name, time) },
                    hour: $0 / MinuteFold.hour)
            }
        }
        return [
            step(ages.ticks, .summed, .minutesOnly, [Tables.ticks, Tables.poolSamples], "at_ns"),
            step(
                ages.minutes, .minutesOnly, .hoursOnly, [Tables.tickMinutes, Tables.poolMinutes],
                "start_ns"),
            step(
                ages.hours, .hoursOnly, nil, [Tables.tickHours, Tables.poolHours], "start_ns"),
        ].compactMap { $0 }
    }

    /// The first hour that is due and not held.
    private func hour(
        of step: FigureStep, on connection: Connection
    ) throws(SQLiteError) -> Int64? {
        try connection.rows(
            """
            SELECT r.hour FROM rollup_hours r WHERE r.state = ? AND r.hour < ?
               AND NOT \(Holds.holdingHour) ORDER BY r.hour LIMIT 1
            """, [.integer(step.from.rawValue), .integer(step.hour)]
        ) { $0.integer(0) }.first ?? nil
    }

    /// Deletes what one hour has in a table: as many rows as there are ticks in an hour.
    private func deleteFigures(
        at now: Timestamp, on connection: Connection
    ) throws(SQLiteError) {
        for step in figureSteps(at: now) {
            guard let hour = try hour(of: step, on: connection) else { continue }
            let (start, overflow) = hour.multipliedReportingOverflow(by: MinuteFold.hour)
            guard !overflow, start <= Int64.max - MinuteFold.hour else { continue }
            for table in step.tables {
                try connection.execute(
                    "DELETE FROM \(table.name) WHERE \(table.time) >= ? AND \(table.time) < ?",
                    [.integer(start), .integer(start + MinuteFold.hour)])
            }
            if let state = step.to {
                try connection.execute(
                    "UPDATE rollup_hours SET state = ? WHERE hour = ?",
                    [.integer(state.rawValue), .integer(hour)])
            } else {
                try connection.execute("DELETE FROM rollup_hours WHERE hour = ?", [.integer(hour)])
            }
        }
    }
}
