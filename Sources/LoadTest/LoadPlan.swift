package import Crypto
import ESP
import Engine
package import Vocabulary

/// What load to put on a gateway, whoever made it.
package struct LoadPlan: Sendable {
    /// What simulated clients do.
    package enum Kind: Hashable, Sendable {
        /// Log in; once there are enough sessions, the oldest logs out for each new one.
        case churn
        /// Log in until there are enough sessions, and stay.
        case hold
        /// Send IKE_SA_INIT and never go on. Each counts as an attempt, each answer as one more
        /// half-open SA; a cookie that is asked for is not sent back.
        case flood
        /// Log in until there are enough sessions, forget them all without a word, and come back
        /// by ticket (RFC 5723); who has none, or whose is refused, logs in. Then it is over.
        case resume
    }

    package var kind: Kind
    /// The gateway's IKE port.
    package var gateway: Endpoint
    /// The gateway's NAT traversal port.
    package var natPort: UInt16
    /// What the gateway must call itself; nil takes any name.
    package var gatewayIdentity: Identity?
    package var secret: SharedSecret
    /// Attempts per second; nil for as many as `parallel` allows.
    package var rate: Double?
    /// Sessions to have at once; attempts in all for a flood.
    package var sessions: Int
    /// Logins that may be under way at once; what the rate asks for beyond that waits, and the
    /// wait counts as latency.
    package var parallel: Int
    package var duration: Duration
    /// Where clients say they come from: `load0@domain`, `load1@domain` ….
    package var domain = "load.test"
    /// UDP ports to send from. A gateway with several threads spreads its peers by them.
    package var ports = 16
    /// Ask a silent gateway for a sign of life after this long.
    package var livenessInterval: Duration = .seconds(3_600)
    /// With ``Kind/resume``: nobody comes back before ``LoadRun/goOn()``.
    package var waits = false
    /// A process whose CPU time is measured: the gateway, if it is this machine's.
    package var gatewayProcess: Int32?

    package init(
        _ kind: Kind, gateway: Endpoint, natPort: UInt16, gatewayIdentity: Identity?,
        secret: SharedSecret, rate: Double?, sessions: Int, parallel: Int, duration: Duration
    ) {
        self.kind = kind
        self.gateway = gateway
        self.natPort = natPort
        self.gatewayIdentity = gatewayIdentity
        self.secret = secret
        self.rate = rate
        self.sessions = sessions
        self.parallel = parallel
        self.duration = duration
    }

    /// Nobody logs in once there are enough sessions.
    var hasEnd: Bool { kind == .hold || kind == .resume }

    func policy(number: Int) -> ClientPolicy {
        var policy = ClientPolicy(
            localIdentity: Identity("load\(number)@\(domain)"), remoteIdentity: gatewayIdentity,
            secret: secret, rekey: RekeyPolicy(ike: .seconds(86_400), child: .seconds(86_400)),
            livenessInterval: livenessInterval)
        policy.wantsTicket = kind == .resume
        return policy
    }
}

/// How a load went so far, as its clients saw it.
package struct LoadReport: Sendable {
    /// Since the start.
    package var elapsed: Duration = .zero
    package var attempts = 0
    package var logins = 0
    package var logouts = 0
    package var up = 0
    package var waiting = 0
    /// Sessions that the gateway ended, or that were found dead.
    package var lost = 0
    package var failures: [AuthFailure: Int] = [:]
    /// From the moment at which a login was due to its end.
    package var latencies = Latencies()
    /// Of IKE_SA_INIT requests, to a flood.
    package var answers = 0
    /// Answers that wanted a cookie first (RFC 7296 §2.6).
    package var cookies = 0
    /// When the last login succeeded, since the start.
    package var lastLogin: Duration = .zero
    /// All that was asked for is done: the sessions are up, or the flood is sent.
    package var isComplete = false
    /// Logins that came by a ticket.
    package var resumed = 0
    /// What is over of a load that has two parts: all logins, then all that came back.
    package var parts: [LoadPart] = []
    /// Everybody is gone, and so many have a ticket to come back with.
    package var away: Int?

    package var failed: Int { failures.values.reduce(0, +) }
}

/// A part of a load.
package struct LoadPart: Sendable {
    package let attempts: Int
    package let logins: Int
    /// Of the logins.
    package let resumed: Int
    package let failed: Int
    package let latencies: Latencies
    /// What the gateway's process took meanwhile; nil if nobody knows.
    package let processorTime: Duration?
}
