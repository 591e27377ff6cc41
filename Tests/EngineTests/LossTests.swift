import ESP
import Engine
import TestKit
import Testing
import Vocabulary

/// Whatever one datagram suffers, the outcome is the same.
@Suite("The network")
struct LossTests {
    enum Mishap: CaseIterable { case lost, doubled, late }

    @Test(
        "may hurt any one message of a login, a rekey of each kind and a logout",
        arguments: Mishap.allCases, 0..<12)
    func mishap(_ mishap: Mishap, _ index: Int) throws {
        let pair = Pair()
        switch mishap {
        case .lost: pair.network.lost = [index]
        case .doubled: pair.network.doubled = [index]
        case .late: pair.network.late = [index]
        }
        let handle = try #require(pair.connect())
        pair.drive(for: .seconds(8))
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.drive(for: .seconds(8))
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive(for: .seconds(8))
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        _ = pair.sendFromGateway(.lan, to: address)
        pair.drive()
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))

        #expect(pair.events(SessionEstablished.self).count == 1)
        #expect(pair.events(ChildSARekeyed.self).count == 1)
        #expect(pair.events(IKESARekeyed.self).count == 1)
        let closed = try #require(pair.events(SessionClosed.self).first)
        #expect(closed.reason.clear == .deletedByPeer)
        #expect(closed.packetsIn.clear == 1)
        #expect(closed.packetsOut.clear == 1)
        #expect(pair.events(SessionClosed.self).count == 1)
        #expect(pair.tick.sessions == 0)
        #expect(pair.tick.halfOpen == 0)
        #expect(pair.gatewayPlane.count == 0)
        #expect(pair.clientPlane.count == 0)
    }
}
