import ESP
import TestKit
import Testing
import Vocabulary
import Wire

@testable import Engine

/// What is left of an IKE SA when its session ends at an awkward moment.
@Suite("The end of an IKE SA")
struct EndingTests {
    private func loggedIn(seed: UInt64 = 1) throws -> (Pair, ConnectionHandle, SessionID) {
        let pair = Pair(seed: seed)
        let handle = try #require(pair.connect())
        pair.drive()
        return (pair, handle, try #require(pair.session))
    }

    private func end(
        _ initiator: Initiator, _ pair: Pair, _ handle: ConnectionHandle, _ session: SessionID
    ) {
        if initiator == .peer {
            pair.act { $0.disconnect(handle, at: $1, &$2) }
        } else {
            pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        }
    }

    /// Both sides have heard of it, and not from silence.
    private func expectEnd(_ initiator: Initiator, _ pair: Pair, _ circumstances: String) {
        pair.drive(for: .seconds(45))
        let reasons = pair.events(SessionClosed.self).map(\.reason.clear)
        let asked: [SessionEnd] = [.deletedByAdmin]
        let told: [SessionEnd] = [.deletedByPeer]
        #expect(reasons == (initiator == .us ? asked : told), "gateway, \(circumstances)")
        #expect(pair.ends == (initiator == .us ? told : asked), "client, \(circumstances)")
        #expect(pair.gateway.isIdle && pair.client.isIdle, "\(circumstances)")
        #expect(pair.gatewayPlane.count == 0 && pair.clientPlane.count == 0)
    }

    @Test(
        "comes to both sides while its own side rekeys it, whatever one message suffers",
        arguments: [Initiator.us, .peer])
    func rekeying(_ initiator: Initiator) throws {
        for lost in 3..<10 {
            let (pair, handle, session) = try loggedIn()
            pair.network.lost = [lost]
            if initiator == .peer {
                pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
            } else {
                pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
            }
            end(initiator, pair, handle, session)
            expectEnd(initiator, pair, "\(lost) lost")
        }
    }

    @Test("comes to both sides at any moment of a collision", arguments: [Initiator.us, .peer])
    func colliding(_ initiator: Initiator) throws {
        for seed in 1...4 as ClosedRange<UInt64> {
            for milliseconds in 0..<20 {
                let (pair, handle, session) = try loggedIn(seed: seed)
                pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
                pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
                pair.drive(for: .milliseconds(milliseconds))
                end(initiator, pair, handle, session)
                expectEnd(initiator, pair, "seed \(seed), after \(milliseconds) ms")
            }
        }
    }

    @Test("finds the peer where a NAT has moved it during a collision", arguments: 1...8)
    func moved(_ seed: UInt64) throws {
        let (pair, handle, session) = try loggedIn(seed: seed)
        let address = try #require(pair.virtualAddress)
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        // The gateway's answer arrives, and for now nothing that the client says then.
        pair.network.lost = Set((pair.network.count + 1)..<(pair.network.count + 20))
        pair.drive(for: .milliseconds(16))
        pair.network.nat = { Endpoint(.v4(0xc633_6401), $0.port) }
        pair.network.unreachable = [Pair.clientAddress]
        _ = pair.sendFromClient(address, to: .lan)
        pair.drive(for: .milliseconds(20))
        #expect(pair.events(AddressChanged.self).count == 1)
        #expect(pair.events(IKESARekeyed.self).isEmpty)
        pair.network.lost = []
        pair.drive(for: .seconds(10))
        #expect(pair.events(IKESARekeyed.self).count == 1)
        pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        pair.drive(for: .seconds(5))
        #expect(pair.ends == [.deletedByPeer])
    }

    @Test("ends what its own side had still in mind")
    func jobs() throws {
        let pair = Pair()
        let peer = RawClient(pair)
        #expect(try peer.logIn())
        let session = try #require(pair.session)
        pair.actAtGateway { engine, now, output in
            engine.rekeyChild(of: session, at: now, &output)
            engine.deleteChild(of: session, at: now, &output)
        }
        #expect(try peer.ask([.delete(.ikeSA)], as: .informational)?.isEmpty == true)
        let refusal = AnyPayload.notify(NotifyPayload(.temporaryFailure))
        pair.inject(
            try peer.seal([refusal], as: .createChildSA, id: 0, isResponse: true),
            from: peer.source, port: 4500)
        #expect(!pair.trace.contains { $0.hasPrefix("<-- INFORMATIONAL request") })
        pair.drive(for: .seconds(15))
        #expect(pair.gateway.isIdle)
    }

    @Test("does not keep others from logging in, however many have just logged out")
    func room() throws {
        var policy = EnginePolicy.example
        policy.halfOpenLimit = 3
        let pair = Pair(policy)
        var handles: [ConnectionHandle] = []
        for index in 0..<6 {
            handles.append(try #require(pair.connect(.of("u\(index)@lab"))))
            pair.drive()
        }
        for handle in handles { pair.act { $0.disconnect(handle, at: $1, &$2) } }
        pair.drive(for: .milliseconds(100))
        #expect(pair.gateway.lingering == 6)
        _ = try #require(pair.connect(.of("late@lab")))
        pair.drive()
        #expect(pair.tick.sessions == 1)
        #expect(pair.events(IKESAInitRejected.self).isEmpty)
    }

    @Test("leaves no more behind than a limit, of strangers and of users")
    func limit() throws {
        var policy = EnginePolicy.example
        (policy.sessionLimit, policy.halfOpenLimit) = (4, 4)
        let pair = Pair(policy)
        for index in 0..<10 {
            let handle = try #require(pair.connect(.of("u\(index)@lab")))
            pair.drive(for: .milliseconds(100))
            pair.act { $0.disconnect(handle, at: $1, &$2) }
            pair.drive(for: .milliseconds(100))
        }
        #expect(pair.events(SessionClosed.self).count == 10)
        #expect(pair.gateway.lingering == 4 && pair.gateway.lingeringStrangers == 0)
        for index in 0..<10 {
            _ = try #require(pair.connect(.of("u\(index)@lab", secret: "wrong")))
            pair.drive(for: .milliseconds(100))
        }
        #expect(pair.gateway.lingeringStrangers == 4)
        #expect(pair.events(IKESAInitRejected.self).map(\.reason.clear).contains(.halfOpenLimit))
        pair.drive(for: .seconds(200))
        #expect(pair.gateway.isIdle)
    }

    @Test("is told of every login that a stop of the gateway cuts short")
    func stop() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive(for: .milliseconds(8))
        // Another's keys are known already: a part of its IKE_AUTH has come.
        let peer = RawClient(pair)
        #expect(try peer.initiate(extra: [.notify(NotifyPayload(.fragmentationSupported))]))
        pair.inject(
            try peer.seal(
                [1, 2, 3], Fragment(number: 1, total: 2), first: .identificationInitiator,
                as: .ikeAuth),
            from: peer.source, port: 4500)
        #expect(pair.tick.halfOpen == 2)
        pair.actAtGateway { $0.shutDown(at: $1, &$2) }
        #expect(pair.failureReasons == [.shutdown, .shutdown])
        #expect(pair.gateway.isIdle)
    }
}
