import Clocks
import Engine
import Exporter
import Gateway
import Page
import Presentation
import Recorder
import Synchronization
import Vocabulary

/// The page for people on the metrics server: joins what the gateway, the recorder, the registry
/// and the store know. Answers on the server's thread, which never waits for the store longer than
/// ``PageHistory`` lets it.
final class PageSite: Site {
    /// Where the page's facts come from.
    struct Sources: Sendable {
        let gateway: String
        let registry: Registry
        let policy: Disclosure
        let ask: @Sendable (Gateway.Question) -> Gateway.Answer?
        let activeAlerts: @Sendable () -> [ActiveAlert]
        let isHealthy: @Sendable () -> Bool
    }

    private let sources: Sources
    private let history: PageHistory
    private let meter = Mutex(RateMeter(depth: 5))

    init(_ sources: Sources, store: String) {
        self.sources = sources
        history = PageHistory(store: store)
    }

    func stop() { history.stop() }

    func answer(_ request: Request) -> Answer? {
        switch request.path {
        case "/":
            let choice = PageChoice { request.parameter($0) }
            return Answer(200, Self.headers, text: state(choice).html(choice))
        case "/live":
            return Answer(
                200, ["Content-Type": "text/event-stream; charset=utf-8"],
                text: current().state.event)
        default:
            return Asset(rawValue: request.path).map { asset in
                Answer(
                    200, ["Content-Type": asset.contentType, "Cache-Control": "max-age=300"],
                    text: asset.text)
            }
        }
    }

    private static let headers = [
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": Asset.contentSecurityPolicy,
        "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
    ]

    private func state(_ choice: PageChoice) -> PageState {
        var (state, count) = current()
        state.failures = sources.registry.values(of: authenticationFailures)
            .map { .init(name: $0.label, value: $0.value) }.sorted { $0.value > $1.value }
        state.pools = sources.registry.pools
        state.activeAlerts = alertTable(sources.activeAlerts())
        if let sessions = first(choice) {
            let reply = ControlReply(
                .sessions(sessions), under: sources.policy, wallOffset: SystemClock.wallOffset)
            state.sessions = sessionTable(reply.sessions ?? []).narrowed
            state.sessions.title = "Logged in"
            let left = count - sessions.count
            if left > 0 {
                state.sessions.notes.append("\(left) more sessions are not shown.")
            }
        } else {
            state.gaps.append("The gateway does not answer: sessions are not shown.")
        }
        let past = history.look(choice.span, now: state.now)
        state.charts = past.charts
        state.capacity = past.capacity
        state.pastAlerts = past.alerts
        state.gaps += past.gaps
        return state
    }

    /// The sessions that there is room for, in the order that was chosen; nil if the gateway does
    /// not answer. It picks them itself where it can: ten thousand summaries would take its thread
    /// longer than its peers should wait.
    private func first(_ choice: PageChoice) -> [SessionSummary]? {
        switch choice.sessionsBy {
        case "bytes_in": return first(by: .bytesIn, choice)
        case "bytes_out": return first(by: .bytesOut, choice)
        case "identity": return first(choice) { $0.identity.datum(under: $1) }
        case "address": return first(choice) { $0.virtualAddress.datum(under: $1) }
        case "source": return first(choice) { $0.source.datum(under: $1) }
        default: return first(by: .established, choice)
        }
    }

    private func first(by order: SessionOrder, _ choice: PageChoice) -> [SessionSummary]? {
        let isDescending = choice.sessionsDescending
        let answer = sources.ask(
            .firstSessions(PageState.rowLimit, by: order, descending: isDescending))
        guard case .sessions(let sessions) = answer else { return nil }
        return first(of: sessions, descending: isDescending, by: order.key)
    }

    /// By what people see of a personal value, which the gateway does not know. It tells what all
    /// sessions are known by, which is little work; what is shown of that is made and put in order
    /// here, and the gateway tells the rest of the first hundred only.
    private func first(
        _ choice: PageChoice, by shown: (SessionName, Disclosure) -> Datum
    ) -> [SessionSummary]? {
        guard case .sessionNames(let names) = sources.ask(.sessionNames) else { return nil }
        let known = first(
            of: names.sorted {
                ($0.session.high, $0.session.low) < ($1.session.high, $1.session.low)
            },
            descending: choice.sessionsDescending
        ) { name in
            if case .text(let text) = shown(name, sources.policy) { text } else { "" }
        }
        guard case .sessions(let sessions) = sources.ask(.sessionsOf(known.map(\.session))) else {
            return nil
        }
        let places = Dictionary(known.enumerated().map { ($1.session, $0) }) { first, _ in first }
        return first(of: sessions, descending: false) { places[$0.session] ?? .max }
    }

