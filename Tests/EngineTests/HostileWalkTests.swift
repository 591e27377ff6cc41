import ESP
import Engine
import Foundation
import TestKit
import Testing
import Vocabulary

/// Random users on a random network. Whatever they do, the books balance.
@Suite("Random walks")
struct HostileWalkTests {
    private static let environment = ProcessInfo.processInfo.environment
    /// `WEIR_WALKS` asks for more.
    static let count = environment["WEIR_WALKS"].flatMap { Int($0) } ?? 300
    static let parts = 10
    /// `WEIR_SEED` replays one walk, and tells every message and event of it.
    static let replay = environment["WEIR_SEED"].flatMap { UInt64($0) }

    @Test("keep the books balanced", arguments: 0..<parts)
    func walks(_ part: Int) {
        if let replay = Self.replay {
            guard part == 0 else { return }
            var walk = Walk(seed: replay)
            walk.pair.tells = true
            walk.run()
            for line in walk.pair.story + walk.pair.faults() { Issue.record("\(line)") }
            return
        }
        for seed in stride(from: part, to: Self.count, by: Self.parts) {
            var walk = Walk(seed: UInt64(seed))
            walk.run()
            for fault in walk.pair.faults() { Issue.record("seed \(seed): \(fault)") }
        }
    }

    @Test("go through everything that can happen")
    func coverage() {
        var seen: [String: Int] = [:]
        for seed in 0..<60 as Range<UInt64> {
            var walk = Walk(seed: seed)
            walk.run()
            for event in walk.pair.events { seen[event.kind, default: 0] += 1 }
            seen["evicted", default: 0] += walk.pair.events(SessionClosed.self)
                .count { $0.reason.clear == .evicted }
        }
        for kind in [
            "ike_sa_init_rejected", "ike_auth_failed", "session_established", "session_closed",
            "ike_sa_rekeyed", "child_sa_rekeyed", "address_changed", "peer_dead", "message_dropped",
            "rekey_collision", "create_child_sa_refused", "evicted", "gateway_draining",
            "gateway_drain_ended", "ticket_issued", "ticket_refused", "ike_session_resume_received",
        ] { #expect(seen[kind, default: 0] > 0, "\(kind) never came") }
    }

    @Test("without liveness checks time goes on, and a silent peer stays")
    func noLiveness() throws {
        var policy = EnginePolicy.example
        policy.connections[0].livenessInterval = .zero
        policy.connections[0].rekey = RekeyPolicy(
            ike: .nanoseconds(Int64.max), child: .nanoseconds(Int64.max), jitter: 0)
        let pair = Pair(policy)
        #expect(try RawClient(pair).logIn())
        pair.drive(for: .seconds(3_600))
        #expect(pair.tick.sessions == 1)
        #expect(pair.datagrams.count == 2)
    }

    @Test("rekeys that both sides begin at once come to an end", arguments: [true, false])
    func simultaneous(child: Bool) throws {
        let rekeys = { (lifetime: Duration) in
            child ? RekeyPolicy(child: lifetime, jitter: 0) : RekeyPolicy(ike: lifetime, jitter: 0)
        }
        var policy = EnginePolicy.example
        policy.connections[0].rekey = rekeys(.seconds(60))
        let pair = Pair(policy)
        var client = ClientPolicy.example
        // The client is up 5 ms after the gateway, and a message takes 5 ms.
        client.rekey = rekeys(.milliseconds(59_997))
        _ = try #require(pair.connect(client))
        pair.drive(for: .seconds(61))
        #expect(pair.events(RekeyCollision.self).count == 1)
        pair.drive(for: .seconds(100))
        let count =
            child ? pair.events(ChildSARekeyed.self).count : pair.events(IKESARekeyed.self).count
        #expect((1...4).contains(count))
        #expect(pair.tick.sessions == 1)
    }
}

struct Walk {
    let pair: Pair
    var dice: Dice
    /// What the gateway is told to do at present.
    var policy: EnginePolicy
    var logins: [ConnectionHandle] = []
    var clients: [ConnectionHandle: ClientPolicy] = [:]
    private var address = 0x0001_0000 as UInt32

    init(seed: UInt64) {
        dice = Dice(seed: seed)
        var policy = EnginePolicy.example
        policy.connections[0].rekey = RekeyPolicy(ike: .seconds(150), child: .seconds(60))
        policy.connections[0].rekey.childLimit = TrafficLimit(packets: 20)
        policy.connections[0].unique = UniquePolicy.allCases[dice.roll(3)]
        policy.connections[0].authLifetime = dice.roll(3) == 0 ? .seconds(300) : nil
        policy.sessionLimit = 2 + dice.roll(6)
        policy.halfOpenLimit = 3
        policy.resumption = (try? TestVault([1])).map { ResumptionPolicy(vault: $0) }
        if !seed.isMultiple(of: 2) { Self.addEviction(to: &policy, Dice(seed: ~seed)) }
        self.policy = policy
        pair = Pair(policy, seed: seed)
    }

    /// Somebody makes room for others, at a limit or for want of addresses.
    private static func addEviction(to policy: inout EnginePolicy, _ dice: Dice) {
        var dice = dice
        let evictions = EvictionPolicy.allCases
        policy.eviction = evictions[dice.roll(3)]
        policy.pools[0].eviction = evictions[dice.roll(3)]
        guard dice.roll(2) == 0 else { return }
        policy.pools[0].ipv4 = PoolPolicy(name: "", first: "10.88.0.1", last: "10.88.0.3").ipv4
        policy.connections[0].userLimit = 2
        policy.connections[0].eviction = evictions[dice.roll(3)]
    }

