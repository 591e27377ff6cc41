import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("Virtual addresses")
struct LeaseTests {
    static let lan6 = IPAddress.v6(high: 0xfd99 << 48, low: 1)

    static func policy(ipv4: String = "10.88.0.14", ipv6: String = "fd88::ff") -> EnginePolicy {
        var policy = EnginePolicy.example
        policy.pools = [PoolPolicy(name: "rw", first: "10.88.0.1", last: ipv4)]
        policy.pools[0].ipv6 = PoolPolicy(name: "rw", first: "fd88::1", last: ipv6).ipv6
        policy.connections[0].localSelectors = [
            Selector(prefix: .v4(0x0a63_0000), length: 24), Selector(prefix: lan6, length: 64),
        ]
        policy.connections[0].dns = [.v4(0x0a63_0001), lan6]
        return policy
    }

    static func client(
        _ name: String = "alice@lab", _ families: [AddressFamily] = [.ipv4, .ipv6]
    ) -> ClientPolicy {
        var policy = ClientPolicy.of(name)
        policy.wantedAddresses = families
        policy.remoteSelectors = [.anyIPv4, .anyIPv6]
        return policy
    }

    @Test("of both families are lent to who asks for both, and carry traffic")
    func dualStack() throws {
        let pair = Pair(Self.policy())
        let handle = try #require(pair.connect(Self.client()))
        pair.drive()
        #expect(pair.virtualAddresses.map(\.description) == ["10.88.0.1", "fd88::1"])
        #expect(pair.events(LeaseGranted.self).count == 2)

        _ = pair.sendFromClient(pair.virtualAddresses[0], to: .lan)
        let inner = udp6(from: pair.virtualAddresses[1], to: Self.lan6)
        guard case .transmit = pair.sendFromClient(inner) else {
            Issue.record("IPv6 is within the selectors")
            return
        }
        guard
            case .transmit = pair.sendFromGateway(
                udp6(from: Self.lan6, to: pair.virtualAddresses[1]))
        else {
            Issue.record("IPv6 has a way back")
            return
        }
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 2)
        #expect(pair.clientPlane.total.packetsIn == 1)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(LeaseReleased.self).count == 2)
        #expect(pair.tick.pools[0].used == 0)
    }

    @Test("are of the family that was asked for, and so is what may be reached")
    func oneFamily() throws {
        let pair = Pair(Self.policy())
        _ = try #require(pair.connect(Self.client("alice@lab", [.ipv6])))
        pair.drive()
        #expect(pair.virtualAddresses.map(\.description) == ["fd88::1"])
        guard case .dropped(.noChildSA, _) = pair.sendFromClient(.v4(0x0a58_0001), to: .lan) else {
            Issue.record("IPv4 was not agreed on")
            return
        }
    }

    @Test("of one family will do when the other's are all lent; the event says so")
    func oneExhausted() throws {
        let pair = Pair(Self.policy(ipv4: "10.88.0.1"))
        for name in ["alice@lab", "bob@lab"] {
            _ = try #require(pair.connect(Self.client(name)))
            pair.drive()
        }
        #expect(pair.virtualAddresses.map(\.description) == ["10.88.0.1", "fd88::1", "fd88::2"])
        #expect(pair.events(PoolExhausted.self).map(\.size.clear) == [1])
        #expect(pair.tick.pools == [PoolState(name: "rw", size: 1, used: 1)])
    }

    @Test("come back to who had them, in both families")
    func sameAddresses() throws {
        let pair = Pair(Self.policy())
        for name in ["alice@lab", "bob@lab", "alice@lab"] {
            let handle = try #require(pair.connect(Self.client(name)))
            pair.drive()
            pair.act { $0.disconnect(handle, at: $1, &$2) }
            pair.drive()
        }
        #expect(pair.virtualAddresses.map { $0.bytes.last } == [1, 1, 2, 2, 1, 1])
    }

    @Test("are not shared with somebody of the same name by another connection, who asks for them")
    func anotherOfThatName() throws {
        var policy = EnginePolicy.example
        policy.connections.append(policy.connections[0])
        policy.connections[1].name = "guests"
        policy.connections[1].localIdentity = Identity("guests.lab")
        policy.connections[1].secret = .of("another secret")
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        var guest = ClientPolicy.of("alice@lab", secret: "another secret")
        guest.remoteIdentity = Identity("guests.lab")
        guest.requestedAddresses = [address]
        let handle = try #require(pair.connect(guest, from: .v4(0xc000_0208)))
        pair.drive()
        #expect(pair.tick.sessions == 2)
        #expect(Set(pair.virtualAddresses).count == 2)
        #expect(pair.tick.pools[0].used == 2)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.tick.pools[0].used == 1)
    }

    @Test("are used up and given back, whatever the order")
    func everyAddressOnce() throws {
        let pair = Pair(Self.policy(ipv4: "10.88.0.3", ipv6: "fd88::3"))
        var handles: [ConnectionHandle] = []
        for index in 0..<4 {
            handles.append(try #require(pair.connect(Self.client("u\(index)@lab"))))
            pair.drive()
        }
        #expect(Set(pair.virtualAddresses).count == 6)
        #expect(pair.failures == [.internalAddressFailure])
        pair.act { $0.disconnect(handles[1], at: $1, &$2) }
        pair.drive()
        _ = try #require(pair.connect(Self.client("late@lab")))
        pair.drive()
        #expect(pair.virtualAddresses.suffix(2).map(\.description) == ["10.88.0.2", "fd88::2"])
    }
}

/// A UDP packet over IPv6 whose contents nobody looks at.
func udp6(from source: IPAddress, to destination: IPAddress, length: Int = 100) -> [UInt8] {
    let payload = length - 40
    return [0x60, 0, 0, 0, UInt8(payload >> 8), UInt8(payload & 255), 17, 64]
        + source.bytes + destination.bytes + [UInt8](repeating: 7, count: payload)
}