    private func first<Session, Key: Comparable>(
        of sessions: [Session], descending: Bool, by key: (Session) -> Key
    ) -> [Session] {
        let order = sessions.enumerated().map { (key: key($1), place: $0) }
            .sorted { left, right in
                if left.key == right.key { return left.place < right.place }
                return descending ? right.key < left.key : left.key < right.key
            }
        return order.prefix(PageState.rowLimit).map { sessions[$0.place] }
    }

    /// What live updates replace, and how many sessions there are.
    private func current() -> (state: PageState, sessions: Int) {
        let registry = sources.registry
        let reading = ClockReading.now
        var state = PageState(gateway: sources.gateway, version: version, now: reading.wall)
        func figure(_ id: String, _ name: String, _ value: Double?, _ kind: Kind = .count) {
            let text = human(value.map { .real($0) } ?? .null, kind)
            state.figures.append(.init(id: "f-\(id)", name: name, value: text))
        }
        var rates: (receive: Double, transmit: Double)?
        var isUp = false
        var sessions = 0
        if case .status(let status) = sources.ask(.status) {
            rates = meter.withLock { meter in
                meter.look(status.traffic, at: reading.instant)
                return meter.rates
            }
            isUp = status.innerUp
            sessions = Int(clamping: status.sessions)
            figure("sessions", "Sessions", Double(status.sessions))
            figure("half-open", "Half-open IKE SAs", Double(status.halfOpen))
            figure("children", "Child SAs", Double(status.childSAs))
        }
        figure("limit", "Session limit", registry.sum(of: "ike_sessions_limit"))
        // Before a second look: as of the last ticks.
        rates = rates ?? registry.rates
        figure("receive", "Received", rates?.receive, .bitsPerSecond)
        figure("transmit", "Sent", rates?.transmit, .bitsPerSecond)
        figure("logins", "Logins", registry.sum(of: "ike_sessions_established_total"))
        figure("failures", "Failed logins", registry.sum(of: "ike_auth_failures_total"))
        for (name, quantile) in [("Median handshake", 0.5), ("95 % of handshakes within", 0.95)] {
            let seconds = registry.quantile(
                quantile, of: "ike_handshake_duration_seconds", label: "total")
            figure(
                quantile == 0.5 ? "median" : "p95", name, seconds.map { ($0 * 1e9).rounded() },
                .duration)
        }
        figure("dropped", "Packets dropped", registry.sum(of: "ipsec_packets_dropped_total"))
        let health = health(isUp: isUp)
        state.checks = health.checks(at: reading.wall)
        state.remark = health.remark
        return (state, sessions)
    }

    private func health(isUp: Bool) -> Health {
        let registry = sources.registry
        var health = Health()
        health.isUp = isUp
        health.isRecording = sources.isHealthy()
        health.waiting = registry.sum(of: "weir_recorder_queue_length")
        health.failedWrites = registry.sum(of: "weir_store_errors_total")
        health.lostFacts = registry.sum(of: "weir_events_lost_total")
        health.activeAlerts = sources.activeAlerts().count
        health.radius = registry.radiusServers.map { .init(state: $0.state, median: $0.median) }
        health.accountingWaiting = registry.sum(of: "weir_radius_accounting_queue_length")
        health.accountingLost = registry.sum(of: "weir_radius_accounting_lost_total")
        health.certificates = registry.certificates.map { .init(role: $0.role, expiry: $0.expiry) }
        return health
    }

    private func alertTable(_ alerts: [ActiveAlert]) -> Table {
        Table(
            title: "Active alerts",
            columns: [
                Column("fired", .timestamp), Column("severity", .text), Column("rule", .text),
                Column("subject", .text), Column("evidence", .text),
            ],
            rows: alerts.map {
                [
                    .integer($0.since.nanoseconds), .text($0.severity.rawValue),
                    .text($0.rule.rawValue), $0.subject.map { .text($0) } ?? .null,
                    .text($0.evidence),
                ]
            })
    }
}

/// The counter of failed logins by reason.
private let authenticationFailures =
    Catalogue.families.first { $0.name == "ike_auth_failures_total" } ?? Catalogue.buildInfo
