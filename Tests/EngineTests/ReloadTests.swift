import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("Another policy for a running engine")
struct ReloadTests {
    private func pool(_ first: UInt32, _ last: UInt32) -> PoolPolicy {
        PoolPolicy(
            name: "rw", ipv4: AddressBlock(first: .v4(first), last: .v4(last)))
    }

    @Test("leaves a session alone, and is what the next login follows")
    func sessionStays() throws {
        let pair = Pair()
        let handle = try #require(pair.connect())
        pair.drive()
        var policy = EnginePolicy.example
        policy.connections[0].name = "guests"
        policy.connections[0].secret = .of("another secret")
        #expect(pair.adopt(policy) == nil)

        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive()
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.drive()
        _ = pair.sendFromClient(address, to: .lan)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 2)
        #expect(pair.tick.sessions == 1)

        _ = try #require(pair.connect(.of("bob@lab")))
        pair.drive()
        #expect(pair.failureReasons == [.wrongCredential])
        _ = try #require(pair.connect(.of("bob@lab", secret: "another secret")))
        pair.drive()
        #expect(
            pair.events(SessionEstablished.self).map(\.connection.clear) == ["staff", "guests"])
    }

    @Test("grows a pool, whose leases stay and are lent to nobody else")
    func poolGrows() throws {
        var policy = EnginePolicy.example
        policy.pools = [pool(0x0a58_0005, 0x0a58_0006)]
        let pair = Pair(policy)
        for name in ["alice@lab", "bob@lab", "carol@lab"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        #expect(pair.failureReasons == [.internalAddressFailure])
        policy.pools = [pool(0x0a58_0004, 0x0a58_0007)]
        #expect(pair.adopt(policy) == nil)
        for name in ["carol@lab", "dave@lab", "erin@lab"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        #expect(
            pair.virtualAddresses == [
                .v4(0x0a58_0005), .v4(0x0a58_0006), .v4(0x0a58_0004), .v4(0x0a58_0007),
            ])
        #expect(pair.failureReasons == [.internalAddressFailure, .internalAddressFailure])
        #expect(pair.tick.pools == [PoolState(name: "rw", size: 4, used: 4)])
    }

    @Test(
        "with another name for a connection has the same users",
        arguments: UniquePolicy.allCases, [true, false])
    func renamed(_ unique: UniquePolicy, initialContact: Bool) throws {
        var policy = EnginePolicy.example
        policy.connections[0].unique = unique
        policy.connections[0].userLimit = 1
        policy.connections[0].eviction = .oldest
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive()
        policy.connections[0].name = "guests"
        #expect(pair.adopt(policy) == nil)
        var client = ClientPolicy.example
        client.initialContact = initialContact
        _ = try #require(pair.connect(client, from: .v4(0xc000_0299)))
        pair.drive(for: .seconds(20))
        let ends = pair.events(SessionClosed.self).map(\.reason.clear)
        switch (unique, initialContact) {
        case (.never, _): #expect(ends == [.evicted])
        case (.keep, false):
            #expect(pair.failureReasons == [.alreadyConnected])
            #expect(ends.isEmpty)
        case (_, _): #expect(ends == [.replaced])
        }
        #expect(pair.tick.sessions == 1)
    }

    @Test("leaves users apart who have one name at two identities of the gateway's")
    func otherUsers() throws {
        var policy = EnginePolicy.example
        var other = policy.connections[0]
        other.name = "guests"
        other.localIdentity = Identity("gw2.lab")
        policy.connections.append(other)
        let pair = Pair(policy)
        for name in ["gw.lab", "gw2.lab"] {
            var client = ClientPolicy.example
            client.remoteIdentity = Identity(name)
            _ = try #require(pair.connect(client))
            pair.drive(for: .seconds(20))
        }
        #expect(pair.tick.sessions == 2)
        #expect(Set(pair.virtualAddresses).count == 2)
    }

    @Test("is refused whole while a pool would lose what it has lent")
    func poolInUse() throws {
        let pair = Pair()
        let handle = try #require(pair.connect())
        pair.drive()
        var policy = EnginePolicy.example
        policy.sessionLimit = 7
        for pools in [[], [pool(0x0a58_0002, 0x0a58_0007)]] {
            policy.pools = pools
            #expect(pair.adopt(policy) == .poolInUse(name: "rw", lent: 1))
        }
        #expect(pair.tick.sessionLimit == 10_000)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.adopt(policy) == nil)
        #expect(pair.tick.sessionLimit == 7)
        #expect(pair.tick.pools == [PoolState(name: "rw", size: 6, used: 0)])
    }
}

extension Pair {
    fileprivate func adopt(_ policy: EnginePolicy) -> PolicyRefusal? {
        var refusal: PolicyRefusal?
        actAtGateway { engine, _, _ in
            do throws(PolicyRefusal) { try engine.adopt(policy) } catch { refusal = error }
        }
        return refusal
    }
}
