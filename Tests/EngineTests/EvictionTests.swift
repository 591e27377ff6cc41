import Crypto
import ESP
import TestKit
import Testing
import Vocabulary

@testable import Engine

@Suite("Eviction")
struct EvictionTests {
    enum Level: CaseIterable { case gateway, connection, pool }

    /// A gateway with so many places at one level, or addresses.
    private static func policy(
        _ level: Level, _ places: Int, _ eviction: EvictionPolicy
    )
        -> EnginePolicy
    {
        var policy = EnginePolicy.example
        policy.pools = [PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.200")]
        switch level {
        case .gateway: (policy.sessionLimit, policy.eviction) = (places, eviction)
        case .connection:
            policy.connections[0].sessionLimit = places
            policy.connections[0].eviction = eviction
        case .pool:
            policy.pools = [
                PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.\(places)")
            ]
            policy.pools[0].eviction = eviction
        }
        return policy
    }

    /// A gateway, its users, and when each was last heard of, kept without the gateway's help.
    private final class Crowd {
        let pair: Pair
        let eviction: EvictionPolicy
        var dice: Dice
        private(set) var users:
            [(name: String, session: SessionID, address: IPAddress, since: Instant)] =
                []
        private var last = 0

        init(_ level: Level, _ places: Int, _ eviction: EvictionPolicy, seed: UInt64) {
            self.eviction = eviction
            dice = Dice(seed: seed)
            pair = Pair(policy(level, places, eviction), seed: seed)
        }

        func logIn() throws {
            last += 1
            let name = "u\(last)@lab"
            let before = pair.virtualAddresses.count
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
            let established = try #require(pair.events(SessionEstablished.self).last)
            try #require(pair.virtualAddresses.count == before + 1)
            let address = try #require(pair.virtualAddresses.last)
            users.append((name, established.session.clear, address, pair.now))
        }

        func send() {
            guard let index = users.indices.randomElement(using: &dice) else { return }
            _ = pair.sendFromClient(users[index].address, to: .lan)
            pair.drive()
            if eviction == .longestIdle { users[index].since = pair.now }
        }

        func logOut() {
            guard let index = users.indices.randomElement(using: &dice) else { return }
            let user = users.remove(at: index)
            pair.actAtGateway { _ = $0.terminate(user.session, at: $1, &$2) }
            pair.drive()
        }

        /// The one who must go.
        func removeFirst() {
            guard let first = users.min(by: { $0.since < $1.since }) else { return }
            users.removeAll { $0.session == first.session }
        }

        var areUp: Bool {
            let up = pair.gateway.sessionSummaries()
            return Set(up.map(\.session)) == Set(users.map(\.session))
                && Set(up.map(\.virtualAddress)).count == users.count
                && pair.tick.pools[0].used == UInt64(users.count)
        }
    }

    @Test(
        "ends whom the policy names, among many who come, go and send", arguments: Level.allCases,
        [EvictionPolicy.oldest, .longestIdle])
    func order(_ level: Level, _ eviction: EvictionPolicy) throws {
        let places = 12
        let crowd = Crowd(level, places, eviction, seed: 7)
        for step in 0..<90 {
            switch crowd.dice.roll(5) {
            case 0: crowd.logOut()
            case 1, 2: crowd.send()
            default:
                if crowd.users.count == places { crowd.removeFirst() }
                try crowd.logIn()
            }
            #expect(crowd.areUp, "step \(step)")
        }
        #expect(crowd.pair.events(SessionClosed.self).contains { $0.reason.clear == .evicted })
        #expect(crowd.pair.failures.isEmpty)
    }

    @Test("looks at few of very many, and finds one of the idle")
    func looks() throws {
        let crowd = Crowd(.gateway, 150, .longestIdle, seed: 3)
        for _ in 0..<150 { try crowd.logIn() }
        // Two of three are busy, the first among them.
        for (index, user) in crowd.users.enumerated() where !index.isMultiple(of: 3) || index < 9 {
            _ = crowd.pair.sendFromClient(user.address, to: .lan)
        }
        crowd.pair.drive()
        let idle = crowd.users.indices.filter { $0 >= 9 && $0.isMultiple(of: 3) }
            .map { crowd.users[$0].session }
        for _ in 0..<47 { try crowd.logIn() }
        let evicted = crowd.pair.events(SessionClosed.self).map(\.session.clear)
        #expect(Set(evicted) == Set(idle))
    }

    @Test("keeps its queues short while users come and go")
    func bounded() throws {
        let crowd = Crowd(.gateway, 3, .oldest, seed: 1)
        for _ in 0..<4 { try crowd.logIn() }
        for _ in 0..<100 {
            crowd.pair.actAtGateway { engine, now, output in
                guard let last = engine.sessionSummaries().last else { return }
                _ = engine.terminate(last.session, at: now, &output)
            }
            try crowd.logIn()
        }
        #expect(crowd.pair.gateway.evictionQueues.values.allSatisfy { $0.count <= 80 })
    }

    /// What is wrong with a login.
    enum Fault: CaseIterable { case noProposal, noSelector, noAddress, forbiddenNAT }

    @Test(
        "is of nobody when the login fails for another reason", arguments: Fault.allCases,
        Level.allCases)
    func failedLogin(_ fault: Fault, _ level: Level) throws {
        let pair = Pair(Self.policy(level, 3, .oldest))
        for name in ["a@lab", "b@lab", "c@lab"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        var client = ClientPolicy.of("late@lab")
        let reason: AuthFailure
        switch fault {
        case .noProposal:
            client.espSuites = [ESPSuite(cipher: .aead(.chacha20Poly1305))]
            reason = .noProposalChosen
        case .noSelector:
            client.remoteSelectors = [Selector(prefix: .v4(0x0808_0808), length: 32)]
            reason = .tsUnacceptable
        case .noAddress:
            client.wantedAddresses = [.ipv6]
            reason = .internalAddressFailure
        case .forbiddenNAT:
            client.supportsMobike = true
            client.allowsNAT = false
            pair.network.nat = { Endpoint(.v4(0xc633_6409), $0.port) }
            reason = .unexpectedNAT
        }
        _ = try #require(pair.connect(client))
        pair.drive(for: .seconds(30))
        #expect(pair.failureReasons == [reason])
        #expect(pair.events(SessionClosed.self).isEmpty)
        #expect(pair.tick.sessions == 3 && pair.tick.pools[0].used == 3)
        #expect(pair.gatewayPlane.count == 3)
        // The next one finds all as it was.
        pair.network.nat = { $0 }
        _ = try #require(pair.connect(.of("next@lab")))
        pair.drive()
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.evicted])
        #expect(pair.tick.sessions == 3 && pair.tick.pools[0].used == 3)
    }

    @Test("of who holds no address is of no use to who needs one", arguments: [true, false])
    func emptyPool(firstHolds: Bool) throws {
        var policy = Self.policy(.gateway, 3, .oldest)
        policy.pools = [PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.2")]
        policy.connections.append(policy.connections[0])
        policy.connections[1].name = "other"
        policy.connections[1].remoteIdentities = [.suffix("@other")]
        policy.connections[1].pool = nil
        let pair = Pair(policy)
        for name in firstHolds ? ["a@lab", "b@lab", "c@other"] : ["c@other", "a@lab", "b@lab"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        #expect(pair.tick.sessions == 3 && pair.tick.pools[0].used == 2)
        _ = try #require(pair.connect(.of("late@lab")))
        pair.drive()
        #expect(pair.failureReasons == (firstHolds ? [] : [.internalAddressFailure]))
        #expect(
            pair.events(SessionClosed.self).map(\.reason.clear) == (firstHolds ? [.evicted] : []))
        #expect(pair.tick.sessions == 3 && pair.tick.pools[0].used == 2)
        let held = pair.gateway.sessionSummaries().map(\.virtualAddress)
        #expect(Set(held).count == 3)
    }
}
