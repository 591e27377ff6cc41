import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("A user who logs in again")
struct ReauthenticationTests {
    private func policy(_ unique: UniquePolicy) -> EnginePolicy {
        var policy = EnginePolicy.example
        policy.connections[0].unique = unique
        return policy
    }

    /// Logs in once more with the address of the first login, and without INITIAL_CONTACT.
    private func again(_ pair: Pair) throws -> ConnectionHandle {
        var client = ClientPolicy.example
        client.initialContact = false
        client.requestedAddresses = pair.virtualAddresses
        return try #require(pair.connect(client))
    }

    @Test(
        "from where it was keeps its address, before it leaves the old session",
        arguments: UniquePolicy.allCases)
    func makeBeforeBreak(_ unique: UniquePolicy) throws {
        let pair = Pair(policy(unique))
        let first = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan, length: 100)
        let second = try again(pair)
        pair.drive(for: .milliseconds(100))
        #expect(pair.virtualAddresses == [address, address])
        #expect(pair.tick.sessions == 2)
        #expect(pair.tick.pools[0].used == 1)
        _ = pair.sendFromClient(address, to: .lan, length: 100)
        pair.act { $0.disconnect(first, at: $1, &$2) }
        pair.drive()

        let established = pair.events(SessionEstablished.self)
        let closed = pair.events(SessionClosed.self)
        #expect(closed.map(\.reason.clear) == [.replaced])
        #expect(closed.map(\.session.clear) == established.prefix(1).map(\.session.clear))
        #expect(established.map(\.replaces.clear) == [nil, established[0].session.clear])
        #expect(pair.tick.pools[0].used == 1)
        _ = pair.sendFromClient(address, to: .lan, length: 100)
        _ = pair.sendFromGateway(.lan, to: address, length: 100)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 3)
        #expect(pair.clientPlane.total.packetsIn == 1)
        pair.act { $0.disconnect(second, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.tick.pools[0].used == 0)
        #expect(pair.gateway.isIdle)
    }

    @Test("and forgets to leave the old session is taken off it")
    func forgets() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        _ = try again(pair)
        pair.drive(for: .seconds(9))
        #expect(pair.tick.sessions == 2)
        pair.drive(for: .seconds(2))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.replaced])
        #expect(pair.ends == [.deletedByPeer])
    }

    @Test("with INITIAL_CONTACT has lost everything, and nobody asks after it")
    func initialContact() throws {
        let pair = Pair(policy(.keep))
        _ = try #require(pair.connect())
        pair.drive()
        let before = pair.trace.count
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.tick.sessions == 1)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.replaced])
        #expect(pair.virtualAddresses.count == 2)
        #expect(pair.virtualAddresses[0] == pair.virtualAddresses[1])
        #expect(!pair.trace[before...].contains { $0.contains("INFORMATIONAL") })
    }

    @Test("from elsewhere: replaced, kept out, or one more", arguments: UniquePolicy.allCases)
    func elsewhere(_ unique: UniquePolicy) throws {
        let pair = Pair(policy(unique))
        _ = try #require(pair.connect())
        pair.drive()
        _ = try RawClient(pair).logIn()
        pair.drive(for: .seconds(15))
        switch unique {
        case .replace:
            #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.replaced])
            #expect(pair.ends == [.deletedByPeer])
        case .keep:
            #expect(pair.failureReasons == [.alreadyConnected])
            #expect(pair.events(SessionClosed.self).isEmpty)
            #expect(pair.tick.sessions == 1)
        case .never:
            #expect(pair.tick.sessions == 2)
            #expect(pair.tick.pools[0].used == 2)
        }
    }

    @Test("too late is out: AUTH_LIFETIME (RFC 4478)")
    func authLifetime() throws {
        var policy = EnginePolicy.example
        policy.connections[0].authLifetime = .seconds(100)
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive()
        #expect(
            pair.trace.last
                == "<-- IKE_AUTH response 1 { IDr, AUTH, CP(REPLY), SA, TSi, TSr, "
                + "N(AUTH_LIFETIME) }")
        pair.drive(for: .seconds(98))
        #expect(pair.tick.sessions == 1)
        pair.drive(for: .seconds(2))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.authLifetimeOver])
        #expect(pair.ends == [.deletedByPeer])
    }
}
