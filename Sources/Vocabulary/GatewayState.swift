/// What passed through a Child SA, or several: inner bytes and packets, headers included.
/// `in` is from the peer.
package struct Traffic: Hashable, Sendable {
    package var bytesIn: UInt64
    package var packetsIn: UInt64
    package var bytesOut: UInt64
    package var packetsOut: UInt64

    package init(
        bytesIn: UInt64 = 0, packetsIn: UInt64 = 0, bytesOut: UInt64 = 0, packetsOut: UInt64 = 0
    ) {
        self.bytesIn = bytesIn
        self.packetsIn = packetsIn
        self.bytesOut = bytesOut
        self.packetsOut = packetsOut
    }

    package static func + (left: Self, right: Self) -> Self {
        Self(
            bytesIn: left.bytesIn &+ right.bytesIn, packetsIn: left.packetsIn &+ right.packetsIn,
            bytesOut: left.bytesOut &+ right.bytesOut,
            packetsOut: left.packetsOut &+ right.packetsOut)
    }

    package static func += (left: inout Self, right: Self) { left = left + right }
}

/// One Child SA at one moment. Cumulative since it was installed.
package struct ChildSample: Hashable, Sendable {
    package let session: SessionID
    package let child: ChildID
    package let traffic: Traffic

    package init(session: SessionID, child: ChildID, traffic: Traffic) {
        self.session = session
        self.child = child
        self.traffic = traffic
    }
}

/// A pool at one moment.
package struct PoolState: Hashable, Sendable {
    package let name: String
    /// Addresses that can be lent.
    package let size: UInt64
    package let used: UInt64

    package init(name: String, size: UInt64, used: UInt64) {
        self.name = name
        self.size = size
        self.used = used
    }
}

/// A connection at one moment.
package struct ConnectionState: Hashable, Sendable {
    package let name: String
    package let sessions: UInt64
    /// The most that it may have: its own limit, else the gateway's.
    package let limit: UInt64

    package init(name: String, sessions: UInt64, limit: UInt64) {
        self.name = name
        self.sessions = sessions
        self.limit = limit
    }
}

/// What one user's sessions carried in this run, under a pseudonym. Only kept where the operator
/// asked for it.
package struct UserState: Hashable, Sendable {
    /// The pseudonym, or ``everybodyElse``.
    package let name: String
    package var sessions: UInt64 = 0
    package var traffic = Traffic()

    /// Stands for all users beyond the limit.
    package static let everybodyElse = "__other__"

    package init(name: String) { self.name = name }

    /// One series of each by user.
    package static let metrics: [StateMetric<UserState>] = [
        StateMetric(
            "ike_user_sessions", .gauge, "Sessions of a user, by pseudonym.", labels: ["user"]
        ) { $0.sessions },
        StateMetric(
            "ipsec_user_receive_bytes_total", .counter,
            "Inner bytes received from a user, by pseudonym.", labels: ["user"]
        ) { $0.traffic.bytesIn },
        StateMetric(
            "ipsec_user_transmit_bytes_total", .counter,
            "Inner bytes sent to a user, by pseudonym.", labels: ["user"]
        ) { $0.traffic.bytesOut },
    ]
}

/// Everything sampled at one moment: the gateway's gauges and each Child SA's counters.
package struct Tick: Sendable {
    package var sessions: UInt64 = 0
    /// Sessions without a Child SA (RFC 6023).
    package var childless: UInt64 = 0
    package var halfOpen: UInt64 = 0
    /// The most IKE SAs that may be half-open.
    package var halfOpenLimit: UInt64 = 0
    /// IKE_SA_INIT requests that wait for their turn.
    package var handshakesWaiting: UInt64 = 0
    package var childSAs: UInt64 = 0
    /// The most sessions that the configuration allows.
    package var sessionLimit: UInt64 = 0
    /// 1 while nobody is let in.
    package var draining: UInt64 = 0
    /// Of all Child SAs there ever were in this run.
    package var traffic = Traffic()
    package var received = MessageCounts(.received)
    package var sent = MessageCounts(.sent)
    package var retransmissionsSent: UInt64 = 0
    /// Requests of peers that came again and were answered again.
    package var retransmissionsReceived: UInt64 = 0
    /// Dead peer detection (RFC 7296 §2.4): how often we asked, and were answered.
    package var dpdSent: UInt64 = 0
    package var dpdAnswered: UInt64 = 0
    package var fragmentsReceived: UInt64 = 0
    package var fragmentsSent: UInt64 = 0
    /// NAT keepalives of peers (RFC 3948 §2.3).
    package var keepalives: UInt64 = 0
    package var keepalivesSent: UInt64 = 0
    /// ESP packets that came before the Child SA that we had asked for.
    package var earlyPackets: UInt64 = 0
    package var connections: [ConnectionState] = []
    package var pools: [PoolState] = []
    package var children: [ChildSample] = []

    package init() {}

    package var messagesReceived: UInt64 { received.total }
    package var messagesSent: UInt64 { sent.total }
}

