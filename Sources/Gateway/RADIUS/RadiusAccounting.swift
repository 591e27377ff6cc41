import Clocks
package import Crypto
package import RADIUS
import Synchronization
package import Vocabulary

/// Tells RADIUS servers of sessions (RFC 2866), and keeps asking them whether they are there
/// (RFC 5997), on a thread of its own.
///
/// It hears of sessions as the recorder does, as a sink of the gateway's facts. The gateway's
/// threads hold a lock here for as long as it takes to put down one fact, at logins, logouts and
/// ticks; they wait for no server. What finds no room is counted.
package final class RadiusAccounting: FactSink {
    package struct Setup: Sendable {
        package var servers: [Server]
        package var policy: Client.Policy
        /// Between two Interim-Updates of a session.
        package var interim: Duration
        /// What the gateway calls itself.
        package var nasIdentifier: String
        /// Sessions that there can be.
        package var sessionLimit: Int

        package init(
            servers: [Server], policy: Client.Policy, interim: Duration, nasIdentifier: String,
            sessionLimit: Int
        ) {
            self.servers = servers
            self.policy = policy
            self.interim = interim
            self.nasIdentifier = nasIdentifier
            self.sessionLimit = sessionLimit
        }
    }

    package struct Server: Sendable {
        package var name: String
        package var endpoint: Endpoint
        package var secret: SharedSecret

        package init(name: String, endpoint: Endpoint, secret: SharedSecret) {
            self.name = name
            self.endpoint = endpoint
            self.secret = secret
        }
    }

    /// How things stand, after each turn of the thread.
    package struct Report: Sendable {
        package let servers: [RadiusServerState]
        package let answers: [RadiusAnswer]
        /// Records that no server has taken yet.
        package let waiting: UInt64
    }

    let inbox = RadiusInbox()
    private let wakeUp: WakeUp
    private let life: Mutex<Life>

    private enum Life {
        case ready(Handover)
        case running(Worker)
        case over
    }

    /// - Parameters:
    ///   - sink: for events of its own; called on its own thread only.
    ///   - report: called on its own thread.
    /// - Throws: ``GatewayError`` if there is no socket to be had.
    package init(
        _ setup: Setup, sink: any FactSink, report: @escaping @Sendable (Report) -> Void
    ) throws(GatewayError) {
        wakeUp = try WakeUp()
        let loop = try RadiusLoop(
            setup, inbox: inbox, wakeUp: wakeUp, sink: sink, report: report)
        life = Mutex(.ready(Handover(loop: loop)))
    }

    deinit { stop() }

    /// Starts the thread. Once only; later calls do nothing.
    package func start() throws(GatewayError) {
        try life.withLock { life throws(GatewayError) in
            guard case .ready(let handover) = life else { return }
            life = .running(try Worker(named: "radius") { handover.loop.run() })
        }
    }

    /// Sends what waits, two seconds at most, and ends the thread. After the gateway's own end, so
    /// that the last records are in it.
    package func stop() {
        inbox.askToStop()
        wakeUp.signal()
        let past = life.withLock { life in
            defer { life = .over }
            return life
        }
        if case .running(let worker) = past { worker.join() }
    }

    package func record(_ event: any Event, at time: Instant) {
        switch event {
        case is SessionEstablished, is SessionClosed, is ChildSAClosed: break
        default: return
        }
        if inbox.put(.event(event, time)) { wakeUp.signal() }
    }

    package func record(_ tick: Tick, at time: Instant) {
        if inbox.put(.tick(tick, time)) { wakeUp.signal() }
    }

    /// From the thread that makes it to the one that runs it; nobody else touches it.
    private struct Handover: @unchecked Sendable { let loop: RadiusLoop }
}

/// What the gateway's threads have put down for the accounting's.
final class RadiusInbox: Sendable {
    enum Fact: Sendable {
        case event(any Event, Instant)
        case tick(Tick, Instant)
    }

    static let limit = 65_536
    /// Each may have counters of all Child SAs.
    static let tickLimit = 2

    private struct State {
        var facts: [Fact] = []
        var ticks = 0
        var lost: UInt64 = 0
        var isOver = false
    }

    private let state = Mutex(State())

    /// - Returns: whether the reader must be woken: it finds all later ones with this one.
    func put(_ fact: Fact) -> Bool {
        state.withLock { state in
            if case .tick = fact {
                // The next one has all that this one has.
                guard state.ticks < Self.tickLimit else { return false }
                state.ticks += 1
            } else if state.facts.count >= Self.limit {
                state.lost &+= 1
                return false
            }
            state.facts.append(fact)
            return state.facts.count == 1
        }
    }

    func askToStop() { state.withLock { $0.isOver = true } }

    /// - Returns: what has come since the last call, and how many found no room.
    func take() -> (facts: [Fact], lost: UInt64, isOver: Bool) {
        state.withLock { state in
            defer { state = State(isOver: state.isOver) }
            return (state.facts, state.lost, state.isOver)
        }
    }
}
