import Clocks
import Crypto
import ESP
import Engine
import Foundation
import Gateway
import LoadTest
import Testing
import Vocabulary

/// A gateway on loopback, as `weir run` has it, whose facts go nowhere.
struct Bed {
    static let secret = "a secret of the tests"
    let gateway: Gateway
    let ike: Endpoint
    let nat: Endpoint

    init(sessionLimit: Int = 1_000) throws {
        var setup = GatewaySetup(listen: [.v4(0x7f00_0001)])
        (setup.port, setup.natPort) = (0, 0)
        let connection = Connection(
            name: "staff", localIdentity: Identity("gw.test"),
            remoteIdentities: [.suffix("@load.test")],
            secret: SharedSecret(SecretBytes(copying: Array(Self.secret.utf8))), pool: "staff")
        let block = AddressBlock(first: .v4(0x0a58_0000), last: .v4(0x0a58_ffff))
        var policy = EnginePolicy(
            connections: [connection], pools: [PoolPolicy(name: "staff", ipv4: block)])
        policy.sessionLimit = sessionLimit
        // All clients are at one address.
        policy.defence.cookiesFromPerSource = 1_000
        policy.defence.halfOpenPerSource = 1_000
        policy.defence.keyExchangesPerSecondPerSource = 100_000
        gateway = try Gateway(setup, inner: [EchoNetwork()], sink: Nowhere()) {
            [policy] dataplane, _ in
            Engine(policy, dataplane: dataplane, random: SystemRandom())
        }
        ike = try #require(gateway.listen.first { !$0.encapsulated }).endpoint
        nat = try #require(gateway.listen.first { $0.encapsulated }).endpoint
        try gateway.start()
    }

    func plan(_ kind: LoadPlan.Kind, secret: String = secret, sessions: Int) -> LoadPlan {
        LoadPlan(
            kind, gateway: ike, natPort: nat.port, gatewayIdentity: Identity("gw.test"),
            secret: SharedSecret(SecretBytes(copying: Array(secret.utf8))), rate: nil,
            sessions: sessions, parallel: 16, duration: .seconds(20))
    }

    var status: GatewayStatus? {
        guard case .status(let status) = gateway.ask(.status) else { return nil }
        return status
    }

    /// The report as soon as it is as wanted, and the clients are gone.
    func run(
        _ plan: LoadPlan, until: (LoadReport) -> Bool, meanwhile: () -> Void = {}
    ) throws -> LoadReport {
        let load = try LoadRun(plan)
        let deadline = SystemClock.now + .seconds(15)
        while !until(load.report), SystemClock.now < deadline { usleep(5_000) }
        meanwhile()
        load.stop()
        #expect(load.isOver)
        return load.report
    }
}

struct Nowhere: FactSink {
    func record(_ event: any Event, at time: Instant) {}
    func record(_ tick: Tick, at time: Instant) {}
}

@Suite("Load")
struct LoadRunTests {
    @Test("held sessions are all up at once, on both ends, and log out at the end")
    func hold() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        let report = try bed.run(bed.plan(.hold, sessions: 60)) {
            $0.isComplete
        } meanwhile: {
            #expect(bed.status?.sessions == 60)
        }
        #expect(report.attempts == 60 && report.logins == 60 && report.up == 60)
        #expect(report.failed == 0 && report.lost == 0)
        #expect(report.latencies.count == 60)
        #expect(bed.status?.sessions == 0)
    }

    @Test("without holding, the oldest session makes room for each new one")
    func churn() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        let report = try bed.run(bed.plan(.churn, sessions: 5)) {
            $0.logins >= 50
        } meanwhile: {
            #expect((bed.status?.sessions ?? 0) <= 5 + 16)
        }
        #expect(report.up == 5)
        // Logins that ended after the time are counted, and are never logged out as too many.
        #expect((0...16).contains(report.logins - report.logouts - report.up))
    }

    @Test("failures are told by reason: the secret, the gateway's limit")
    func failures() throws {
        let bed = try Bed(sessionLimit: 7)
        defer { bed.gateway.stop() }
        let wrong = try bed.run(bed.plan(.hold, secret: "another", sessions: 9)) { $0.isComplete }
        #expect(wrong.failures == [.wrongCredential: 9])
        let refused = try bed.run(bed.plan(.hold, sessions: 10)) { $0.isComplete }
        #expect(refused.failures == [.sessionLimit: 3])
        #expect(refused.up == 7)
    }

    @Test("a flood leaves half-open SAs only")
    func flood() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        let report = try bed.run(bed.plan(.flood, sessions: 40)) { $0.answers == 40 }
        #expect(report.attempts == 40 && report.cookies == 0 && report.logins == 0)
        #expect(bed.status?.halfOpen == 40)
        #expect(bed.status?.sessions == 0)
    }

    @Test("a rate is kept")
    func rate() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        var plan = bed.plan(.hold, sessions: 20)
        plan.rate = 40
        let report = try bed.run(plan) { $0.isComplete }
        // The last of 20 is due after 19/40 s; never earlier.
        #expect(report.lastLogin >= .milliseconds(475))
        #expect(report.logins == 20)
    }
}
