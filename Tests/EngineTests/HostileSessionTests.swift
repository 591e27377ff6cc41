import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

/// What somebody can try who has logged in.
@Suite("Hostile users")
struct HostileSessionTests {
    private func loggedIn(_ policy: EnginePolicy = .example) throws -> (Pair, RawClient) {
        let pair = Pair(policy)
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        return (pair, raw)
    }

    private func notifies(_ payloads: [AnyPayload]?) -> [NotifyPayload.Kind] {
        (payloads ?? []).compactMap {
            if case .notify(let notify) = $0 { notify.kind } else { nil }
        }
    }

    /// The session is as it was, can be ended, and leaves nothing.
    private func expectStanding(_ pair: Pair, _ raw: RawClient) throws {
        #expect(pair.tick.sessions == 1)
        #expect(try raw.ask([], as: .informational) == [])
        #expect(try raw.ask([.delete(.ikeSA)], as: .informational) == [])
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
        pair.drive(for: .seconds(120))
        #expect(pair.gatewayPlane.count == 0)
        #expect(pair.gateway.isIdle)
    }

    private func rekey(
        _ raw: RawClient, protocolID: ProtocolID = .esp, spi: [UInt8] = [0xc0, 0xff, 0xee, 1],
        newSPI: UInt32 = 0xc0ff_ee02
    ) -> [AnyPayload] {
        [
            .notify(NotifyPayload(.rekeySA, protocolID: protocolID, spi: spi)),
            RawClient.childOffer(spi: newSPI), .nonce(NoncePayload(Array(0..<32))),
            RawClient.anySelector(AnyPayload.trafficSelectorInitiator),
            RawClient.anySelector(AnyPayload.trafficSelectorResponder),
        ]
    }

    @Test("a second IKE_AUTH changes nothing")
    func secondAuth() throws {
        let (pair, raw) = try loggedIn()
        #expect(try raw.ask(raw.authPayloads(), as: .ikeAuth) == nil)
        #expect(pair.events(MessageDropped.self).map(\.reason.clear) == [.unexpectedMessage])
        #expect(pair.events(SessionEstablished.self).count == 1)
        try expectStanding(pair, raw)
    }

