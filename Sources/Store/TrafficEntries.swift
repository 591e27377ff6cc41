import Encoding
import SQLite

/// What sessions carried, by hour of the wall clock; on its way into `session_traffic`.
struct TrafficEntries {
    struct Key: Hashable, Comparable {
        /// Counted since 1970.
        let hour: Int64
        /// Of `sampled_sessions`.
        let session: Int64

        static func < (left: Self, right: Self) -> Bool {
            (left.hour, left.session) < (right.hour, right.session)
        }
    }

    private(set) var known: [Key: Counters] = [:]
    /// Of sessions that `sampled_sessions` does not have: they were too short for a sample.
    private(set) var unsampled: [(hour: Int64, session: String, carried: Counters)] = []

    /// The hour of a time in nanoseconds since 1970.
    static func hour(_ at: Int64) -> Int64 {
        let (hour, rest) = at.quotientAndRemainder(dividingBy: MinuteFold.hour)
        return rest < 0 ? hour - 1 : hour
    }

    /// Adds what passed, or what had been added too much; wraps as the counters do.
    mutating func add(_ step: Counters, hour: Int64, session: Int64) {
        guard step != Counters() else { return }
        known[Key(hour: hour, session: session), default: Counters()].add(step)
    }

    mutating func add(_ step: Counters, hour: Int64, unsampled session: String) {
        guard step != Counters() else { return }
        unsampled.append((hour, session, step))
    }

    /// Adds what the samples of a chunk moved.
    mutating func add(_ chunk: Chunk, session: Int64) {
        guard chunk.columns == Counters.count else { return }
        var before = Counters(chunk.base ?? [], from: 0)
        for (index, at) in chunk.times.enumerated() {
            let counters = Counters(chunk.values, from: index * Counters.count)
            add(counters.step(from: before), hour: Self.hour(at), session: session)
            before = counters
        }
    }

    // MARK: - Writing

    /// Adds all of it to `session_traffic`, within a transaction of the caller's.
    func store(_ connection: Connection) throws(SQLiteError) {
        var all = known
        for entry in unsampled {
            try connection.execute(
                "INSERT OR IGNORE INTO sampled_sessions (session) VALUES (?)",
                [.text(entry.session)])
            let session = try connection.integer(
                "SELECT id FROM sampled_sessions WHERE session = ?", [.text(entry.session)])
            all[Key(hour: entry.hour, session: session), default: Counters()].add(entry.carried)
        }
        let addition = try connection.prepare(Self.addition)
        for (key, carried) in all.sorted(by: { $0.key < $1.key }) {
            let columns = carried.signed
            try addition.run(integers: [key.hour, key.session] + columns)
            guard columns.contains(where: { $0 < 0 }) else { continue }
            try connection.execute(Self.clearance, [.integer(key.hour), .integer(key.session)])
        }
        for hour in Set(all.keys.map(\.hour)) {
            try connection.execute(Self.naming, [.integer(hour)])
        }
    }

    private static let naming = """
        UPDATE sampled_sessions SET last_hour = ?1 WHERE last_hour < ?1
           AND id IN (SELECT session FROM session_traffic WHERE hour = ?1)
        """

    /// Sums stay within 64 bits whatever a file claims.
    private static let addition: String = {
        let sums = Tables.traffic.map {
            "\($0) = max(-\(Int64.max), min(\(Int64.max), \($0) + excluded.\($0)))"
        }
        return Tables.sessionTraffic.insertion()
            + " ON CONFLICT (hour, session) DO UPDATE SET \(sums.joined(separator: ", "))"
    }()

    /// An hour in which, after all, nothing passed.
    private static let clearance =
        "DELETE FROM session_traffic WHERE hour = ? AND session = ? AND "
        + Tables.traffic.map { "\($0) = 0" }.joined(separator: " AND ")
}

extension Counters {
    /// In the order of ``Tables/traffic``; what was subtracted is negative.
    fileprivate var signed: [Int64] {
        [bytesIn, packetsIn, bytesOut, packetsOut].map { Int64(truncatingIfNeeded: $0) }
    }
}

/// What groups moved, by hour of the wall clock.
struct TrafficSteps {
    /// Of each hour by ascending series.
    private(set) var byHour: [Int64: [(series: Int64, total: Counters)]] = [:]
    /// What moved last, which may go on.
    private var open: (series: Int64, hour: Int64, total: Counters)?

    /// Adds what passed; one series after another, in ascending order.
    mutating func add(_ step: Counters, of series: Int64, at time: Int64) {
        let hour = TrafficEntries.hour(time)
        if open?.series == series, open?.hour == hour {
            open?.total.add(step)
        } else {
            close()
            open = (series, hour, step)
        }
    }

    /// After the last.
    mutating func close() {
        guard let (series, hour, total) = open else { return }
        open = nil
        // A clock that stepped may have been in this hour before.
        if let last = byHour[hour]?.indices.last, byHour[hour]?[last].series == series {
            byHour[hour]?[last].total.add(total)
        } else {
            byHour[hour, default: []].append((series, total))
        }
    }
}
