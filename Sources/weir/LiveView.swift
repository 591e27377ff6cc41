import Clocks
import Gateway
import Glibc
import LoadTest
import Presentation
import Recorder
import Vocabulary

/// The demonstration's screen: a table that is drawn over itself on a terminal, a line now and
/// then in a pipe.
struct LiveView {
    let station: Station
    let fleet: Fleet
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private var drawnLines = 0
    private var last: (at: Instant, traffic: Traffic)?
    private var rates: [Double?] = []

    init(station: Station, fleet: Fleet) {
        self.station = station
        self.fleet = fleet
    }

    var interval: Duration { isTerminal ? .seconds(1) : .seconds(5) }

    mutating func show() {
        guard case .status(let status) = station.gateway.ask(.status) else { return }
        let now = SystemClock.now
        let rate = last.map { last in
            let span = (now - last.at).seconds
            return (
                receive: Double(status.traffic.bytesIn &- last.traffic.bytesIn) * 8 / span,
                transmit: Double(status.traffic.bytesOut &- last.traffic.bytesOut) * 8 / span
            )
        }
        last = (now, status.traffic)
        rates.append(rate.map { $0.receive + $0.transmit })
        if rates.count > 40 { rates.removeFirst() }
        let head = summary(status, rate)
        if isTerminal { draw(head) } else { say(head) }
    }

    /// Leaves the last picture standing.
    func finish() {
        if isTerminal { say("") }
    }

    private func summary(
        _ status: GatewayStatus, _ rate: (receive: Double, transmit: Double)?
    ) -> String {
        let counts = fleet.counts
        let speed = rate.map {
            "\(human(.real($0.receive), .bitsPerSecond)) in, "
                + "\(human(.real($0.transmit), .bitsPerSecond)) out"
        }
        let alerts = station.activeAlerts.map(\.rule.rawValue).joined(separator: ", ")
        return """
            sessions \(status.sessions)  child SAs \(status.childSAs)  logins \(counts.logins)  \
            failed \(counts.failures)  rekeys \(counts.rekeys)  moves \(counts.moves)  \
            \(speed ?? "no rate yet")  alerts: \(alerts.isEmpty ? "none" : alerts)
            """
    }

    private mutating func draw(_ head: String) {
        var lines = [head, sparkline(rates), ""]
        if case .sessions(let sessions) = station.gateway.ask(.sessions) {
            let reply = ControlReply(
                .sessions(sessions), under: station.policy, wallOffset: SystemClock.wallOffset)
            let table = render(
                sessionTable(reply.sessions ?? []).narrowed, as: .table, width: terminalWidth())
            lines += table.split(separator: "\n").map(String.init)
        }
        let up = drawnLines > 0 ? "\u{1b}[\(drawnLines)A" : ""
        let height = max(6, (terminalHeight() ?? 24) - 8)
        let shown = lines.prefix(height)
        drawnLines = shown.count
        say(up + "\u{1b}[J" + shown.joined(separator: "\n"))
    }
}

extension Table {
    /// The columns that fit a terminal.
    var narrowed: Table {
        let kept = ["identity", "address", "source", "bytes_in", "bytes_out", "since"]
        let places = kept.compactMap { name in columns.firstIndex { $0.name == name } }
        return Table(
            columns: places.map { columns[$0] }, rows: rows.map { row in places.map { row[$0] } })
    }
}

func terminalHeight() -> Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return Int(size.ws_row)
}
