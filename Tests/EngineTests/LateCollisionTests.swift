import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

/// The peer has made up its mind about a collision of two rekeys of a Child SA (RFC 7296 §2.8.1) and
/// goes on, long before we hear its answer.
@Suite("A collision whose answer comes late")
struct LateCollisionTests {
    private func loggedIn(seed: UInt64) throws -> (Pair, ConnectionHandle, SessionID) {
        var policy = EnginePolicy.example
        policy.connections[0].livenessInterval = .zero
        var client = ClientPolicy.example
        client.livenessInterval = .zero
        let pair = Pair(policy, seed: seed)
        let handle = try #require(pair.connect(client))
        pair.drive()
        return (pair, handle, try #require(pair.session))
    }

    @Test("leaves one Child SA, which works, whoever won", arguments: 1...8)
    func answerLost(_ seed: UInt64) throws {
        let (pair, handle, session) = try loggedIn(seed: seed)
        let before = pair.trace.count
        pair.network.losesAnswers = true
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        pair.drive(for: .seconds(40))
        #expect(
            pair.trace[before...].sorted() == [
                "--> CREATE_CHILD_SA request 2 { N(REKEY_SA), SA, N, TSi, TSr }",
                "--> CREATE_CHILD_SA response 0 { SA, N, TSi, TSr }",
                "--> INFORMATIONAL request 3 { D(ESP) }",
                // What the gateway should have deleted, if it had heard of it.
                "--> INFORMATIONAL request 4 { D(ESP) }",
                "<-- CREATE_CHILD_SA request 0 { N(REKEY_SA), SA, N, TSi, TSr }",
                "<-- CREATE_CHILD_SA response 2 { SA, N, TSi, TSr }",
                "<-- INFORMATIONAL response 3 { D(ESP) }",
                pair.events(ChildSARekeyed.self).isEmpty
                    ? "<-- INFORMATIONAL response 4 { D(ESP) }" : "<-- INFORMATIONAL response 4 {}",
            ])
        pair.network.losesAnswers = false
        pair.drive(for: .seconds(80))
        #expect(pair.gatewayPlane.count == 1)
        #expect(pair.clientPlane.count == 1)
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        _ = pair.sendFromGateway(.lan, to: address)
        pair.drive()
        #expect(pair.delivered.packetsIn == 1)
        #expect(pair.delivered.packetsOut == 1)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.faults() == [])
    }

    // MARK: A peer that does as it likes

    private let inbound: [UInt32] = [0xc0ff_ee01, 0xc0ff_ee02, 0xc0ff_ee03, 0xc0ff_ee04]

    /// A peer whose Child SA the gateway is rekeying.
    private func asked() throws -> (Pair, RawClient) {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        let session = try #require(pair.session)
        pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        return (pair, raw)
    }

    private func payloads(_ spi: UInt32, nonce: [UInt8]) -> [AnyPayload] {
        [
            RawClient.childOffer(spi: spi), .nonce(NoncePayload(nonce)),
            RawClient.anySelector(AnyPayload.trafficSelectorInitiator),
            RawClient.anySelector(AnyPayload.trafficSelectorResponder),
        ]
    }

    /// The peer replaces the Child SA that it receives on `old`.
    private func rekey(_ raw: RawClient, _ old: UInt32, by new: UInt32) throws {
        var spi: [UInt8] = []
        spi.put(old)
        let answer = try raw.ask(
            [.notify(NotifyPayload(.rekeySA, protocolID: .esp, spi: spi))]
                + payloads(new, nonce: Array(repeating: 0xee, count: 32)), as: .createChildSA)
        #expect(
            answer?.contains { if case .securityAssociation = $0 { true } else { false } } == true)
    }

    private func delete(_ raw: RawClient, _ spi: UInt32) throws {
        #expect(try raw.ask([.delete(.children([spi]))], as: .informational)?.count == 1)
    }

    private func answer(_ raw: RawClient, _ payloads: [AnyPayload]) throws {
        let datagram = try raw.seal(payloads, as: .createChildSA, id: 0, isResponse: true)
        raw.pair.inject(datagram, from: raw.source, port: 4500)
    }

    private func expectWhole(_ pair: Pair, _ raw: RawClient) throws {
        #expect(try raw.ask([.delete(.ikeSA)], as: .informational) == [])
        pair.drive(for: .seconds(60))
        #expect(pair.gateway.isIdle)
        var books = Books()
        for event in pair.events { books.enter(event) }
        #expect(books.faults == [])
    }

    @Test("finds what the peer's own was rekeyed to meanwhile")
    func heir() throws {
        let (pair, raw) = try asked()
        try rekey(raw, inbound[0], by: inbound[1])
        try rekey(raw, inbound[1], by: inbound[2])
        try delete(raw, inbound[1])
        pair.drive(for: .seconds(10))
        try delete(raw, inbound[0])
        try answer(raw, [.notify(NotifyPayload(.childSANotFound))])
        let made = pair.events(ChildSAInstalled.self).map(\.child.clear)
        try #require(made.count == 3)
        let rekeyed = pair.events(ChildSARekeyed.self)
        #expect(rekeyed.map(\.retired.clear) == [made[1], made[0]])
        #expect(rekeyed.map(\.successor.clear) == [made[2], made[2]])
        pair.drive(for: .seconds(10))
        #expect(pair.gatewayPlane.count == 1)
        try expectWhole(pair, raw)
    }

    @Test("keeps ours when the peer has deleted its own, whatever the nonces say")
    func rivalGone() throws {
        let (pair, raw) = try asked()
        try rekey(raw, inbound[0], by: inbound[1])
        try delete(raw, inbound[1])
        pair.drive(for: .milliseconds(100))
        // The lowest of the four nonces is in our exchange.
        try answer(raw, payloads(inbound[3], nonce: Array(repeating: 0, count: 32)))
        pair.drive(for: .milliseconds(100))
        let made = pair.events(ChildSAInstalled.self).map(\.child.clear)
        try #require(made.count == 3)
        #expect(pair.events(RekeyCollision.self).map(\.survivor.clear) == [.us])
        let rekeyed = pair.events(ChildSARekeyed.self)
        #expect(rekeyed.map(\.retired.clear) == [made[0]])
        #expect(rekeyed.map(\.successor.clear) == [made[2]])
        try expectWhole(pair, raw)
    }
}