/// A metric that is read off a tick.
package struct StateMetric<Source>: Sendable {
    package let family: MetricFamily
    package let value: @Sendable (Source) -> UInt64

    init(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, labels: [String] = [],
        _ value: @escaping @Sendable (Source) -> UInt64
    ) {
        family = MetricFamily(
            name: name, kind: kind, help: help, labels: labels, series: labels.isEmpty ? [[]] : [])
        self.value = value
    }
}

/// A metric of messages by exchange that is read off a tick.
package struct MessageMetric: Sendable {
    package let family: MetricFamily
    package let counts: @Sendable (Tick) -> MessageCounts

    init(
        _ name: String, _ help: String, _ direction: MessageCounts.Direction,
        _ path: any KeyPath<Tick, MessageCounts> & Sendable
    ) {
        family = MetricFamily(
            name: name, kind: .counter, help: help, labels: ["exchange", "message"],
            series: MessageCounts.series(direction))
        counts = { $0[keyPath: path] }
    }
}

extension Tick {
    package static let metrics: [StateMetric<Tick>] = [
        StateMetric("ike_sessions", .gauge, "Users logged in.") { $0.sessions },
        StateMetric("ike_sessions_limit", .gauge, "Users that may be logged in at once.") {
            $0.sessionLimit
        },
        StateMetric("ike_childless_sessions", .gauge, "Users logged in without a Child SA.") {
            $0.childless
        },
        StateMetric("ike_draining", .gauge, "1 while the gateway drains, else 0.") {
            $0.draining
        },
        StateMetric("ike_half_open_sas", .gauge, "IKE SAs that nobody has authenticated yet.") {
            $0.halfOpen
        },
        StateMetric(
            "ike_half_open_sas_limit", .gauge, "IKE SAs that may be half-open at once."
        ) { $0.halfOpenLimit },
        StateMetric(
            "ike_handshake_queue_length", .gauge, "IKE_SA_INIT requests that wait for their turn."
        ) { $0.handshakesWaiting },
        StateMetric("ipsec_child_sas", .gauge, "Child SAs in place.") { $0.childSAs },
        StateMetric("ipsec_receive_bytes_total", .counter, "Inner bytes received from peers.") {
            $0.traffic.bytesIn
        },
        StateMetric("ipsec_receive_packets_total", .counter, "Inner packets received from peers.") {
            $0.traffic.packetsIn
        },
        StateMetric("ipsec_transmit_bytes_total", .counter, "Inner bytes sent to peers.") {
            $0.traffic.bytesOut
        },
        StateMetric("ipsec_transmit_packets_total", .counter, "Inner packets sent to peers.") {
            $0.traffic.packetsOut
        },
        StateMetric("ike_retransmissions_sent_total", .counter, "Our requests sent again.") {
            $0.retransmissionsSent
        },
        StateMetric(
            "ike_retransmissions_received_total", .counter,
            "Requests of peers that came again and were answered again."
        ) { $0.retransmissionsReceived },
        StateMetric(
            "ike_dpd_requests_sent_total", .counter,
            "Peers asked for a sign of life, first time only."
        ) { $0.dpdSent },
        StateMetric(
            "ike_dpd_responses_received_total", .counter,
            "Signs of life that peers gave when asked."
        ) { $0.dpdAnswered },
        StateMetric(
            "ike_fragments_received_total", .counter,
            "Authentic fragments of IKE messages received."
        ) { $0.fragmentsReceived },
        StateMetric(
            "ike_fragments_sent_total", .counter, "Fragments of IKE messages sent, first time only."
        ) { $0.fragmentsSent },
        StateMetric(
            "ipsec_nat_keepalives_received_total", .counter, "NAT keepalives received from peers."
        ) { $0.keepalives },
        StateMetric(
            "ipsec_nat_keepalives_sent_total", .counter, "NAT keepalives sent to peers."
        ) { $0.keepalivesSent },
        StateMetric(
            "ipsec_receive_early_packets_total", .counter,
            "ESP packets kept until the Child SA that we had asked for was agreed on."
        ) { $0.earlyPackets },
    ]

