import SQLite
package import Vocabulary

/// What earlier runs left open: they crashed, or could not write their end. Whoever opens the
/// store records those ends, with the uncertainty that is left.
package struct Unfinished: Hashable, Sendable {
    package struct Session: Hashable, Sendable {
        package let id: SessionID
        package let run: Int64
        package let started: Timestamp
        /// The last time that its run is known to have been alive.
        package let lastSeen: Timestamp
        /// Of all its Child SAs, up to their ends or latest samples.
        package let total: Traffic
        /// When the latest sample was, or it began: it carried at least `total` by then, and what
        /// came later is in no record.
        package let lastSampled: Timestamp
    }

    package struct Child: Hashable, Sendable {
        package let session: SessionID
        package let child: ChildID
        package let run: Int64
        package let lastSeen: Timestamp
        /// Up to its latest sample.
        package let total: Traffic
        /// When that was, or it began.
        package let lastSampled: Timestamp
    }

    /// All addresses that a session holds of one pool.
    package struct Lease: Hashable, Sendable {
        package let session: SessionID
        package let pool: String
        package let run: Int64
        package let lastSeen: Timestamp
    }

    /// A gateway that started and did not stop.
    package struct Gateway: Hashable, Sendable {
        package let run: Int64
        package let started: Timestamp
        package let lastSeen: Timestamp
    }

    package internal(set) var sessions: [Session] = []
    package internal(set) var children: [Child] = []
    package internal(set) var leases: [Lease] = []
    /// The last gateway that started, if it did not stop.
    package internal(set) var gateway: Gateway?

    package var isEmpty: Bool {
        sessions.isEmpty && children.isEmpty && leases.isEmpty && gateway == nil
    }

    /// The runs that something of this began in.
    var runs: Set<Int64> {
        Set(
            sessions.map(\.run) + children.map(\.run) + leases.map(\.run)
                + (gateway.map { [$0.run] } ?? []))
    }
}

extension Unfinished {
    /// Reads the runs that are not known to be settled. Rows that no Weir wrote are passed over.
    init(of connection: Connection) throws(SQLiteError) {
        let first = try connection.integer(
            "SELECT coalesce(min(first_id), \(Int64.max)) FROM runs WHERE settled = 0")
        sessions = try connection.rows(Self.openSessions, [.integer(first)]) { row in
            Session(row)
        }.compactMap { $0 }
        children = try connection.rows(Self.openChildren, [.integer(first)]) { row in
            Child(row)
        }.compactMap { $0 }
        leases = try connection.rows(Self.openLeases, [.integer(first)]) { row in
            Lease(row)
        }.compactMap { $0 }
        gateway = try connection.rows(Self.openGateway) { row in
            Gateway(run: row.count(0), started: row.timestamp(1), lastSeen: row.timestamp(2))
        }.first
    }

    /// When the latest tick was of the run of `row`; 0 if none is in the journal, which keeps the
    /// last one for as long as a Child SA runs.
    private static func sampled(_ row: String) -> String {
        "coalesce((SELECT at_ns FROM journal j WHERE j.run = \(row).run ORDER BY id DESC LIMIT 1), 0)"
    }

    private static let openSessions = """
        SELECT e.session, e.run, coalesce(r.last_ns, e.at_ns), e.at_ns,
               \(Tables.traffic.map { Views.carried($0, by: "e.session") }.joined(separator: ", ")),
               max(e.at_ns, \(sampled("e")))
          FROM session_established e LEFT JOIN runs r ON r.run = e.run
         WHERE e.id >= ?
           AND NOT EXISTS (SELECT 1 FROM session_closed c WHERE c.session = e.session)
         ORDER BY e.id
        """

    /// Those that were installed, and those that were sampled after that fact was lost.
    private static let openChildren = """
        WITH open AS (
            SELECT session, child, run, at_ns FROM child_sa_installed WHERE id >= ?
            UNION ALL
            SELECT session, child, run, 0 FROM child_last l
             WHERE NOT EXISTS (SELECT 1 FROM child_sa_installed i
                                WHERE i.session = l.session AND i.child = l.child))
        SELECT o.session, o.run, coalesce(r.last_ns, o.at_ns), o.child,
               \(Tables.traffic.map { "coalesce(l.\($0), 0)" }.joined(separator: ", ")),
               max(o.at_ns, \(sampled("o")))
          FROM open o
          LEFT JOIN runs r ON r.run = o.run
          LEFT JOIN child_last l ON l.session = o.session AND l.child = o.child
         WHERE NOT EXISTS \(Views.closed("o"))
         ORDER BY o.run, o.child
        """

    private static let openLeases = """
        SELECT g.session, g.run, coalesce(r.last_ns, g.at_ns), g.pool
          FROM lease_granted g LEFT JOIN runs r ON r.run = g.run
         WHERE g.id >= ?
           AND NOT EXISTS (SELECT 1 FROM lease_released e
                            WHERE e.session = g.session AND e.pool = g.pool AND e.id > g.id)
         GROUP BY g.session, g.pool
         ORDER BY min(g.id)
        """

    private static let openGateway = """
        SELECT s.run, s.at_ns, coalesce(r.last_ns, s.at_ns)
          FROM gateway_started s LEFT JOIN runs r ON r.run = s.run
         WHERE s.id = (SELECT max(id) FROM gateway_started)
           AND s.id > (SELECT coalesce(max(id), 0) FROM gateway_stopped)
        """
}

// The first three columns of each are session, run, last seen.

extension Unfinished.Session {
    fileprivate init?(_ row: Row) {
        guard let id = row.session else { return nil }
        self.init(
            id: id, run: row.count(1), started: row.timestamp(3), lastSeen: row.timestamp(2),
            total: row.traffic(4), lastSampled: row.timestamp(8))
    }
}

extension Unfinished.Child {
    fileprivate init?(_ row: Row) {
        guard let session = row.session else { return nil }
        self.init(
            session: session, child: ChildID(UInt64(clamping: row.count(3))), run: row.count(1),
            lastSeen: row.timestamp(2), total: row.traffic(4), lastSampled: row.timestamp(8))
    }
}

extension Unfinished.Lease {
    fileprivate init?(_ row: Row) {
        guard let session = row.session, let pool = row.text(3) else { return nil }
        self.init(session: session, pool: pool, run: row.count(1), lastSeen: row.timestamp(2))
    }
}

extension Row {
    fileprivate var session: SessionID? { text(0).flatMap { SessionID(stored: $0) } }

    fileprivate func count(_ column: Int) -> Int64 { integer(column) ?? 0 }

    fileprivate func timestamp(_ column: Int) -> Timestamp {
        Timestamp(nanoseconds: count(column))
    }

    fileprivate func traffic(_ first: Int) -> Traffic {
        Traffic(
            bytesIn: UInt64(clamping: count(first)), packetsIn: UInt64(clamping: count(first + 1)),
            bytesOut: UInt64(clamping: count(first + 2)),
            packetsOut: UInt64(clamping: count(first + 3)))
    }
}
