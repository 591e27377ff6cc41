package import Presentation
package import Vocabulary

/// Everything that the page shows, at one moment. Personal values are disclosed already.
package struct PageState: Sendable {
    package var gateway: String
    package var version: String
    package var now: Timestamp
    package var figures: [Figure] = []
    package var checks: [Check] = []
    /// A sentence below them.
    package var remark: String?
    /// Since the start, greatest first.
    package var failures: [Bar] = []
    package var pools: [PoolState] = []
    package var activeAlerts: Table
    package var pastAlerts: Table
    package var sessions: Table
    package var charts: [TimeChart] = []
    package var capacity: [Table] = []
    /// What can't be shown now, and why.
    package var gaps: [String] = []

    package init(gateway: String, version: String, now: Timestamp) {
        self.gateway = gateway
        self.version = version
        self.now = now
        activeAlerts = Table(columns: [], rows: [])
        pastAlerts = Table(columns: [], rows: [])
        sessions = Table(columns: [], rows: [])
    }

    /// A number with a name.
    package struct Figure: Hashable, Sendable {
        /// Stable: the element that live updates replace.
        package let id: String
        package let name: String
        package let value: String

        package init(id: String, name: String, value: String) {
            self.id = id
            self.name = name
            self.value = value
        }
    }

    /// How something stands. The name is that of the style.
    package enum Condition: String, Sendable {
        case good, warning, bad

        /// What it is called.
        var mark: String {
            switch self {
            case .good: "OK"
            case .warning: "Warning"
            case .bad: "Problem"
            }
        }
    }

    package struct Check: Hashable, Sendable {
        package let id: String
        package let name: String
        package let condition: Condition
        package let value: String

        package init(id: String, name: String, condition: Condition, value: String) {
            self.id = id
            self.name = name
            self.condition = condition
            self.value = value
        }
    }

    package struct Bar: Hashable, Sendable {
        package let name: String
        package let value: Double

        package init(name: String, value: Double) {
            self.name = name
            self.value = value
        }
    }
}

/// Values over time.
package struct TimeChart: Hashable, Sendable {
    package let id: String
    package let title: String
    package let kind: Kind
    package let since: Timestamp
    package let until: Timestamp
    package let lines: [Line]

    package struct Line: Hashable, Sendable {
        package let name: String
        /// At equal distances; nil where nothing was recorded.
        package let values: [Double?]

        package init(name: String, values: [Double?]) {
            self.name = name
            self.values = values
        }
    }

    package init(
        id: String, title: String, kind: Kind, since: Timestamp, until: Timestamp, lines: [Line]
    ) {
        self.id = id
        self.title = title
        self.kind = kind
        self.since = since
        self.until = until
        self.lines = lines
    }
}

/// What the person chose, by the query parameters of the page's address.
package struct PageChoice: Hashable, Sendable {
    package enum Span: String, CaseIterable, Sendable {
        case hour, day, week, month

        package var seconds: Int64 {
            switch self {
            case .hour: 3_600
            case .day: 86_400
            case .week: 604_800
            case .month: 2_592_000
            }
        }
    }

    package var span = Span.hour
    package var sessionsBy = "since"
    package var sessionsDescending = true
    package var alertsBy = "fired"
    package var alertsDescending = true

    /// Anything that is not known is as if it were not there.
    package init(_ parameter: (String) -> String? = { _ in nil }) {
        span = parameter("span").flatMap { Span(rawValue: $0) } ?? .hour
        sessionsBy = parameter("sessions") ?? sessionsBy
        sessionsDescending = parameter("sessions_order").map { $0 == "desc" } ?? sessionsDescending
        alertsBy = parameter("alerts") ?? alertsBy
        alertsDescending = parameter("alerts_order").map { $0 == "desc" } ?? alertsDescending
    }

    /// The address of the page with these choices, without what is the default.
    var address: String {
        let standard = PageChoice()
        var parts: [String] = []
        func add(_ name: String, _ value: String, _ usual: String) {
            if value != usual { parts.append("\(name)=\(percentEncoded(value))") }
        }
        func order(_ descending: Bool) -> String { descending ? "desc" : "asc" }
        add("span", span.rawValue, standard.span.rawValue)
        add("sessions", sessionsBy, standard.sessionsBy)
        add("sessions_order", order(sessionsDescending), order(standard.sessionsDescending))
        add("alerts", alertsBy, standard.alertsBy)
        add("alerts_order", order(alertsDescending), order(standard.alertsDescending))
        return parts.isEmpty ? "/" : "/?" + parts.joined(separator: "&")
    }
}
