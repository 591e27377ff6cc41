package import Presentation
import SQLite
package import Store
import Vocabulary

extension Reports {
    /// How full the gateway is, when it is fullest, and how long it will do: sessions, each
    /// pool's addresses, logins, and bits in both directions.
    package func capacity(in window: Window) throws(StoreError) -> [Table] {
        try snapshot { () throws(SQLiteError) in
            let fold = try ticks(in: window)
            let quality = try quality(of: fold, in: window)
            let loads =
                [fold.sessionLoad] + (try poolLoads(in: window, of: fold))
                + [try loginLoad(in: window, of: fold)] + fold.trafficLoads
            let latest = fold.latest.map { Timestamp(nanoseconds: $0.at) }
            return capacityTables(loads, asOf: latest, notes: quality.notes)
        }
    }

    /// Those of the latest sample: what a pool that is no more held does not matter.
    private func poolLoads(in window: Window, of fold: TickFold) throws(SQLiteError) -> [Load] {
        var hours: [String: [LoadHour]] = [:]
        // With one max() and no min(), SQLite takes bare columns from the row of the maximum.
        try database.prepare(
            """
            SELECT pool, at_ns / \(Span.hour) AS hour, avg(used), max(used), at_ns
            FROM pool_samples WHERE at_ns >= ? AND at_ns < ? GROUP BY pool, hour ORDER BY pool, hour
            """
        ).forEachRow(window.bounds) { row in
            var peak = Peak()
            peak.see(row.real(3) ?? 0, at: row.time(4))
            hours[row.text(0) ?? "", default: []].append(
                LoadHour(hour: Span.hourIndex(row.time(4)), mean: row.real(2) ?? 0, peak: peak))
        }
        return try database.rows(
            """
            SELECT pool, size, used FROM pool_samples WHERE at_ns =
            (SELECT max(at_ns) FROM pool_samples WHERE at_ns >= ? AND at_ns < ?) ORDER BY pool
            """, window.bounds
        ) { row in
            let pool = row.text(0) ?? ""
            return Load(
                name: "pool \(pool)", kind: .count, now: row.real(2), limit: row.real(1),
                hours: hours[pool] ?? [], observed: fold.observed)
        }
    }

    /// Attempts, whether they succeeded or not.
    private func loginLoad(in window: Window, of fold: TickFold) throws(SQLiteError) -> Load {
        let minutes = try database.rows(
            """
            SELECT at_ns / \(Span.minute) AS minute, count(*) FROM (
                SELECT at_ns FROM session_established WHERE at_ns >= ?1 AND at_ns < ?2
                UNION ALL
                SELECT at_ns FROM ike_auth_failed WHERE at_ns >= ?1 AND at_ns < ?2)
            GROUP BY minute ORDER BY minute
            """, window.bounds
        ) { row in
            (minute: min(max(0, row.integer(0) ?? 0), 1 << 36), logins: row.integer(1) ?? 0)
        }
        return fold.loginLoad(minutes)
    }
}
