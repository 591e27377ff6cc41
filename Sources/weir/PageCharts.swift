import Page
import Presentation
import Store
import Vocabulary

/// The charts of a span of time, in `points` bins of equal length.
func charts(
    of reader: StoreReader, _ span: PageChoice.Span, until: Timestamp, points: Int = 120
) throws -> [TimeChart] {
    let length = span.seconds * 1_000_000_000
    let bin = length / Int64(points)
    // A day's bins and longer ones are whole minutes, and begin with one, so that sums by minute
    // tell what the ticks would.
    let minute: Int64 = 60_000_000_000
    let bySums = bin % minute == 0 && span != .day
    let until =
        bySums ? Timestamp(nanoseconds: (until.nanoseconds / minute + 1) * minute) : until
    let since = Timestamp(nanoseconds: until.nanoseconds - length)
    let window: [String: Datum] = [
        "since": .integer(since.nanoseconds), "until": .integer(until.nanoseconds),
        "bin": .integer(bin),
    ]
    var bins = TickBins(count: points)
    for row in try reader.rows(TickBins.sql(bySums: bySums), window).rows { bins.add(row) }
    func chart(
        _ id: String, _ title: String, _ kind: Kind, _ lines: [(String, [Double?])]
    ) -> TimeChart {
        TimeChart(
            id: id, title: title, kind: kind, since: since, until: until,
            lines: lines.map { TimeChart.Line(name: $0.0, values: $0.1) })
    }
    func counts(_ table: String) throws -> [Double?] {
        let sql = """
            SELECT (at_ns - :since) / :bin, count(*) FROM \(table)
            WHERE at_ns >= :since AND at_ns < :until GROUP BY 1
            """
        // No event where there are samples is none; where there are no samples it is not known.
        var values = bins.sessions.map { $0.map { _ in 0.0 } }
        for row in try reader.rows(sql, window).rows {
            guard row.count == 2, case .integer(let place) = row[0],
                case .integer(let count) = row[1], values.indices.contains(Int(place))
            else { continue }
            values[Int(place)] = Double(count)
        }
        return values
    }
    return [
        chart("sessions", "Sessions", .count, [("logged in", bins.sessions)]),
        chart(
            "traffic", "Traffic", .bitsPerSecond,
            [("received", bins.received), ("sent", bins.sent)]),
        chart(
            "logins", "Logins in \(human(.integer(bin), .duration))", .count,
            [
                ("succeeded", try counts("session_established")),
                ("failed", try counts("ike_auth_failed")),
            ]),
        chart(
            "half-open", "Half-open IKE SAs", .count, [("most at once", bins.halfOpen)]),
    ]
}

/// Ticks summed up by bin: the most of each gauge, and how fast each counter grew within a run,
/// over the time that ticks cover: the latest bin is not over yet.
private struct TickBins {
    static func sql(bySums: Bool) -> String {
        bySums
            ? """
            SELECT (start_ns - :since) / :bin AS bin, run, max(sessions_max), max(half_open_max),
                   min(bytes_in_min), max(bytes_in_max), min(bytes_out_min), max(bytes_out_max),
                   min(first_ns), max(last_ns)
              FROM gateway_minutes WHERE start_ns >= :since AND start_ns < :until
             GROUP BY 1, run ORDER BY 1, run
            """
            : """
            SELECT (at_ns - :since) / :bin AS bin, run, max(sessions), max(half_open),
                   min(bytes_in), max(bytes_in), min(bytes_out), max(bytes_out), min(at_ns),
                   max(at_ns)
              FROM ticks WHERE at_ns >= :since AND at_ns < :until
             GROUP BY 1, run ORDER BY 1, run
            """
    }

    private(set) var sessions: [Double?]
    private(set) var halfOpen: [Double?]
    /// By bin: bytes, and the seconds in which they came.
    private var growth: [(received: Double, sent: Double, seconds: Double)]
    private var last: (run: Int64, received: Double, sent: Double, at: Double)?

    init(count: Int) {
        let none = [Double?](repeating: nil, count: count)
        (sessions, halfOpen) = (none, none)
        growth = Array(repeating: (0, 0, 0), count: count)
    }

    /// Bits per second.
    var received: [Double?] { growth.map { $0.seconds > 0 ? $0.received * 8 / $0.seconds : nil } }
    var sent: [Double?] { growth.map { $0.seconds > 0 ? $0.sent * 8 / $0.seconds : nil } }

    mutating func add(_ row: [Datum]) {
        let numbers = row.map { datum -> Int64 in
            if case .integer(let number) = datum { number } else { 0 }
        }
        guard numbers.count == 10, sessions.indices.contains(Int(clamping: numbers[0])) else {
            return
        }
        let place = Int(numbers[0])
        let run = numbers[1]
        sessions[place] = max(sessions[place] ?? 0, Double(numbers[2]))
        halfOpen[place] = max(halfOpen[place] ?? 0, Double(numbers[3]))
        let before = last.flatMap { $0.run == run ? $0 : nil }
        let (received, sent, at) = (
            Double(numbers[5]), Double(numbers[7]), Double(numbers[9]) / 1e9
        )
        growth[place].received += max(0, received - (before?.received ?? Double(numbers[4])))
        growth[place].sent += max(0, sent - (before?.sent ?? Double(numbers[6])))
        growth[place].seconds += max(0, at - (before?.at ?? Double(numbers[8]) / 1e9))
        last = (run, received, sent, at)
    }
}
