import SQLite
package import Store
import Vocabulary

/// What the gateway's own figures were over a span of time, in bins of equal length: for charts. A
/// bin in which nothing was recorded is nil.
package struct History: Hashable, Sendable {
    /// The most at once.
    package var sessions: [Double?]
    package var halfOpen: [Double?]
    /// Bits per second, on average over the time that ticks cover: the latest bin is not over yet.
    package var receive: [Double?] = []
    package var transmit: [Double?] = []
    package var logins: [Double?] = []
    package var failures: [Double?] = []
}

extension Reports {
    /// The figures of a window. Where its bins are whole minutes, from the sums by minute.
    ///
    /// - Parameter bins: how many; at least one.
    package func history(in window: Window, bins: Int) throws(StoreError) -> History {
        try snapshot { () throws(SQLiteError) in
            let length = max(1, window.nanoseconds / Int64(max(1, bins)))
            var fold = HistoryFold(bins: max(1, bins))
            let values: [Value] = [
                .integer(window.since.nanoseconds), .integer(window.until.nanoseconds),
                .integer(length),
            ]
            let minute: Int64 = 60_000_000_000
            let bySums = length % minute == 0 && window.since.nanoseconds % minute == 0
            try database.prepare(bySums ? HistoryFold.sumsSQL : HistoryFold.ticksSQL)
                .forEachRow(values) { fold.add($0) }
            var history = fold.history
            history.logins = try count("session_established", values, like: history.sessions)
            history.failures = try count("ike_auth_failed", values, like: history.sessions)
            return history
        }
    }

    /// No event where there are samples is none; where there are neither it is not known.
    ///
    /// - Parameter table: a name of ours.
    private func count(
        _ table: String, _ values: [Value], like known: [Double?]
    ) throws(SQLiteError) -> [Double?] {
        let sql = """
            SELECT (at_ns - ?1) / ?3, count(*) FROM \(table)
            WHERE at_ns >= ?1 AND at_ns < ?2 GROUP BY 1
            """
        var counts = known.map { $0.map { _ in 0.0 } }
        try database.prepare(sql).forEachRow(values) { row in
            guard let place = row.integer(0), counts.indices.contains(Int(clamping: place)) else {
                return
            }
            counts[Int(place)] = Double(row.integer(1) ?? 0)
        }
        return counts
    }
}

/// Ticks, or sums of them by minute, summed up by bin: the most of each gauge, and how fast each counter grew within a run.
private struct HistoryFold {
    static let sumsSQL = """
        SELECT (start_ns - ?1) / ?3 AS bin, run, max(sessions_max), max(half_open_max),
               min(bytes_in_min), max(bytes_in_max), min(bytes_out_min), max(bytes_out_max),
               min(first_ns), max(last_ns)
          FROM gateway_minutes WHERE start_ns >= ?1 AND start_ns < ?2
         GROUP BY bin, run ORDER BY bin, run
        """
    static let ticksSQL = """
        SELECT (at_ns - ?1) / ?3 AS bin, run, max(sessions), max(half_open),
               min(bytes_in), max(bytes_in), min(bytes_out), max(bytes_out), min(at_ns), max(at_ns)
          FROM ticks WHERE at_ns >= ?1 AND at_ns < ?2 GROUP BY bin, run ORDER BY bin, run
        """

    private struct Growth {
        var receive = 0.0
        var transmit = 0.0
        var seconds = 0.0

        func rate(_ bytes: Double) -> Double? { seconds > 0 ? bytes * 8 / seconds : nil }
    }

    private var sessions: [Double?]
    private var halfOpen: [Double?]
    private var growth: [Growth]
    private var last: (run: Int64, receive: Double, transmit: Double, at: Double)?

    init(bins: Int) {
        let none = [Double?](repeating: nil, count: bins)
        (sessions, halfOpen) = (none, none)
        growth = Array(repeating: Growth(), count: bins)
    }

    var history: History {
        History(
            sessions: sessions, halfOpen: halfOpen, receive: growth.map { $0.rate($0.receive) },
            transmit: growth.map { $0.rate($0.transmit) })
    }

    mutating func add(_ row: Row) {
        func number(_ column: Int) -> Double { Double(row.integer(column) ?? 0) }
        let place = Int(clamping: row.integer(0) ?? -1)
        guard sessions.indices.contains(place) else { return }
        let run = row.integer(1) ?? 0
        sessions[place] = max(sessions[place] ?? 0, number(2))
        halfOpen[place] = max(halfOpen[place] ?? 0, number(3))
        let before = last.flatMap { $0.run == run ? $0 : nil }
        let (receive, transmit, at) = (number(5), number(7), number(9) / 1e9)
        growth[place].receive += max(0, receive - (before?.receive ?? number(4)))
        growth[place].transmit += max(0, transmit - (before?.transmit ?? number(6)))
        growth[place].seconds += max(0, at - (before?.at ?? number(8) / 1e9))
        last = (run, receive, transmit, at)
    }
}
