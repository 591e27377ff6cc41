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
            let latest = fold.latest.map { Timestamp(nanoseconds: $0.last) }
            return capacityTables(loads, asOf: latest, notes: quality.notes)
        }
    }

    /// Those of the latest sample: what a pool that is no more held does not matter.
    private func poolLoads(in window: Window, of fold: TickFold) throws(SQLiteError) -> [Load] {
        var pools = PoolFold()
        try PoolHistory.forEach(in: window.range, by: resolution ?? window.resolution, on: database)
        {
            pools.add($0)
        }
        return pools.latest.sorted { $0.key < $1.key }.map { pool, latest in
            Load(
                name: "pool \(pool)", kind: .count, now: Double(latest.used.last),
                limit: Double(latest.size), hours: pools.hours(of: pool), observed: fold.observed)
        }
    }

    /// Attempts, whether they succeeded or not.
    private func loginLoad(in window: Window, of fold: TickFold) throws(SQLiteError) -> Load {
        var logins = LoginFold(latest: fold.latest?.last)
        try database.prepare(
            """
            SELECT at_ns FROM session_established WHERE at_ns >= ?1 AND at_ns < ?2
            UNION ALL
            SELECT at_ns FROM ike_auth_failed WHERE at_ns >= ?1 AND at_ns < ?2
            ORDER BY at_ns
            """
        ).forEachRow(window.bounds) { logins.add(at: $0.time(0)) }
        logins.finish()
        return fold.loginLoad(logins)
    }
}
