import Capacity
import Page
import Presentation
import Vocabulary

/// The charts of a span of time, in `points` bins of equal length.
func charts(
    of reports: Reports, _ span: PageChoice.Span, until: Timestamp, points: Int = 120
) throws -> [TimeChart] {
    let length = span.seconds * 1_000_000_000
    // The bins of a week and of a month are whole minutes. They begin with one, so that sums by
    // minute tell what the ticks would.
    let minute: Int64 = 60_000_000_000
    let until =
        length > 86_400 * 1_000_000_000
        ? Timestamp(nanoseconds: (until.nanoseconds / minute + 1) * minute) : until
    let since = Timestamp(nanoseconds: until.nanoseconds - length)
    let history = try reports.history(in: Window(since: since, until: until), bins: points)
    func chart(
        _ id: String, _ title: String, _ kind: Kind, _ lines: [(String, [Double?])]
    ) -> TimeChart {
        TimeChart(
            id: id, title: title, kind: kind, since: since, until: until,
            lines: lines.map { TimeChart.Line(name: $0.0, values: $0.1) })
    }
    return [
        chart("sessions", "Sessions", .count, [("logged in", history.sessions)]),
        chart(
            "traffic", "Traffic", .bitsPerSecond,
            [("received", history.receive), ("sent", history.transmit)]),
        chart(
            "logins", "Logins in \(human(.integer(length / Int64(points)), .duration))", .count,
            [("succeeded", history.logins), ("failed", history.failures)]),
        chart("half-open", "Half-open IKE SAs", .count, [("most at once", history.halfOpen)]),
    ]
}
