import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary

/// Both sides want something of the same SA at the same time (RFC 7296 §2.8.1, §2.8.2, §2.25).
@Suite("A collision")
struct CollisionTests {
    enum Wish: CaseIterable { case rekeyChild, rekeyIKE }
    enum Mishap: CaseIterable { case lost, doubled, late }

    private func loggedIn(seed: UInt64 = 1) throws -> (Pair, ConnectionHandle, SessionID) {
        let pair = Pair(seed: seed)
        let handle = try #require(pair.connect())
        pair.drive()
        return (pair, handle, try #require(pair.session))
    }

    /// Both ask within a millisecond, and traffic flows all the while.
    private func collide(
        _ wish: Wish, _ pair: Pair, _ handle: ConnectionHandle, _ session: SessionID
    ) throws {
        let address = try #require(pair.virtualAddress)
        switch wish {
        case .rekeyChild:
            pair.act { $0.rekeyChild(handle, at: $1, &$2) }
            pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        case .rekeyIKE:
            pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
            pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        }
        for _ in 0..<100 {
            _ = pair.sendFromClient(address, to: .lan, length: 100)
            _ = pair.sendFromGateway(.lan, to: address, length: 300)
            pair.drive(for: .milliseconds(3))
        }
    }

    /// One session with one Child SA is left, it works, and no byte was lost or counted twice.
    private func expectWhole(_ pair: Pair, _ handle: ConnectionHandle) throws {
        pair.drive(for: .seconds(90))
        #expect(pair.tick.sessions == 1)
        #expect(pair.gatewayPlane.count == 1)
        #expect(pair.clientPlane.count == 1)
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan, length: 100)
        _ = pair.sendFromGateway(.lan, to: address, length: 300)
        pair.drive()
        #expect(
            pair.gatewayPlane.total
                == Traffic(
                    bytesIn: 10_100, packetsIn: 101, bytesOut: 30_300, packetsOut: 101))
        #expect(pair.clientPlane.total.packetsIn == 101)
        #expect(pair.gatewayPlane.takeDrops().isEmpty)
        #expect(pair.clientPlane.takeDrops().isEmpty)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        let closed = pair.events(SessionClosed.self)
        #expect(closed.map(\.reason.clear) == [.deletedByPeer])
        #expect(closed.map(\.bytesIn.clear) == [10_100])
        #expect(
            pair.events(ChildSAClosed.self).map(\.bytesOut.clear).reduce(0, +) == 30_300)
        #expect(pair.gateway.isIdle)
        #expect(pair.client.isIdle)
    }

    @Test("of two rekeys of a Child SA: the one with the lowest nonce goes", arguments: 1...8)
    func childRekeys(_ seed: UInt64) throws {
        let (pair, handle, session) = try loggedIn(seed: seed)
        let before = pair.trace.count
        try collide(.rekeyChild, pair, handle, session)
        #expect(
            pair.trace[before...].sorted() == [
                "--> CREATE_CHILD_SA request 2 { N(REKEY_SA), SA, N, TSi, TSr }",
                "--> CREATE_CHILD_SA response 0 { SA, N, TSi, TSr }",
                "--> INFORMATIONAL request 3 { D(ESP) }",
                "--> INFORMATIONAL response 1 { D(ESP) }",
                "<-- CREATE_CHILD_SA request 0 { N(REKEY_SA), SA, N, TSi, TSr }",
                "<-- CREATE_CHILD_SA response 2 { SA, N, TSi, TSr }",
                "<-- INFORMATIONAL request 1 { D(ESP) }",
                "<-- INFORMATIONAL response 3 { D(ESP) }",
            ])
        let collision = pair.events(RekeyCollision.self)
        #expect(collision.map(\.kind.clear) == [.child])
        let rekeyed = pair.events(ChildSARekeyed.self)
        #expect(rekeyed.map(\.initiator) == collision.map(\.survivor))
        try expectWhole(pair, handle)
        #expect(
            Set(pair.events(ChildSAClosed.self).map(\.reason.clear))
                == [.rekeyed, .redundant, .sessionClosed])
    }

    @Test("of two rekeys of the IKE SA: the Child SA goes with the survivor", arguments: 1...8)
    func ikeRekeys(_ seed: UInt64) throws {
        let (pair, handle, session) = try loggedIn(seed: seed)
        let before = pair.trace.count
        try collide(.rekeyIKE, pair, handle, session)
        let exchange = pair.trace[before...]
        #expect(exchange.count { $0.contains("CREATE_CHILD_SA request") } == 2)
        #expect(exchange.count { $0.contains("response") && $0.contains("{ SA, N, KE }") } == 2)
        // One deletes the old IKE SA, the other its own redundant one.
        #expect(exchange.count { $0.hasSuffix("{ D(IKE) }") } == 2)
        let collision = pair.events(RekeyCollision.self)
        #expect(collision.map(\.kind.clear) == [.ike])
        #expect(pair.events(IKESARekeyed.self).map(\.initiator) == collision.map(\.survivor))
        try expectWhole(pair, handle)
    }

    @Test("is won by either side, as the nonces fall")
    func survivors() throws {
        var seen: Set<Initiator> = []
        for seed in 1...8 as ClosedRange<UInt64> {
            let (pair, handle, session) = try loggedIn(seed: seed)
            try collide(.rekeyChild, pair, handle, session)
            seen.formUnion(pair.events(RekeyCollision.self).map(\.survivor.clear))
        }
        #expect(seen == [.us, .peer])
    }

    @Test(
        "comes to one end whatever one message of it suffers", arguments: Mishap.allCases,
        Wish.allCases)
    func mishaps(_ mishap: Mishap, _ wish: Wish) throws {
        for index in 4..<14 {
            for seed in [1, 2, 3] as [UInt64] {
                let pair = Pair(seed: seed)
                switch mishap {
                case .lost: pair.network.lost = [index]
                case .doubled: pair.network.doubled = [index]
                case .late: pair.network.late = [index]
                }
                let handle = try #require(pair.connect())
                pair.drive()
                try collide(wish, pair, handle, try #require(pair.session))
                try expectWhole(pair, handle)
            }
        }
    }

    @Test("of a rekey of a Child SA with one of the IKE SA: one waits for the other")
    func childAndIKE() throws {
        let (pair, handle, session) = try loggedIn()
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        pair.drive(for: .milliseconds(100))
        let refused = pair.events(CreateChildSARefused.self)
        #expect(refused.map(\.reason.clear) == [.temporaryFailure, .temporaryFailure])
        #expect(Set(refused.map(\.initiator.clear)) == [.us, .peer])
        #expect(refused.first { $0.initiator.clear == .us }?.kind.clear == .ikeRekey)
        #expect(refused.first { $0.initiator.clear == .peer }?.kind.clear == .childRekey)
        pair.drive(for: .seconds(60))
        #expect(pair.events(ChildSARekeyed.self).count == 1)
        #expect(pair.events(IKESARekeyed.self).count == 1)
        #expect(pair.gatewayPlane.count == 1)
    }

    @Test("of a rekey of a Child SA with its Delete: it goes, and so does the rekey")
    func rekeyAndDelete() throws {
        let (pair, handle, session) = try loggedIn()
        pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        pair.act { $0.deleteChild(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(
            pair.events(CreateChildSARefused.self).map(\.reason.clear) == [.temporaryFailure])
        #expect(pair.events(ChildSAClosed.self).map(\.reason.clear) == [.deletedByPeer])
        #expect(pair.tick.childless == 1)
        #expect(pair.clientPlane.count == 0)
        #expect(pair.gatewayPlane.count == 0)
    }

    @Test("of two Deletes of one Child SA: neither is answered with a Delete")
    func childDeletes() throws {
        let (pair, handle, session) = try loggedIn()
        let before = pair.trace.count
        pair.actAtGateway { $0.deleteChild(of: session, at: $1, &$2) }
        pair.act { $0.deleteChild(handle, at: $1, &$2) }
        pair.drive(for: .seconds(10))
        #expect(
            pair.trace[before...].sorted() == [
                "--> INFORMATIONAL request 2 { D(ESP) }", "--> INFORMATIONAL response 0 {}",
                "<-- INFORMATIONAL request 0 { D(ESP) }", "<-- INFORMATIONAL response 2 {}",
            ])
        #expect(pair.events(ChildSAClosed.self).count == 1)
        #expect(pair.tick.sessions == 1)
    }

    @Test(
        "of a Delete of the IKE SA with its rekey, or with another Delete",
        arguments: [true, false])
    func ikeDelete(rekeys: Bool) throws {
        let (pair, handle, session) = try loggedIn()
        pair.actAtGateway { engine, now, output in
            if rekeys {
                engine.rekeyIKE(of: session, at: now, &output)
            } else {
                _ = engine.terminate(session, at: now, &output)
            }
        }
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(
            pair.events(SessionClosed.self).map(\.reason.clear)
                == [rekeys ? .deletedByPeer : .deletedByAdmin])
        #expect(pair.gateway.isIdle)
        #expect(pair.client.isIdle)
    }

    @Test("of a Delete of the IKE SA with a wish for another: not now (§2.25.2)")
    func deleteAndCreate() throws {
        let (pair, handle, session) = try loggedIn()
        let before = pair.trace.count
        pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(
            pair.trace[before...] == [
                "<-- INFORMATIONAL request 0 { D(IKE) }",
                "--> CREATE_CHILD_SA request 2 { SA, N, KE }",
                "--> INFORMATIONAL response 0 {}",
                "<-- CREATE_CHILD_SA response 2 { N(TEMPORARY_FAILURE) }",
            ])
        #expect(pair.gateway.isIdle)
        #expect(pair.client.isIdle)
    }
}
