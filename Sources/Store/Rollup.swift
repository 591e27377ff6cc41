import SQLite

/// Sums up the gateway's figures by minute and by hour, an hour at a time when that is over.
///
/// `rollup_hours` knows each hour that has ticks. Whoever writes a tick, triggers enter its hour
/// there; if that was summed up already, its sums go and it is open again. So the sums are always
/// what the ticks say, whatever the clock or an import does.
enum Rollup {
    /// What `state` says of an hour.
    enum State: Int64 {
        /// Read its ticks.
        case open = 0
        /// Ticks and sums say the same.
        case summed = 1
        /// Its ticks were deleted, or are being.
        case minutesOnly = 2
        /// So were its minutes.
        case hoursOnly = 3
    }

    /// At one tick of the gateway no more is summed up than these hours, nor much more than these
    /// ticks.
    private static let hoursAtOnce = 32
    private static let ticksAtOnce = 2_000

    /// Sums up hours that are over. Within a transaction of the caller's.
    ///
    /// - Parameter now: nanoseconds since 1970; its hour is not over. Nil: all hours are.
    /// - Returns: whether there was one.
    static func roll(now: Int64?, on connection: Connection) throws(SQLiteError) -> Bool {
        let current = now.map { $0 / MinuteFold.hour } ?? -1
        let hours = try connection.rows(
            "SELECT hour FROM rollup_hours WHERE state = 0 AND hour <> ? LIMIT ?",
            [.integer(current), .integer(Int64(hoursAtOnce))]
        ) { $0.integer(0) ?? 0 }
        var ticks: Int64 = 0
        for hour in hours where ticks < ticksAtOnce {
            ticks += try roll(hour: hour, on: connection)
        }
        return !hours.isEmpty
    }

    /// - Returns: how many ticks the hour has.
    private static func roll(hour: Int64, on connection: Connection) throws(SQLiteError) -> Int64 {
        let (start, overflow) = hour.multipliedReportingOverflow(by: MinuteFold.hour)
        var ticks: Int64 = 0
        if !overflow, start <= Int64.max - MinuteFold.hour {
            let window = start..<start + MinuteFold.hour
            ticks = try rollTicks(window, on: connection)
            try rollPools(window, on: connection)
        }
        try connection.execute(
            "UPDATE rollup_hours SET state = ? WHERE hour = ?",
            [.integer(State.summed.rawValue), .integer(hour)])
        return ticks
    }

    private static func rollTicks(
        _ hour: Range<Int64>, on connection: Connection
    ) throws(SQLiteError) -> Int64 {
        let (minutes, hours) = try sums(ofTicksIn: hour, on: connection)
        let insertion = try connection.prepare(Tables.tickMinutes.insertion(orReplace: true))
        for minute in minutes { try insertion.run(minute.row) }
        for hour in hours {
            try connection.execute(Tables.tickHours.insertion(orReplace: true), hour.row)
        }
        return hours.reduce(0) { $0 &+ $1.ticks }
    }

    /// By ascending minute and run; and by run.
    static func sums(
        ofTicksIn hour: Range<Int64>, on connection: Connection
    ) throws(SQLiteError) -> (minutes: [TickSummary], hours: [TickSummary]) {
        var minutes: [TickSummary] = []
        try TickHistory.minutes(ofTicksIn: hour, on: connection) { minutes.append($0) }
        return (minutes, hours(of: minutes, from: hour.lowerBound))
    }

    /// The sums of the minutes of one hour, by run.
    static func hours(of minutes: [TickSummary], from start: Int64) -> [TickSummary] {
        var hours: [TickSummary] = []
        for minute in minutes {
            if let place = hours.firstIndex(where: { $0.run == minute.run }) {
                hours[place].include(minute)
            } else {
                var first = minute
                first.start = start
                hours.append(first)
            }
        }
        return hours.sorted { $0.run < $1.run }
    }

    private static func rollPools(
        _ hour: Range<Int64>, on connection: Connection
    ) throws(SQLiteError) {
        for (table, length) in [
            (Tables.poolMinutes, MinuteFold.minute), (Tables.poolHours, MinuteFold.hour),
        ] {
            var sums: [PoolSummary] = []
            try PoolHistory.sums(ofSamplesIn: hour, by: length, on: connection) { sums.append($0) }
            let insertion = try connection.prepare(table.insertion(orReplace: true))
            for sum in sums { try insertion.run(sum.row) }
        }
    }

    /// What keeps `rollup_hours`. In order.
    static let triggers: [(name: String, creation: String)] = ["ticks", "pool_samples"].flatMap {
        table in
        let hour = "NEW.at_ns / \(MinuteFold.hour)"
        // The first minute of the hour after it was measured from the last of this one.
        let sums = ["tick_minutes", "tick_hours", "pool_minutes", "pool_hours"].map { sums in
            """
            DELETE FROM \(sums) WHERE start_ns >= \(hour) * \(MinuteFold.hour)
               AND start_ns < (\(hour) + 2) * \(MinuteFold.hour)
               AND (SELECT state FROM rollup_hours WHERE hour = start_ns / \(MinuteFold.hour)) = 1;
            """
        }.joined(separator: "\n")
        return [
            (
                "\(table)_enter_hour",
                """
                CREATE TRIGGER "\(table)_enter_hour" AFTER INSERT ON "\(table)" BEGIN
                INSERT OR IGNORE INTO rollup_hours (hour, state) VALUES (\(hour), 0);
                END
                """
            ),
            (
                "\(table)_reopen_hour",
                """
                CREATE TRIGGER "\(table)_reopen_hour" AFTER INSERT ON "\(table)"
                WHEN EXISTS (SELECT 1 FROM rollup_hours
                              WHERE hour IN (\(hour), \(hour) + 1) AND state = 1) BEGIN
                \(sums)
                UPDATE rollup_hours SET state = 0
                 WHERE hour IN (\(hour), \(hour) + 1) AND state = 1;
                END
                """
            ),
        ]
    }

    /// Enters the hours of a store that has ticks and no sums yet.
    static func adopt(_ connection: Connection) throws(SQLiteError) {
        guard try connection.integer("SELECT EXISTS (SELECT 1 FROM rollup_hours)") == 0 else {
            return
        }
        for table in ["ticks", "pool_samples"] {
            try connection.execute(
                """
                INSERT OR IGNORE INTO rollup_hours (hour, state)
                SELECT DISTINCT at_ns / \(MinuteFold.hour), 0 FROM \(table)
                """)
        }
    }
}
