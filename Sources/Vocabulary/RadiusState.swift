/// What became of a request to a RADIUS server.
package enum RadiusResult: String, Label {
    case answered
    /// Sent as often as the configuration says, and not answered.
    case unanswered
}

/// Why a datagram from a RADIUS server had no effect.
package enum RadiusDrop: String, Label {
    case malformed
    /// No request waits for it: it came too late, or twice.
    case unexpected
    /// It is of another kind than an answer to that request.
    case wrongCode = "wrong_code"
    /// Made with another shared secret, or by somebody else.
    case authenticator
}

/// Why RADIUS servers will never hear of an accounting record.
package enum AccountingLoss: String, Label {
    /// No server takes records, and as many wait as may.
    case queueFull = "queue_full"
    /// Facts came faster than they could be made into records.
    case inboxFull = "inbox_full"
    /// There are more sessions than are kept account of.
    case tableFull = "table_full"
    /// The gateway ended before a server had taken them.
    case shutdown
}

/// A RADIUS server at one moment. Cumulative since the gateway's start.
package struct RadiusServerState: Hashable, Sendable {
    /// As it is configured.
    package let name: String
    /// It answered last time, as far as it was asked.
    package var isUp = false
    package var retransmissions: UInt64 = 0
    private var results: [UInt64]
    private var drops: [UInt64]

    package init(name: String) {
        self.name = name
        results = RadiusResult.allCases.map { _ in 0 }
        drops = RadiusDrop.allCases.map { _ in 0 }
    }

    package mutating func count(_ result: RadiusResult) {
        results.count(RadiusResult.allCases.firstIndex(of: result))
    }

    package mutating func count(_ drop: RadiusDrop) {
        drops.count(RadiusDrop.allCases.firstIndex(of: drop))
    }

    package func count(of result: RadiusResult) -> UInt64 {
        zip(RadiusResult.allCases, results).first { $0.0 == result }?.1 ?? 0
    }

    package func count(of drop: RadiusDrop) -> UInt64 {
        zip(RadiusDrop.allCases, drops).first { $0.0 == drop }?.1 ?? 0
    }

    /// Time to the answer, from the first transmission on, by server.
    package static let latency = MetricFamily(
        name: "weir_radius_response_duration_seconds", kind: .histogram,
        help: "Time from a request's first transmission to its answer.", labels: ["server"],
        series: [], buckets: [0.001, 0.01, 0.1, 1, 10])

    /// Series of each by server.
    package static let metrics: [RadiusMetric] = [
        RadiusMetric("weir_radius_server_up", .gauge, "1 if a server answers, else 0.") {
            [([], $0.isUp ? 1 : 0)]
        },
        RadiusMetric(
            "weir_radius_requests_total", .counter,
            "Requests that were answered, or given up.", by: "result"
        ) { server in
            zip(RadiusResult.allCases, server.results).map { ([$0.rawValue], $1) }
        },
        RadiusMetric(
            "weir_radius_retransmissions_total", .counter, "Requests sent again."
        ) { [([], $0.retransmissions)] },
        RadiusMetric(
            "weir_radius_responses_dropped_total", .counter,
            "Datagrams from a server that had no effect.", by: "reason"
        ) { server in
            zip(RadiusDrop.allCases, server.drops).filter { $1 > 0 }.map { ([$0.rawValue], $1) }
        },
    ]
}

/// How long a server took to answer one request.
package struct RadiusAnswer: Hashable, Sendable {
    package let server: String
    package let seconds: Double

    package init(server: String, seconds: Double) {
        self.server = server
        self.seconds = seconds
    }
}

/// A metric that is read off a RADIUS server's state.
package struct RadiusMetric: Sendable {
    package let family: MetricFamily
    /// By the values of the labels behind `server`.
    package let values: @Sendable (RadiusServerState) -> [(labels: [String], value: UInt64)]

    init(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, by label: String? = nil,
        _ values: @escaping @Sendable (RadiusServerState) -> [(labels: [String], value: UInt64)]
    ) {
        family = MetricFamily(
            name: name, kind: kind, help: help,
            labels: ["server"] + (label.map { [$0] } ?? []), series: [])
        self.values = values
    }
}

extension [UInt64] {
    fileprivate mutating func count(_ index: Int?) {
        if let index, indices.contains(index) { self[index] &+= 1 }
    }
}