    @Test("messages in the clear change nothing", arguments: [UInt8(35), 36, 37])
    func unprotected(_ exchange: UInt8) throws {
        let (pair, raw) = try loggedIn()
        let header = raw.initHeader(exchange: ExchangeType(rawValue: exchange), messageID: 2)
        for payloads in [
            [AnyPayload.delete(.ikeSA)], [], [.notify(NotifyPayload(.authenticationFailed))],
        ] {
            #expect(raw.exchangeBytes(Message.plain(header, payloads: payloads)) == nil)
        }
        #expect(
            pair.events(MessageDropped.self).map(\.reason.clear)
                == [.unprotected, .unprotected, .unprotected])
        try expectStanding(pair, raw)
    }

    @Test("Encrypted payloads too short for a tag", arguments: 0..<26)
    func shortEncrypted(_ count: Int) throws {
        let (pair, raw) = try loggedIn()
        var header = raw.initHeader(exchange: .informational, messageID: 2)
        header.nextPayload = .encrypted
        var datagram = Message.plain(header, payloads: [])
        datagram[16] = PayloadType.encrypted.rawValue
        datagram += [0, 0, 0, UInt8(4 + count)] + [UInt8](repeating: 0, count: count)
        datagram[27] = UInt8(datagram.count)
        #expect(raw.exchangeBytes(datagram) == nil)
        #expect(pair.events(MessageDropped.self).map(\.reason.clear) == [.integrity])
        try expectStanding(pair, raw)
    }

    @Test("an unknown critical payload is refused, and the session goes on")
    func critical() throws {
        let (pair, raw) = try loggedIn()
        let answer = try raw.ask(
            [.unknown(PayloadType(rawValue: 77), critical: true, OpaquePayload([]))],
            as: .informational)
        #expect(answer == [.notify(NotifyPayload(.unsupportedCriticalPayload, data: [77]))])
        try expectStanding(pair, raw)
    }

    @Test("contents that can't be read end the session, with its record")
    func unreadable() throws {
        let (pair, raw) = try loggedIn()
        let answer = try raw.ask(
            [.unknown(.delete, critical: false, OpaquePayload([9]))], as: .informational)
        #expect(notifies(answer) == [.invalidSyntax])
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.protocolError])
        #expect(pair.events(LeaseReleased.self).count == 1)
        pair.drive(for: .seconds(60))
        #expect(pair.gateway.isIdle)
    }

    @Test("exchanges that we don't know", arguments: [0, 33, 38, 43, 255])
    func unknownExchange(_ exchange: UInt8) throws {
        let (pair, raw) = try loggedIn()
        #expect(try raw.ask([], as: ExchangeType(rawValue: exchange)) == nil)
        #expect(pair.events(MessageDropped.self).map(\.reason.clear) == [.unknownExchange])
        try expectStanding(pair, raw)
    }

    @Test(
        "REKEY_SA with odd protocols and SPIs", arguments: [UInt8(0), 1, 2, 3, 4, 255],
        [0, 1, 3, 4, 8, 255])
    func oddRekey(_ protocolID: UInt8, _ length: Int) throws {
        let (pair, raw) = try loggedIn()
        let answer = try raw.ask(
            rekey(
                raw, protocolID: ProtocolID(rawValue: protocolID),
                spi: [UInt8](repeating: 0xab, count: length)), as: .createChildSA)
        #expect(
            notifies(answer) == [protocolID == 3 && length == 4 ? .childSANotFound : .invalidSyntax]
        )
        #expect(pair.gatewayPlane.count == 1)
        try expectStanding(pair, raw)
    }

    @Test("an SPI of a Child SA that has just gone may come again")
    func recycledSPI() throws {
        let (pair, raw) = try loggedIn()
        let spis: [UInt32] = [0xc0ff_ee01, 0xc0ff_ee02, 0xc0ff_ee01, 0xc0ff_ee03]
        for (old, new) in zip(spis, spis.dropFirst()) {
            var spi: [UInt8] = []
            spi.put(old)
            let made = try raw.ask(rekey(raw, spi: spi, newSPI: new), as: .createChildSA)
            #expect(notifies(made) == [])
            let gone = try raw.ask([.delete(.children([old]))], as: .informational)
            #expect(gone?.count == 1)
        }
        pair.drive(for: .seconds(6))
        #expect(pair.gatewayPlane.count == 1)
        #expect(pair.events(ChildSARekeyed.self).count == 3)
        try expectStanding(pair, raw)
    }

    @Test("rekeys of the IKE SA with odd SPIs", arguments: [0, 4, 7, 8, 9, 255])
    func oddIKERekey(_ length: Int) throws {
        let (pair, raw) = try loggedIn()
        let offer = SecurityAssociationPayload([
            Proposal(
                number: 1, protocolID: .ike, spi: [UInt8](repeating: 0, count: length),
                transforms: [
                    Transform(.encryption, TransformID.aesGCM16, keyLength: 128),
                    Transform(.prf, TransformID.prfHMACSHA256),
                    Transform(.keyExchange, TransformID.x25519),
                ])
        ])
        let answer = try raw.ask(
            [
                .securityAssociation(offer), .nonce(NoncePayload(Array(0..<32))),
                .keyExchange(
                    KeyExchangePayload(
                        group: TransformID.x25519,
                        publicValue: [9] + [UInt8](repeating: 0, count: 31))),
            ], as: .createChildSA)
        #expect(notifies(answer) == [.noProposalChosen])
        try expectStanding(pair, raw)
    }

    @Test("CREATE_CHILD_SA without what it needs")
    func incompleteCreate() throws {
        let (pair, raw) = try loggedIn()
        #expect(notifies(try raw.ask([], as: .createChildSA)) == [.invalidSyntax])
        for index in 1..<5 {
            var payloads = rekey(raw)
            payloads.remove(at: index)
            #expect(notifies(try raw.ask(payloads, as: .createChildSA)) == [.invalidSyntax])
        }
        #expect(
            notifies(try raw.ask(rekey(raw, newSPI: 255), as: .createChildSA)) == [
                .noProposalChosen
            ])
        #expect(pair.gatewayPlane.count == 1)
        try expectStanding(pair, raw)
    }

    @Test("public values that are no points", arguments: [0, 1, 31, 32, 33, 64, 5_000])
    func publicValues(_ length: Int) throws {
        let (pair, raw) = try loggedIn()
        let answer = try raw.ask(
            [
                .securityAssociation(
                    SecurityAssociationPayload([
                        Proposal(
                            number: 1, protocolID: .ike, spi: Array(1...8),
                            transforms: [
                                Transform(.encryption, TransformID.aesGCM16, keyLength: 128),
                                Transform(.prf, TransformID.prfHMACSHA256),
                                Transform(.keyExchange, TransformID.x25519),
                            ])
                    ])), .nonce(NoncePayload(Array(0..<32))),
                .keyExchange(
                    KeyExchangePayload(
                        group: TransformID.x25519, publicValue: [UInt8](repeating: 0, count: length)
                    )),
            ], as: .createChildSA)
        #expect(notifies(answer) == [.invalidSyntax])
        try expectStanding(pair, raw)
    }

    @Test(
        "Deletes of odd shapes",
        arguments: [
            DeletePayload.children([]), .children(Array(1...256)), .ah([1, 2, 3]), .ah([]),
            .children(Array(repeating: 0xdead_beef, count: 256)),
        ])
    func oddDeletes(_ payload: DeletePayload) throws {
        let (pair, raw) = try loggedIn()
        let many = Array(repeating: AnyPayload.delete(payload), count: 40)
        #expect(try raw.ask(many, as: .informational) == [])
        #expect(pair.gatewayPlane.count == 1)
        try expectStanding(pair, raw)
    }

    @Test("the same Child SA deleted many times in one message is deleted once")
    func repeatedDelete() throws {
        let (pair, raw) = try loggedIn()
        let answer = try raw.ask(
            [.delete(.children(Array(repeating: 0xc0ff_ee01, count: 200)))], as: .informational)
        guard case .delete(.children(let spis)) = answer?.first else {
            Issue.record("the other direction is deleted in the answer")
            return
        }
        #expect(spis.count == 1)
        #expect(pair.events(ChildSAClosed.self).map(\.reason.clear) == [.deletedByPeer])
        #expect(pair.gatewayPlane.count == 0)
        try expectStanding(pair, raw)
        #expect(pair.events(ChildSAClosed.self).count == 1)
    }

    @Test("rekeys without end of a Child SA hold a bounded number of SAs")
    func rekeyBomb() throws {
        var policy = EnginePolicy.example
        policy.defence.requestsPerSecond = 1_000_000
        let (pair, raw) = try loggedIn(policy)
        for index in 0..<200 {
            _ = try raw.ask(
                rekey(raw, newSPI: 0xd000_0000 + UInt32(index)), as: .createChildSA)
        }
        #expect(pair.gatewayPlane.count <= 8)
        try expectStanding(pair, raw)
        let installed = pair.events(ChildSAInstalled.self).map(\.child.clear)
        #expect(Set(installed) == Set(pair.events(ChildSAClosed.self).map(\.child.clear)))
    }

    @Test("rekeys without end of the IKE SA leave room for others to log in")
    func ikeRekeyBomb() throws {
        var policy = EnginePolicy.example
        policy.halfOpenLimit = 20
        policy.connections[0].unique = .never
        let pair = Pair(policy)
        let handle = try #require(pair.connect())
        pair.drive()
        for _ in 0..<100 {
            pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
            pair.drive(for: .milliseconds(30))
        }
        #expect(pair.events(IKESARekeyed.self).count == 1)
        #expect(try RawClient(pair).logIn())
        // Refused for a while, not for ever.
        pair.drive(for: .seconds(60))
        #expect(pair.events(IKESARekeyed.self).count == 2)
        #expect(pair.tick.sessions == 2)
    }

    @Test("a user who only logs in again and again is bounded by the limits")
    func manyLogins() throws {
        var policy = EnginePolicy.example
        policy.sessionLimit = 5
        policy.connections[0].unique = .never
        let pair = Pair(policy)
        for seed in 1...10 as ClosedRange<UInt64> { _ = try RawClient(pair, seed: seed).logIn() }
        #expect(pair.events(SessionEstablished.self).count == 5)
        #expect(pair.failureReasons == Array(repeating: .sessionLimit, count: 5))
        #expect(pair.tick.sessions == 5)
        #expect(pair.tick.pools[0].used == 5)
        // Nobody answers the liveness checks.
        pair.drive(for: .seconds(300))
        #expect(pair.tick.sessions == 0)
        #expect(
            pair.events(SessionClosed.self).map(\.reason.clear)
                == Array(repeating: .peerDead, count: 5))
        #expect(pair.gateway.isIdle)
    }
}
