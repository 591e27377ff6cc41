import ESP
import TestKit
import Testing
import Vocabulary

@testable import Engine

/// The gateway replaces a Child SA, and the peer sends by the new one before its answer is here, as
/// libreswan and OpenIKED do.
@Suite("ESP before the answer")
struct EarlyPacketTests {
    /// A gateway that waits for the answer to its rekey, which `hurt` has made late or lost, while
    /// the client sends by the new Child SA.
    private func early(
        packets: Int, hurt: (inout Network, Int) -> Void
    ) throws -> (pair: Pair, session: SessionID) {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        let session = try #require(pair.session)
        // The request, then the answer.
        hurt(&pair.network, pair.network.count + 1)
        pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        pair.drive(for: .milliseconds(8))
        let new = try #require(pair.client.sessions.values.first?.children.last)
        #expect(pair.client.sessions.values.first?.children.count == 2)
        pair.clientPlane.activateOutbound(new.id)
        let address = try #require(pair.virtualAddress)
        for _ in 0..<packets { _ = pair.sendFromClient(address, to: .lan) }
        pair.drive(for: .milliseconds(100))
        #expect(pair.gatewayPlane.total.packetsIn == 0)
        return (pair, session)
    }

    @Test("is kept until the answer has come, late or again", arguments: [true, false])
    func kept(isLate: Bool) throws {
        let (pair, session) = try early(packets: 5) { network, answer in
            if isLate { network.late = [answer] } else { network.lost = [answer] }
        }
        #expect(pair.gatewayPlane.earlyPackets == 5)
        pair.drive(for: .seconds(20))
        #expect(pair.gatewayPlane.takeDrops().isEmpty)
        #expect(pair.delivered == Traffic(bytesIn: 500, packetsIn: 5))
        #expect(pair.gatewayPlane.expectsNothing)
        pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        #expect(pair.events(SessionClosed.self).map(\.packetsIn.clear) == [5])
    }

    @Test("is dropped beyond a limit, and counted")
    func limit() throws {
        let (pair, session) = try early(packets: 70) { $0.late = [$1] }
        pair.drive(for: .seconds(5))
        #expect(pair.delivered.packetsIn == 64)
        #expect(
            pair.gatewayPlane.takeDrops() == [
                DropCount(
                    reason: .earlyLimit, session: session, source: Pair.clientAddress, count: 6)
            ])
    }

    @Test("is dropped when no answer comes, and counted", arguments: [true, false])
    func refused(terminated: Bool) throws {
        let (pair, session) = try early(packets: 3) { $0.lost = [$1] }
        pair.network.isCut = true
        if terminated { pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) } }
        pair.drive(for: .seconds(200))
        #expect(
            pair.events(SessionClosed.self).map(\.reason.clear)
                == [terminated ? .deletedByAdmin : .peerDead])
        #expect(
            pair.gatewayPlane.takeDrops() == [
                DropCount(
                    reason: .earlyRefused, session: session, source: Pair.clientAddress, count: 3)
            ])
        #expect(pair.gatewayPlane.expectsNothing && pair.gateway.isIdle)
    }

    @Test("is kept in a collision of two rekeys, whichever stays", arguments: 1...6)
    func collision(_ seed: UInt64) throws {
        let pair = Pair(seed: seed)
        let handle = try #require(pair.connect())
        pair.drive()
        let session = try #require(pair.session)
        let address = try #require(pair.virtualAddress)
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        pair.drive(for: .milliseconds(6))
        // What the client has made for the gateway's request.
        let new = try #require(pair.client.sessions.values.first?.children.last)
        pair.clientPlane.activateOutbound(new.id)
        _ = pair.sendFromClient(address, to: .lan)
        pair.drive(for: .seconds(30))
        #expect(pair.delivered.packetsIn == 1)
        #expect(pair.gatewayPlane.takeDrops().isEmpty)
        #expect(pair.gatewayPlane.expectsNothing && pair.clientPlane.expectsNothing)
    }
}
