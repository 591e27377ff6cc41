import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

/// IKE_AUTH agrees on no group for a Child SA (RFC 7296 §1.2), so that a rekey is the first to find
/// that two sides want different ones.
@Suite("The group of a rekey")
struct RekeyGroupTests {
    private func loggedIn(
        gateway: [DHGroup?], client: [DHGroup?]
    ) throws -> (Pair, ConnectionHandle, SessionID) {
        let suites = { (groups: [DHGroup?]) in
            groups.map { ESPSuite(cipher: .aes128GCM16, group: $0) }
        }
        var policy = EnginePolicy.example
        policy.connections[0].espSuites = suites(gateway)
        var clientPolicy = ClientPolicy.example
        clientPolicy.espSuites = suites(client)
        let pair = Pair(policy)
        let handle = try #require(pair.connect(clientPolicy))
        pair.drive()
        return (pair, handle, try #require(pair.session))
    }

    private func rekey(
        _ pair: Pair, _ session: SessionID, _ handle: ConnectionHandle, _ initiator: Initiator
    ) -> [String] {
        let before = pair.trace.count
        if initiator == .us {
            pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        } else {
            pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        }
        pair.drive()
        return pair.trace[before...].filter { $0.contains("CREATE_CHILD_SA") }
            .map { String($0.drop { $0 != "{" }) }
    }

    @Test("is none when one side would have one, and the other has none", arguments: [true, false])
    func none(_ begins: Bool) throws {
        let (pair, handle, session) = try loggedIn(
            gateway: begins ? [.x25519, nil] : [nil], client: begins ? [nil] : [.x25519, nil])
        #expect(
            rekey(pair, session, handle, begins ? .us : .peer) == [
                "{ N(REKEY_SA), SA, N, KE, TSi, TSr }", "{ SA, N, TSi, TSr }",
            ])
        #expect(
            pair.events(ChildSARekeyed.self).map(\.initiator.clear) == [begins ? .us : .peer])
        pair.drive(for: .seconds(10))
        #expect(pair.gatewayPlane.count == 1 && pair.clientPlane.count == 1)
    }

    @Test("is the one that the peer asks for, if ours may be that (RFC 7296 §1.3)")
    func another() throws {
        let (pair, handle, session) = try loggedIn(gateway: [.p256, .x25519], client: [.x25519])
        #expect(
            rekey(pair, session, handle, .us) == [
                "{ N(REKEY_SA), SA, N, KE, TSi, TSr }", "{ N(INVALID_KE_PAYLOAD) }",
                "{ N(REKEY_SA), SA, N, KE, TSi, TSr }", "{ SA, N, KE, TSi, TSr }",
            ])
        #expect(pair.events(ChildSARekeyed.self).count == 1)
        #expect(pair.events(ChildSAInstalled.self).last?.suite.clear == "aes128gcm16-x25519")
        pair.drive(for: .seconds(10))
        // It is known now.
        #expect(rekey(pair, session, handle, .us).count == 2)
        #expect(pair.events(ChildSARekeyed.self).count == 2)
    }

    @Test("is not one that policy does not have")
    func foreign() throws {
        let (pair, handle, session) = try loggedIn(gateway: [.p256], client: [.x25519])
        #expect(
            rekey(pair, session, handle, .us) == [
                "{ N(REKEY_SA), SA, N, KE, TSi, TSr }", "{ N(NO_PROPOSAL_CHOSEN) }",
            ])
        #expect(pair.events(ChildSARekeyed.self).isEmpty)
        #expect(pair.tick.sessions == 1)
    }

    @Test("is asked for once by a peer that never agrees")
    func never() throws {
        var policy = EnginePolicy.example
        policy.connections[0].espSuites = [DHGroup.p256, .x25519, .p384].map {
            ESPSuite(cipher: .aes128GCM16, group: $0)
        }
        let pair = Pair(policy)
        let peer = RawClient(pair)
        #expect(try peer.logIn())
        let session = try #require(pair.session)
        pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        for (id, group) in [TransformID.x25519, TransformID.p384, TransformID.x25519].enumerated() {
            var wanted: [UInt8] = []
            wanted.put(group)
            let answer = try peer.seal(
                [.notify(NotifyPayload(.invalidKEPayload, data: wanted))], as: .createChildSA,
                id: UInt32(id), isResponse: true)
            pair.inject(answer, from: peer.source, port: 4500)
        }
        #expect(pair.trace.count { $0.hasPrefix("<-- CREATE_CHILD_SA request") } == 2)
        #expect(pair.events(CreateChildSARefused.self).count == 2)
        #expect(pair.tick.sessions == 1)
    }
}
