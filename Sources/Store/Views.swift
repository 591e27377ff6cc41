import Vocabulary

/// The views for people. `*_earliest_ns` is the beginning of the span in which something that
/// a crash ended did end; what ended in our sight ended at that very time.
enum Views {
    struct View {
        let name: String
        let query: String
        var creation: String { "CREATE VIEW \(quoted(name)) AS \(query)" }
    }

    /// In an order in which each only uses those before it.
    static let all = [
        View(name: "events", query: events), View(name: "spans_of_runs", query: spansOfRuns),
        View(name: "child_last", query: childLast), View(name: "sessions", query: sessions),
        View(name: "leases", query: leases),
        View(name: "child_sas", query: childSAs), View(name: "alerts", query: alerts),
        View(name: "samples", query: samples), View(name: "rates", query: rates),
        View(name: "session_hours", query: sessionHours),
        View(name: "traffic_hours", query: trafficHours),
        View(name: "user_hours", query: trafficHours(by: "identity")),
        View(name: "connection_hours", query: trafficHours(by: "connection")),
        View(name: "session_totals", query: sessionTotals),
        View(name: "gateway_metrics", query: gatewayMetrics),
        View(name: "gateway_minutes", query: gatewaySums(Tables.tickMinutes)),
        View(name: "gateway_hours", query: gatewaySums(Tables.tickHours)),
    ]

    /// Events of all kinds; `fields` is a JSON object.
    private static let events = Catalogue.events.map { kind in
        let pairs = kind.fields.map { "'\($0.name)', \(quoted($0.name))" }
        return "SELECT id, run, at_ns, '\(kind.name)' AS kind,"
            + " \(kind.hasSession ? "session" : "NULL AS session"),"
            + " json_object(\(pairs.joined(separator: ", "))) AS fields FROM \(quoted(kind.name))"
    }.joined(separator: " UNION ALL ")

    /// `at_ns` less the uncertainty. No uncertainty a store can hold overflows this.
    private static func earliest(_ event: String) -> String {
        "\(event).at_ns - min(coalesce(\(event).uncertainty_ms, 0), 9000000000000) * 1000000"
    }

    /// When a run's gateway listened; a run that is on, or was never closed, has no end.
    private static let spansOfRuns = """
        SELECT r.run, r.version, r.boot_id, s.at_ns AS started_ns, e.at_ns AS stopped_ns,
               \(earliest("e")) AS stopped_earliest_ns, e.cause, r.last_ns
          FROM runs r
          JOIN gateway_started s ON s.run = r.run
          LEFT JOIN gateway_stopped e
            ON e.id = (SELECT min(id) FROM gateway_stopped WHERE id > s.id)
        """

    /// The latest counters of each Child SA that has not ended, or only just.
    private static let childLast = """
        SELECT n.session, s.child, s.run,
               \(Tables.traffic.map { "l.\($0)" }.joined(separator: ", "))
          FROM series_last l
          JOIN series s ON s.id = l.series
          JOIN sampled_sessions n ON n.id = s.session
        """

    /// What a session's Child SAs have carried up to their end or their latest sample.
    static func carried(_ column: String, by session: String) -> String {
        """
        (SELECT coalesce(sum(c.\(column)), 0) FROM child_sa_closed c WHERE c.session = \(session))
            + (SELECT coalesce(sum(l.\(column)), 0) FROM child_last l
                WHERE l.session = \(session) AND NOT EXISTS \(closed("l")))
        """
    }

    /// A subquery that has a row if the Child SA of `row` has ended.
    static func closed(_ row: String) -> String {
        """
        (SELECT 1 FROM child_sa_closed c
          WHERE c.session = \(row).session AND c.child = \(row).child)
        """
    }

    private static let sessions: String = {
        let totals = Tables.traffic.map {
            "CASE WHEN c.id IS NULL THEN \(carried($0, by: "e.session")) ELSE c.\($0) END AS \($0)"
        }
        return """
            SELECT e.session, e.connection, e.identity, e.source, e.virtual_address, e.method,
                   e.at_ns AS started_ns, c.at_ns AS ended_ns,
                   \(earliest("c")) AS ended_earliest_ns,
                   c.reason, \(totals.joined(separator: ", ")), e.run
              FROM session_established e
              LEFT JOIN session_closed c
                ON c.id = (SELECT min(id) FROM session_closed WHERE session = e.session)
            """
    }()

    /// A lease ends when it is released; if that fact was lost, with its session.
    private static let leases = """
        SELECT g.session, g.pool, g.identity, g.address, g.at_ns AS from_ns,
               coalesce(r.at_ns, c.at_ns) AS to_ns,
               coalesce(\(earliest("r")), \(earliest("c"))) AS to_earliest_ns, g.run
          FROM lease_granted g
          LEFT JOIN lease_released r
            ON r.id = (SELECT min(id) FROM lease_released
                        WHERE session = g.session AND pool = g.pool AND id > g.id)
          LEFT JOIN session_closed c
            ON c.id = (SELECT min(id) FROM session_closed WHERE session = g.session)
        """

    private static let childSAs: String = {
        let totals = Tables.traffic.map { column in
            """
            coalesce(c.\(column), (SELECT l.\(column) FROM child_last l
                WHERE l.session = i.session AND l.child = i.child), 0) AS \(column)
            """
        }
        return """
            SELECT i.session, i.run, i.child, i.inbound_spi, i.outbound_spi, i.suite,
                   i.at_ns AS installed_ns, c.at_ns AS closed_ns,
                   \(earliest("c")) AS closed_earliest_ns, c.reason,
                   \(totals.joined(separator: ", "))
              FROM child_sa_installed i
              LEFT JOIN child_sa_closed c
                ON c.id = (SELECT min(id) FROM child_sa_closed
                            WHERE session = i.session AND child = i.child)
            """
    }()

