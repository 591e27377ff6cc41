import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("Limits of sessions")
struct LimitTests {
    /// A gateway whose policy a test changes, and the sessions of some users, a second apart.
    private func pair(
        _ users: [String], _ change: (inout EnginePolicy) -> Void
    ) throws -> (Pair, [ConnectionHandle]) {
        var policy = EnginePolicy.example
        policy.connections[0].unique = .never
        change(&policy)
        let pair = Pair(policy)
        return (pair, try users.map { try pair.logIn($0) })
    }

    /// Whether these users have the sessions that are up, the oldest first.
    private func areUp(_ users: [String], _ pair: Pair) -> Bool {
        pair.gateway.sessionSummaries().map(\.identity) == users.map { Personal(Identity($0)) }
    }

    private func ends(_ pair: Pair) -> [SessionEnd] {
        pair.events(SessionClosed.self).map(\.reason.clear)
    }

    enum Level: String, CaseIterable { case gateway, connection, pool }

    private func limit(_ policy: inout EnginePolicy, at level: Level, to eviction: EvictionPolicy) {
        switch level {
        case .gateway: (policy.sessionLimit, policy.eviction) = (3, eviction)
        case .connection:
            policy.connections[0].sessionLimit = 3
            policy.connections[0].eviction = eviction
        case .pool:
            policy.pools = [PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.3")]
            policy.pools[0].eviction = eviction
        }
    }

    @Test("refuse who comes when all places are taken", arguments: Level.allCases)
    func refuse(_ level: Level) throws {
        let (pair, _) = try pair(["a@lab", "b@lab", "c@lab", "d@lab"]) {
            limit(&$0, at: level, to: .refuse)
        }
        #expect(pair.tick.sessions == 3 && ends(pair).isEmpty)
        #expect(pair.tick.connections.map(\.limit) == [level == .pool ? 10_000 : 3])
        switch level {
        case .gateway: #expect(pair.failureReasons == [.sessionLimit])
        case .connection: #expect(pair.failureReasons == [.connectionLimit])
        case .pool: #expect(pair.failureReasons == [.internalAddressFailure])
        }
    }

    @Test("end the oldest session", arguments: Level.allCases)
    func oldest(_ level: Level) throws {
        let (pair, _) = try pair(["a@lab", "b@lab", "c@lab", "d@lab", "e@lab"]) {
            limit(&$0, at: level, to: .oldest)
        }
        #expect(areUp(["c@lab", "d@lab", "e@lab"], pair))
        #expect(ends(pair) == [.evicted, .evicted])
        // They are told.
        #expect(pair.ends == [.deletedByPeer, .deletedByPeer])
        #expect(pair.events(PoolExhausted.self).isEmpty)
        #expect(pair.tick.pools[0].used == 3)
    }

    @Test("end the session that was idle the longest", arguments: Level.allCases)
    func longestIdle(_ level: Level) throws {
        let (pair, handles) = try pair(["a@lab", "b@lab", "c@lab"]) {
            limit(&$0, at: level, to: .longestIdle)
        }
        // A rekey is no traffic of the user's, and what was before it counts.
        for index in [1, 0, 2] {
            _ = pair.sendFromClient(pair.virtualAddresses[index], to: .lan)
            pair.drive()
        }
        pair.act { $0.rekeyChild(handles[1], at: $1, &$2) }
        pair.drive(for: .seconds(10))
        try pair.logIn("d@lab")
        #expect(areUp(["a@lab", "c@lab", "d@lab"], pair))
        try pair.logIn("e@lab")
        #expect(areUp(["c@lab", "d@lab", "e@lab"], pair))
        #expect(ends(pair) == [.evicted, .evicted])
    }

    @Test("of one user", arguments: EvictionPolicy.allCases)
    func ofUser(_ eviction: EvictionPolicy) throws {
        let (pair, _) = try pair(["a@lab", "b@lab", "a@lab", "a@lab"]) {
            $0.connections[0].userLimit = 2
            $0.connections[0].eviction = eviction
        }
        #expect(pair.failureReasons == (eviction == .refuse ? [.userLimit] : []))
        #expect(ends(pair) == (eviction == .refuse ? [] : [.evicted]))
        let up =
            eviction == .refuse ? ["a@lab", "b@lab", "a@lab"] : ["b@lab", "a@lab", "a@lab"]
        #expect(areUp(up, pair))
    }

    @Test("don't count sessions whose user has come anew, and take no more of them than a few")
    func replaced() throws {
        let (pair, _) = try pair([]) {
            $0.connections[0].unique = .replace
            $0.connections[0].sessionLimit = 1
            $0.connections[0].userLimit = 1
        }
        for _ in 0..<8 { try pair.logIn("a@lab") }
        #expect(pair.failures.isEmpty)
        #expect(pair.tick.sessions == 5)
        try pair.logIn("b@lab")
        #expect(pair.failureReasons == [.connectionLimit])
        pair.drive(for: .seconds(20))
        #expect(pair.tick.sessions == 1)
        #expect(ends(pair) == Array(repeating: .replaced, count: 7))
    }

    @Test("that a reload has lowered log nobody out by themselves")
    func lowered() throws {
        let (pair, _) = try pair(["a@lab", "b@lab", "c@lab", "d@lab"]) { _ in }
        var policy = EnginePolicy.example
        policy.connections[0].unique = .never
        policy.connections[0].sessionLimit = 2
        policy.connections[0].eviction = .oldest
        pair.actAtGateway { engine, _, _ in try? engine.adopt(policy) }
        pair.drive()
        #expect(pair.tick.sessions == 4)
        try pair.logIn("e@lab")
        #expect(areUp(["b@lab", "c@lab", "d@lab", "e@lab"], pair))
    }
}

extension Pair {
    /// Logs a user in who leaves its other sessions be.
    @discardableResult
    func logIn(_ user: String) throws -> ConnectionHandle {
        var client = ClientPolicy.of(user)
        client.initialContact = false
        let handle = try #require(connect(client))
        drive()
        return handle
    }
}