    /// One series of each by exchange and kind of message.
    package static let messageMetrics = [
        MessageMetric(
            "ike_messages_received_total", "IKE datagrams received.", .received, \.received),
        MessageMetric("ike_messages_sent_total", "IKE datagrams sent.", .sent, \.sent),
    ]

    /// One series of each by connection, also of those that nobody uses.
    package static let connectionMetrics: [StateMetric<ConnectionState>] = [
        StateMetric(
            "ike_connection_sessions", .gauge, "Users logged in by a connection.",
            labels: ["connection"]
        ) { $0.sessions },
        StateMetric(
            "ike_connection_sessions_limit", .gauge,
            "Users that may be logged in by a connection at once.", labels: ["connection"]
        ) { $0.limit },
    ]

    /// One series of each by pool.
    package static let poolMetrics: [StateMetric<PoolState>] = [
        StateMetric(
            "ike_pool_addresses", .gauge, "Virtual addresses in a pool.", labels: ["pool"]
        ) { $0.size },
        StateMetric(
            "ike_pool_addresses_used", .gauge, "Virtual addresses lent.", labels: ["pool"]
        ) { $0.used },
    ]
}

/// What the process tells of itself.
package enum HealthMetric: String, CaseIterable, Sendable {
    case queueLength = "weir_recorder_queue_length"
    case recorderLag = "weir_recorder_lag_seconds"
    case eventsRecorded = "weir_events_recorded_total"
    case storeBytes = "weir_store_size_bytes"
    case storeWriteSeconds = "weir_store_write_seconds_total"
    case storeErrors = "weir_store_errors_total"
    case storeLogBytes = "weir_store_log_bytes"
    case storeRetentionErrors = "weir_store_retention_errors_total"
    case usersOmitted = "weir_user_overflow_logins_total"
    case scrapeSeconds = "weir_scrape_duration_seconds"
    case alertsFiring = "weir_alerts_firing"
    case notificationsFailed = "weir_alert_notifications_failed_total"
    case cpuSeconds = "process_cpu_seconds_total"
    case residentBytes = "process_resident_memory_bytes"
    case openFiles = "process_open_fds"
    case maxOpenFiles = "process_max_fds"
    case startTime = "process_start_time_seconds"
    case accountingQueue = "weir_radius_accounting_queue_length"
    case certificateExpiry = "weir_certificate_expiry_timestamp_seconds"

    package var family: MetricFamily {
        MetricFamily(
            name: rawValue, kind: rawValue.hasSuffix("_total") ? .counter : .gauge, help: help,
            labels: label.map { [$0.name] } ?? [], series: label?.values.map { [$0] } ?? [[]],
            isSparse: self == .certificateExpiry)
    }

    private var label: (name: String, values: [String])? {
        switch self {
        case .alertsFiring: ("rule", RuleID.allCases.map(\.rawValue))
        case .certificateExpiry: ("role", CertificateRole.allCases.map(\.rawValue))
        default: nil
        }
    }

    private var help: String {
        switch self {
        case .queueLength: "Facts that wait for the recorder."
        case .recorderLag: "How old the oldest fact was that waited in the last round."
        case .eventsRecorded: "Events written to the store."
        case .storeBytes: "Size of the store's database file."
        case .storeWriteSeconds: "Time spent writing to the store."
        case .storeErrors: "Writes that the store could not do."
        case .storeLogBytes: "Size of the store's write-ahead log."
        case .storeRetentionErrors: "Deletions of what is too old that the store could not do."
        case .usersOmitted: "Logins of users beyond the limit of per-user series."
        case .scrapeSeconds: "Time that the last scrape took to render."
        case .alertsFiring: "Alerts that are active now."
        case .notificationsFailed: "Alert notifications that did not reach their receiver."
        case .cpuSeconds: "Total user and system CPU time spent in seconds."
        case .residentBytes: "Resident memory size in bytes."
        case .openFiles: "Number of open file descriptors."
        case .maxOpenFiles: "Maximum number of open file descriptors."
        case .startTime: "Start time of the process since unix epoch in seconds."
        case .accountingQueue: "Accounting records that wait for a RADIUS server to take them."
        case .certificateExpiry: "When the first certificate in a configured file expires."
        }
    }
}