    mutating func run() {
        // Latency is 5 ms and grows to 1.5 s for some; the mean storm loses one in ten.
        pair.network.storm = Storm(
            seed: dice.next(), lost: dice.roll(200), doubled: dice.roll(200), late: dice.roll(200))
        for _ in 0..<60 { step() }
        pair.network.storm = nil
        for handle in logins { pair.act { $0.disconnect(handle, at: $1, &$2) } }
        pair.drive(for: .seconds(200))
        for handle in logins { pair.act { $0.disconnect(handle, at: $1, &$2) } }
        pair.drive(for: .seconds(600))
    }

    private mutating func step() {
        switch dice.roll(22) {
        case 0, 1: logIn()
        case 2, 3, 4: traffic()
        case 5: withLogin { handle, pair in pair.act { $0.rekeyChild(handle, at: $1, &$2) } }
        case 6: withLogin { handle, pair in pair.act { $0.rekeyIKE(handle, at: $1, &$2) } }
        case 7: rebind()
        case 8: withLogin { handle, pair in pair.act { $0.disconnect(handle, at: $1, &$2) } }
        case 9: terminate()
        case 10, 11: withSession { $0.rekeyChild(of: $1, at: $2, &$3) }
        case 12, 13: withSession { $0.rekeyIKE(of: $1, at: $2, &$3) }
        case 14: withSession { $0.deleteChild(of: $1, at: $2, &$3) }
        case 15: withLogin { handle, pair in pair.act { $0.deleteChild(handle, at: $1, &$2) } }
        case 16:
            withLogin { handle, pair in
                pair.act { $0.createChild(handle, to: [.anyIPv4], at: $1, &$2) }
            }
        case 17: maintain()
        case 18: comeBack()
        case 19: relocate()
        default: break
        }
        pair.drive(for: .milliseconds([0, 3, 20, 500, 2_000, 9_000, 40_000][dice.roll(7)]))
    }

    private mutating func logIn() {
        let name = ["alice@lab", "bob@lab", "carol@lab", "client.lab", "mallory@else"][dice.roll(5)]
        let secret = dice.roll(6) == 0 ? "wrong" : "correct horse battery staple"
        var policy = ClientPolicy.of(name, secret: secret)
        policy.rekey = RekeyPolicy(ike: .seconds(200), child: .seconds(80))
        policy.initialContact = dice.roll(2) == 0
        policy.requestedAddresses = dice.roll(2) == 0 ? pair.virtualAddresses.suffix(1) : []
        policy.childless = dice.roll(8) == 0
        policy.supportsMobike = dice.roll(3) == 0
        policy.followsRedirects = dice.roll(2) == 0
        policy.wantsTicket = dice.roll(2) == 0
        if let handle = pair.connect(policy) { note(handle, policy) }
    }

    mutating func note(_ handle: ConnectionHandle, _ policy: ClientPolicy) {
        logins.append(handle)
        clients[handle] = policy
    }

    /// The gateway does something with one of its sessions.
    private mutating func withSession(
        _ body: (Engine, SessionID, Instant, inout Output) -> Void
    ) {
        let sessions = pair.gateway.sessionSummaries().map(\.session)
        guard !sessions.isEmpty else { return }
        let session = sessions[dice.roll(sessions.count)]
        pair.actAtGateway { body($0, session, $1, &$2) }
    }

    mutating func withLogin(_ body: (ConnectionHandle, Pair) -> Void) {
        guard !logins.isEmpty else { return }
        body(logins[dice.roll(logins.count)], pair)
    }

    private mutating func traffic() {
        for summary in pair.gateway.sessionSummaries() {
            guard case .text(let text) = summary.virtualAddress.datum(under: .clear),
                let address = IPAddress(text)
            else { continue }
            for _ in 0..<dice.roll(8) {
                let length = 60 + dice.roll(1_000)
                if dice.roll(2) == 0 {
                    _ = pair.sendFromClient(address, to: .lan, length: length)
                } else {
                    _ = pair.sendFromGateway(.lan, to: address, length: length)
                }
                if dice.roll(3) == 0 { pair.drive(for: .milliseconds(dice.roll(50))) }
            }
        }
    }

    private mutating func newPlace() -> IPAddress {
        address += 1
        return .v4(0xc633_0000 | address & 0xffff)
    }

    /// By MOBIKE, if it speaks that.
    private mutating func relocate() {
        let path = pair.clientPath(from: newPlace())
        withLogin { handle, pair in
            pair.act { _ = $0.relocate(handle, to: path, at: $1, &$2) }
        }
    }

    private mutating func rebind() {
        let moved = newPlace()
        let port = UInt16(10_000 + dice.roll(50_000))
        pair.network.nat = { _ in Endpoint(moved, port) }
    }

    private mutating func terminate() {
        guard dice.roll(3) == 0, let session = pair.gateway.sessionSummaries().first?.session
        else { return }
        pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
    }
}

extension Disclosure {
    /// For tests that need to know.
    static let clear = Disclosure(
        identities: .clear, addresses: .clear, virtualAddresses: .clear, pseudonymiser: Nobody())

    private struct Nobody: Pseudonymiser {
        func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String { "" }
    }
}
