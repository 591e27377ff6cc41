import ArgumentParser
import Capacity
import Clocks
import Presentation
import Recorder
import Store
import Vocabulary

/// Runs a report and turns the store's errors into a line.
func reporting(_ body: () throws -> [Table]) throws -> [Table] {
    do {
        return try body()
    } catch let error as StoreError {
        throw Failure.trouble(error)
    }
}

struct Alerts: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List alerts, active ones first.",
        discussion: """
            Examples:
              weir alerts --since -7d
              weir alerts --active --format ndjson
            """)

    @Flag(help: "Only those that are not over.")
    var active = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var time: WindowOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let (since, until) = try time.window(now: ClockReading.now.wall)
        let reader = try store.open()
        output.show(
            try reporting {
                let found = try reader.rows(
                    """
                    SELECT rule, severity, subject, fired_ns, resolved_ns, evidence FROM alerts
                    WHERE fired_ns < :until AND (resolved_ns IS NULL OR resolved_ns >= :since)
                      AND (:active = 0 OR resolved_ns IS NULL)
                    ORDER BY resolved_ns IS NOT NULL, fired_ns DESC
                    """,
                    [
                        "since": .integer(since.nanoseconds), "until": .integer(until.nanoseconds),
                        "active": .integer(active ? 1 : 0),
                    ])
                return [
                    Table(
                        columns: [
                            Column("rule", .text), Column("severity", .text),
                            Column("subject", .text), Column("fired", .timestamp),
                            Column("resolved", .timestamp, absent: "active"),
                            Column("evidence", .text),
                        ], rows: found.rows)
                ]
            })
    }
}

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Report on sessions, traffic, handshakes or capacity.",
        subcommands: [
            SessionsReport.self, TrafficReport.self, HandshakesReport.self, CapacityReport.self,
        ])
}

struct SessionsReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "List the sessions of a window of time.",
        discussion: """
            Examples:
              weir report sessions --since -24h
              weir report sessions --since 2026-11-22T00:00:00Z --until 2026-11-23T00:00:00Z --format csv
            """)

    @Option(help: "List at most so many; the sums are of all.")
    var limit = 100

    @OptionGroup var store: StoreOptions
    @OptionGroup var time: WindowOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let now = ClockReading.now.wall
        let (since, until) = try time.window(now: now)
        let reports = Reports(on: try store.open())
        output.show(
            try reporting {
                try reports.sessions(
                    in: Window(since: since, until: until), limit: limit, now: now)
            })
    }
}

extension Grouping: ExpressibleByArgument {}

struct TrafficReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traffic", abstract: "Sum up who or when had how much traffic.",
        discussion: """
            Examples:
              weir report traffic --by identity --since -7d
              weir report traffic --by hour
            """)

    @Option(help: "identity, connection or hour.")
    var by = Grouping.identity

    @Option(help: "List at most so many; shares are of all.")
    var limit = 50

    @OptionGroup var store: StoreOptions
    @OptionGroup var time: WindowOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let (since, until) = try time.window(now: ClockReading.now.wall)
        let reports = Reports(on: try store.open())
        output.show(
            try reporting {
                try reports.traffic(
                    in: Window(since: since, until: until), by: by, limit: limit)
            })
    }
}

extension HandshakePeriod: ExpressibleByArgument {}

struct HandshakesReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "handshakes", abstract: "Tell how long handshakes took.",
        discussion: """
            Median, 95th and 99th percentile of the time from the first request in to the last \
            response out, of logins that succeeded.
            Examples:
              weir report handshakes --since -30d
              weir report handshakes --by hour
            """)

    @Option(help: "hour or day.")
    var by = HandshakePeriod.day

    @OptionGroup var store: StoreOptions
    @OptionGroup var time: WindowOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let (since, until) = try time.window(now: ClockReading.now.wall)
        let reports = Reports(on: try store.open())
        output.show(
            try reporting {
                try reports.handshakes(in: Window(since: since, until: until), by: by)
            })
    }
}

struct CapacityReport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity", abstract: "Tell how full the gateway is and how long it will do.",
        discussion: """
            Sessions, pool addresses, logins and bits per second: now, in the busy hour, at the \
            95th percentile, at the peak, against their limits. Growth is told from two weeks of \
            history on.
            Example:
              weir report capacity --since -90d
            """)

    @OptionGroup var store: StoreOptions
    @OptionGroup var time: WindowOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let (since, until) = try time.window(now: ClockReading.now.wall)
        let reports = Reports(on: try store.open())
        output.show(
            try reporting { try reports.capacity(in: Window(since: since, until: until)) })
    }
}
