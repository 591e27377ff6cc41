import Glibc
import Store
import Vocabulary

/// Times of the questions, first and median of nine, in milliseconds; and what the exact answers
/// are that PromQL's are compared with.
func ask(_ path: String, slots: Int, hours: Double) throws -> [(String, Double)] {
    let reader = try StoreReader(path: path)
    let end = (Workload.start + Int64(hours * 3_600) - 15) * 1_000_000_000
    let hour = "traffic_between(\(end - 3_600_000_000_000 + 1), \(end + 1))"
    let users = """
        SELECT e.identity, sum(u.bytes_in + u.bytes_out) AS bytes FROM \(hour) u
          JOIN session_established e ON e.session = u.session
         GROUP BY e.identity ORDER BY bytes DESC LIMIT 10
        """
    let questions = [
        (
            "total_rate",
            "SELECT at_ns / 60000000000 AS m, max(bytes_in) - min(bytes_in) FROM ticks GROUP BY m"
        ),
        ("top_10_users", users),
        (
            "one_sa_raw",
            "SELECT at_ns, bytes_in, packets_in, bytes_out, packets_out FROM child_samples"
                + " WHERE run = 1 AND child = \(slots + 5)"
        ),
        (
            "p95_active_per_hour",
            """
            SELECT hour, max(active_child_sas) FROM (
                SELECT at_ns / 3600000000000 AS hour, active_child_sas,
                       percent_rank() OVER (
                           PARTITION BY at_ns / 3600000000000 ORDER BY active_child_sas) AS rank
                  FROM ticks) WHERE rank <= 0.95 GROUP BY hour
            """
        ),
        (
            "every_sample_that_moved",
            "SELECT count(*), sum(bytes_in_step) FROM child_samples WHERE moved = 1"
        ),
    ]
    var results: [(String, Double)] = []
    for (name, sql) in questions {
        let (first, median, cpu, rows) = try median(sql, of: reader)
        results += [
            ("\(name)_first_ms", first), ("\(name)_ms", median),
            ("\(name)_cpu_ms", cpu), ("\(name)_rows", Double(rows)),
        ]
    }
    if case .integer(let bytes)? = try reader.rows(users).rows.first?.last {
        results.append(("top_user_bytes", Double(bytes)))
    }
    return results
}

/// A year of the gateway's own figures, one a minute, summed up by day.
func yearOfMinutes(_ path: String) throws -> [(String, Double)] {
    let store = try Store(path: path, version: "bench", at: Timestamp(nanoseconds: 1), bootID: "b")
    for day in 0..<365 {
        let ticks = (0..<1_440).map { minute in
            var tick = Tick()
            tick.sessions = UInt64(minute)
            tick.traffic.bytesIn = UInt64(day * 1_440 + minute) * 1_000_000
            let at = Int64(day * 1_440 + minute) * 60_000_000_000
            return RecordedTick(
                at: Timestamp(nanoseconds: at), instant: Instant(nanoseconds: UInt64(at)),
                tick: tick)
        }
        try store.append(events: [], ticks: ticks)
    }
    let sql = """
        SELECT start_ns / 86400000000000 AS day, max(sessions_max),
               sum(sessions_sum) * 1.0 / sum(ticks), max(bytes_in_max) - min(bytes_in_min)
          FROM gateway_hours GROUP BY day
        """
    let reader = try StoreReader(path: path)
    let (_, hours, cpu, _) = try median(sql, of: reader)
    let ticks = """
        SELECT at_ns / 86400000000000 AS day, max(sessions), sum(sessions) * 1.0 / count(*),
               max(bytes_in) - min(bytes_in) FROM ticks GROUP BY day
        """
    let exact = try median(ticks, of: reader)
    guard try reader.rows(sql).rows == reader.rows(ticks).rows else { throw Differs() }
    return [
        ("year_of_minutes_ms", hours), ("year_of_minutes_cpu_ms", cpu),
        ("year_of_minutes_by_tick_ms", exact.median), ("year_of_minutes_by_tick_cpu_ms", exact.cpu),
    ]
}

/// The sums do not say what the ticks say.
struct Differs: Error {}
