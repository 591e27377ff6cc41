import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

@Suite("Fragmentation")
struct FragmentTests {
    static var policy: EnginePolicy {
        var policy = EnginePolicy.example
        policy.fragmentSize = 200
        return policy
    }

    static var client: ClientPolicy {
        var policy = ClientPolicy.example
        policy.supportsFragmentation = true
        return policy
    }

    @Test("brings a login through a path that takes short datagrams only")
    func login() throws {
        let pair = Pair(Self.policy)
        let handle = try #require(pair.connect(Self.client))
        // IKE_SA_INIT can't be cut (RFC 7383 §2.3).
        pair.drive(for: .milliseconds(8))
        pair.network.longest = 200 - 32
        pair.drive()
        #expect(pair.virtualAddress != nil)
        #expect(pair.datagrams.dropFirst(2).count > 4)
        #expect(pair.datagrams.dropFirst(2).allSatisfy { $0.bytes.count <= 168 })
        #expect(pair.tick.fragmentsReceived > 1)
        #expect(pair.tick.fragmentsSent > 1)
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(IKESARekeyed.self).count == 1)
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive(for: .seconds(30))
        #expect(pair.events(IKESARekeyed.self).count == 2, "the next SA can do it as well")
    }

    @Test("is not done to a peer that does not ask for it")
    func notNegotiated() throws {
        let pair = Pair(Self.policy)
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.datagrams.count == 4)
        #expect(pair.virtualAddress != nil)
    }

    @Test(
        "works whatever one datagram suffers", arguments: LossTests.Mishap.allCases, 2..<10)
    func mishap(_ mishap: LossTests.Mishap, _ index: Int) throws {
        let pair = Pair(Self.policy)
        switch mishap {
        case .lost: pair.network.lost = [index]
        case .doubled: pair.network.doubled = [index]
        case .late: pair.network.late = [index]
        }
        let handle = try #require(pair.connect(Self.client))
        pair.drive(for: .seconds(10))
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.events(SessionEstablished.self).count == 1)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
        #expect(pair.gateway.isIdle)
    }
}