    /// An alert that nobody resolved ends with its run, because its rule's memory does.
    private static let alerts = """
        SELECT f.id, f.run, f.rule, f.severity, f.subject, f.evidence, f.at_ns AS fired_ns,
               coalesce(r.at_ns, s.stopped_ns) AS resolved_ns
          FROM alert_fired f
          LEFT JOIN alert_resolved r
            ON r.id = (SELECT min(id) FROM alert_resolved
                        WHERE run = f.run AND rule = f.rule AND subject IS f.subject
                          AND id > f.id)
          LEFT JOIN spans_of_runs s ON s.run = f.run
        """

    private static let samples = """
        SELECT s.run, s.at_ns, t.mono_ns, s.session, e.identity, s.child,
               s.bytes_in, s.packets_in, s.bytes_out, s.packets_out
          FROM child_samples s
          LEFT JOIN ticks t ON t.at_ns = s.at_ns AND t.run = s.run
          LEFT JOIN session_established e ON e.session = s.session
        """

    /// What each Child SA carried per second since the tick before; no row where nothing.
    /// Null at a run's first tick, which has none before it.
    private static let rates: String = {
        let rates = Tables.traffic.map { "s.\($0)_step / t.seconds AS \($0)_per_second" }
        return """
            WITH times AS (
                SELECT run, at_ns,
                       (mono_ns - lag(mono_ns) OVER (PARTITION BY run ORDER BY mono_ns)) / 1e9
                       AS seconds
                  FROM ticks)
            SELECT s.run, s.at_ns, s.session, e.identity, s.child, t.seconds,
                   \(rates.joined(separator: ", "))
              FROM child_samples s
              JOIN times t ON t.run = s.run AND t.at_ns = s.at_ns
              LEFT JOIN session_established e ON e.session = s.session
             WHERE s.moved = 1
            """
    }()

    private static let sumsOfTraffic =
        Tables.traffic.map { "sum(\($0)) AS \($0)" }.joined(separator: ", ")

    /// What sessions carried within each hour of the wall clock, to the byte, up to now: the hours
    /// of a session that ended add up to its totals. What passed after a Child SA's last sample
    /// counts when it ended.
    private static let sessionHours = """
        WITH carried AS (
            SELECT n.session, t.hour, \(Tables.traffic.map { "t.\($0)" }.joined(separator: ", "))
              FROM session_traffic t JOIN sampled_sessions n ON n.id = t.session
            UNION ALL
            SELECT session, hour, \(Tables.traffic.joined(separator: ", ")) FROM traffic_unsummed)
        SELECT c.session, e.identity, e.connection, c.hour,
               c.hour * 3600000000000 AS hour_ns, \(sumsOfTraffic)
          FROM carried c LEFT JOIN session_established e ON e.session = c.session
         GROUP BY c.session, c.hour
        """

    /// The same from what is summed up, which any SQLite reads: all hours that are over.
    private static let trafficHours = """
        SELECT n.session, e.identity, e.connection,
               (SELECT pool FROM lease_granted g WHERE g.session = n.session
                 ORDER BY id LIMIT 1) AS pool,
               t.hour, t.hour * 3600000000000 AS hour_ns,
               \(Tables.traffic.map { "t.\($0)" }.joined(separator: ", "))
          FROM session_traffic t
          JOIN sampled_sessions n ON n.id = t.session
          LEFT JOIN session_established e ON e.session = n.session
        """

    /// By user or connection. Not by way of `traffic_hours`, and by hour first, as the rows come:
    /// that takes 40 % less.
    private static func trafficHours(by column: String) -> String {
        """
        SELECT e.\(column), t.hour, t.hour * 3600000000000 AS hour_ns, count(*) AS sessions,
               \(Tables.traffic.map { "sum(t.\($0)) AS \($0)" }.joined(separator: ", "))
          FROM session_traffic t
          JOIN sampled_sessions n ON n.id = t.session
          LEFT JOIN session_established e ON e.session = n.session
         GROUP BY t.hour, e.\(column)
        """
    }

    /// Totals of ended and open sessions, with the pool of the lease.
    private static let sessionTotals = """
        SELECT s.session, s.identity, s.connection,
               (SELECT pool FROM lease_granted g WHERE g.session = s.session
                 ORDER BY id LIMIT 1) AS pool,
               s.started_ns, s.ended_ns, s.ended_earliest_ns,
               \(Tables.traffic.map { "s.\($0)" }.joined(separator: ", "))
          FROM sessions s
        """

    /// The gateway's figures, tick by tick.
    private static let gatewayMetrics =
        "SELECT \(Tables.ticks.columns.map { quoted($0.name) }.joined(separator: ", ")) FROM ticks"

    /// Sums; and ticks of hours that have none yet, each a sum of itself.
    private static func gatewaySums(_ table: Tables.Table) -> String {
        let gauges = TickSummary.gaugeNames.map { "\($0), \($0), \($0), \($0)" }
        let counters = TickSummary.counterNames.map { "\($0), \($0)" }
        return """
            SELECT * FROM \(table.name)
            UNION ALL
            SELECT at_ns, run, 1, at_ns, at_ns, mono_ns, mono_ns,
                   \(gauges.joined(separator: ", ")), at_ns, session_limit,
                   \(counters.joined(separator: ", ")), NULL, NULL, NULL, NULL, 0, 0
              FROM rollup_hours h
             CROSS JOIN ticks t ON t.at_ns >= h.hour * \(MinuteFold.hour)
                   AND t.at_ns < (h.hour + 1) * \(MinuteFold.hour)
             WHERE h.state = 0
            """
    }
}
