package import Crypto
import ESP
import Engine
import Foundation
import Glibc
import Synchronization
package import Vocabulary

/// What a fleet of simulated clients is to do, and where.
package struct FleetPlan: Sendable {
    /// How many log in rightly.
    package var clients: Int
    /// How many use a wrong secret, again and again.
    package var intruders: Int
    /// The gateway's IKE port.
    package var gateway: Endpoint
    /// The gateway's NAT traversal port.
    package var natPort: UInt16
    package var gatewayIdentity: Identity
    package var secret: SharedSecret
    /// A host behind the gateway that echoes.
    package var innerHost: IPAddress

    package var rampUp: Duration = .seconds(3)
    package var onlineShortest: Duration = .seconds(12)
    package var onlineLongest: Duration = .seconds(45)
    package var awayShortest: Duration = .seconds(1)
    package var awayLongest: Duration = .seconds(5)
    package var habitShortest: Duration = .seconds(4)
    package var habitLongest: Duration = .seconds(15)
    package var packetGap: Duration = .milliseconds(120)
    package var failureGap: Duration = .milliseconds(700)

    package init(
        clients: Int, intruders: Int, gateway: Endpoint, natPort: UInt16,
        gatewayIdentity: Identity, secret: SharedSecret, innerHost: IPAddress
    ) {
        self.clients = clients
        self.intruders = intruders
        self.gateway = gateway
        self.natPort = natPort
        self.gatewayIdentity = gatewayIdentity
        self.secret = secret
        self.innerHost = innerHost
    }

    var natGateway: Endpoint { Endpoint(gateway.address, natPort) }

    var timing: Timing {
        var timing = Timing()
        timing.retransmit = .milliseconds(500)
        return timing
    }

    func policy(number: Int, isHonest: Bool) -> ClientPolicy {
        let wrong = SharedSecret(SecretBytes(copying: Array("not the secret".utf8)))
        return ClientPolicy(
            localIdentity: Identity(isHonest ? "user\(number)@demo" : "intruder\(number)@demo"),
            remoteIdentity: gatewayIdentity, secret: isHonest ? secret : wrong,
            remoteSelectors: [Selector(prefix: innerHost.prefix(24), length: 24)],
            rekey: RekeyPolicy(), livenessInterval: .seconds(30))
    }
}

/// What a fleet has done so far, as its clients saw it.
package struct FleetCounts: Hashable, Sendable {
    package var attempts = 0
    package var logins = 0
    package var failures = 0
    package var logouts = 0
    package var rekeys = 0
    package var moves = 0
    package var packetsSent: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var packetsReceived: UInt64 = 0
    package var bytesReceived: UInt64 = 0

    static func + (left: Self, right: Self) -> Self {
        Self(
            attempts: left.attempts + right.attempts, logins: left.logins + right.logins,
            failures: left.failures + right.failures, logouts: left.logouts + right.logouts,
            rekeys: left.rekeys + right.rekeys, moves: left.moves + right.moves,
            packetsSent: left.packetsSent + right.packetsSent,
            bytesSent: left.bytesSent + right.bytesSent,
            packetsReceived: left.packetsReceived + right.packetsReceived,
            bytesReceived: left.bytesReceived + right.bytesReceived)
    }
}

/// Simulated clients on one thread of their own.
package final class Fleet: Sendable {
    private let plan: FleetPlan
    private let clock: @Sendable () -> Instant
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    private struct State {
        var isStopping = false
        var counts = FleetCounts()
    }

    /// - Parameter clock: never steps.
    package init(_ plan: FleetPlan, clock: @escaping @Sendable () -> Instant) {
        self.plan = plan
        self.clock = clock
    }

    package func start() {
        let thread = Thread { [self] in run() }
        thread.name = "clients"
        thread.start()
    }

    /// Logs everybody out and ends the thread; at most 2 s.
    package func stop() {
        state.withLock { $0.isStopping = true }
        _ = ended.wait(timeout: .now() + .seconds(2))
    }

    package var counts: FleetCounts { state.withLock(\.counts) }

    private func run() {
        let now = clock()
        let clients =
            (0..<plan.clients).map {
                SimulatedClient(plan, number: $0, isHonest: true, at: now)
            }
            + (0..<plan.intruders).map {
                SimulatedClient(plan, number: $0, isHonest: false, at: now)
            }
        while !state.withLock(\.isStopping) {
            turn(clients)
        }
        for client in clients { client.logOut(at: clock()) }
        // The answers to the Deletes.
        for _ in 0..<10 { turn(clients) }
        ended.signal()
    }

    private func turn(_ clients: [SimulatedClient]) {
        var waits = clients.map {
            pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
        }
        _ = poll(&waits, nfds_t(waits.count), 10)
        let now = clock()
        for (client, wait) in zip(clients, waits) {
            if wait.revents != 0 { client.receive(at: now) }
            client.live(at: now)
        }
        let counts = clients.reduce(FleetCounts()) { $0 + $1.counts }
        state.withLock { $0.counts = counts }
    }
}
