import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

@Suite("Suites")
struct SuiteTests {
    /// A gateway that has one suite, and a client that asks for it.
    private func pair(
        _ ike: IKESuite, _ esp: ESPSuite, client: ([IKESuite], [ESPSuite])? = nil
    ) throws -> (pair: Pair, handle: ConnectionHandle) {
        var policy = EnginePolicy.example
        policy.connections[0].ikeSuites = [ike]
        policy.connections[0].espSuites = [esp]
        let pair = Pair(policy)
        var wishes = ClientPolicy.example
        (wishes.ikeSuites, wishes.espSuites) = client ?? ([ike], [esp])
        let handle = try #require(pair.connect(wishes))
        pair.drive()
        return (pair, handle)
    }

    @Test("every one logs in", arguments: Cipher.allCases, DHGroup.allCases)
    func everyOne(_ cipher: Cipher, _ group: DHGroup) throws {
        for prf in PRF.allCases {
            let suite = IKESuite(cipher: cipher, prf: prf, group: group)
            let (pair, _) = try pair(suite, ESPSuite(cipher: cipher, group: group))
            let address = try #require(pair.virtualAddress)
            let session = try #require(pair.events(SessionEstablished.self).first)
            #expect(session.ikeSuite.clear == suite.name)
            _ = pair.sendFromClient(address, to: .lan)
            _ = pair.sendFromGateway(.lan, to: address)
            pair.drive()
            #expect(pair.gatewayPlane.total.packetsIn == 1)
            #expect(pair.clientPlane.total.packetsIn == 1)
        }
    }

    @Test("every one is rekeyed, with a key exchange for the Child SA", arguments: Cipher.allCases)
    func rekeys(_ cipher: Cipher) throws {
        let (pair, handle) = try pair(
            IKESuite(cipher: cipher, prf: .hmacSHA384, group: .p384),
            ESPSuite(cipher: cipher, group: .x448))
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.drive()
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(ChildSARekeyed.self).count == 1)
        #expect(pair.events(IKESARekeyed.self).count == 1)
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        _ = pair.sendFromGateway(.lan, to: address)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 1)
        #expect(pair.clientPlane.total.packetsIn == 1)
    }

    @Test("the IKE messages of block ciphers are padded to whole blocks")
    func padding() throws {
        let cipher = Cipher.encryptThenMAC(.aes256CBC, .hmacSHA256)
        let (pair, _) = try pair(
            IKESuite(cipher: cipher, prf: .hmacSHA256, group: .x25519), ESPSuite(cipher: cipher))
        let protected = pair.datagrams.filter { $0.bytes[16] == 46 }
        #expect(protected.count == 2)
        for datagram in protected { #expect((datagram.bytes.count - 32 - 16 - 16) % 16 == 0) }
    }

    @Test(
        "a changed bit of a protected message is an integrity failure", arguments: Cipher.allCases)
    func tampering(_ cipher: Cipher) throws {
        let suite = IKESuite(cipher: cipher, prf: .hmacSHA256, group: .x25519)
        let (pair, handle) = try pair(suite, ESPSuite(cipher: cipher))
        pair.network.isCut = true
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        let good = try #require(pair.datagrams.last).bytes
        let client = Endpoint(Pair.clientAddress, 4500)
        for index in [28, 30, 32, 40, good.count / 2, good.count - 1] where index >= 32 {
            var bytes = good
            bytes[index] ^= 1
            pair.inject(bytes, from: client, port: 4500)
        }
        // Cut short, so that nothing, or no whole block, is left.
        for count in [good.count - 1, good.count - 16, 48, 33, 32] where count < good.count {
            var bytes = Array(good[..<count])
            bytes[27] = UInt8(count)
            bytes[26] = 0
            bytes[30] = 0
            bytes[31] = UInt8(count - 28)
            pair.inject(bytes, from: client, port: 4500)
        }
        #expect(pair.events(SessionClosed.self).isEmpty)
        let drops = pair.events(MessageDropped.self).map(\.reason.clear)
        #expect(drops.count >= 8 && Set(drops) == [.integrity])
        pair.inject(good, from: client, port: 4500)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
    }

    @Test("an AEAD is not chosen from a proposal that insists on integrity")
    func aeadWithIntegrity() throws {
        let suite = IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .x25519)
        for (id, isTaken) in [(TransformID.hmacSHA256, false), (TransformID.none, true)] {
            let transforms = [
                Transform(.encryption, TransformID.aesGCM16, keyLength: 128),
                Transform(.prf, TransformID.prfHMACSHA256), Transform(.integrity, id),
                Transform(.keyExchange, TransformID.x25519),
            ]
            let answers = answer(to: transforms, by: suite)
            #expect((answers.first?.exchange == .ikeSAInit) == isTaken)
        }
    }

    /// What weak suites leave in the record.
    @Test("a weak one that is chosen is told of, at each SA")
    func weakChosen() throws {
        let cipher = Cipher.encryptThenMAC(.aes256CBC, .hmacSHA256)
        let (pair, handle) = try pair(
            IKESuite(cipher: cipher, prf: .hmacSHA256, group: .modp2048), ESPSuite(cipher: cipher))
        let chosen = pair.events(WeakSuiteChosen.self)
        #expect(chosen.map(\.sa.clear) == [.ike, .child])
        #expect(chosen.map(\.algorithm.clear) == [.modp2048, .aesCBC])
        #expect(chosen.map(\.suite.clear) == ["aes256-sha256-modp2048", "aes256-sha256"])
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.drive()
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive()
        #expect(
            pair.events(WeakSuiteChosen.self).map(\.sa.clear) == [.ike, .child, .child, .ike])
    }

    @Test("a good one is not")
    func goodChosen() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.events(SessionEstablished.self).count == 1)
        #expect(pair.events(WeakSuiteChosen.self).isEmpty)
    }

    @Test(
        "a weak one that is refused is told of, by its worst algorithm",
        arguments: [
            ([(1, 3), (2, 2), (3, 2), (4, 2)], WeakAlgorithm.modp1024),
            ([(1, 3), (2, 5), (3, 12), (4, 14)], .tripleDES),
            ([(1, 2), (2, 5), (3, 12), (4, 14)], .des),
            ([(1, 20), (2, 1), (4, 31)], .md5), ([(1, 20), (2, 2), (4, 31)], .sha1),
            ([(1, 20), (2, 5), (4, 5)], .modp1536), ([(1, 20), (2, 5), (4, 1)], .modp768),
            ([(1, 20), (2, 5), (4, 24)], .rfc5114), ([(1, 20), (2, 5), (4, 14)], .modp2048),
            ([(1, 12), (2, 5), (3, 12), (4, 31)], .aesCBC),
            ([(1, 13), (2, 5), (3, 12), (4, 31)], .aesCTR),
            // There is a choice, and it is the better of two.
            ([(1, 20), (2, 2), (2, 5), (4, 2), (4, 14)], .modp2048),
            ([(1, 20), (2, 2), (2, 5), (4, 2), (4, 20)], nil), ([(1, 20), (2, 7), (4, 21)], nil),
        ] as [([(UInt8, UInt16)], WeakAlgorithm?)])
    func weakRefused(_ offer: [(UInt8, UInt16)], _ worst: WeakAlgorithm?) {
        let events = events(
            of: offer.map { Transform(TransformType(rawValue: $0.0), $0.1) },
            to: IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256))
        #expect(events.compactMap { $0 as? IKESAInitRejected }.count == 1)
        let refused = events.compactMap { $0 as? WeakSuiteRefused }
        #expect(refused.map(\.algorithm.clear) == (worst.map { [$0] } ?? []))
        #expect(refused.allSatisfy { $0.sa.clear == .ike })
    }

    @Test("so is a Child SA's")
    func weakChildRefused() throws {
        let good = IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .x25519)
        let weak = ESPSuite(cipher: .encryptThenMAC(.aes128CTR, .hmacSHA512))
        let (pair, _) = try pair(
            good, ESPSuite(cipher: .aes128GCM16), client: ([good], [weak]))
        let refused = pair.events(WeakSuiteRefused.self)
        #expect(refused.map(\.sa.clear) == [.child])
        #expect(refused.map(\.algorithm.clear) == [.aesCTR])
        #expect(pair.failureReasons == [.noProposalChosen])
    }

    // MARK: A request of our own making

    private func request(_ transforms: [Transform]) -> [UInt8] {
        let header = Header(
            initiatorSPI: 7, responderSPI: 0, exchange: .ikeSAInit, fromInitiator: true,
            isResponse: false, messageID: 0)
        let proposal = Proposal(number: 1, protocolID: .ike, transforms: transforms)
        let publicValue = (try? KeyExchange(.x25519, random: SeededRandom(seed: 1)))?.publicValue
        return Message.plain(
            header,
            payloads: [
                .securityAssociation(SecurityAssociationPayload([proposal])),
                .keyExchange(
                    KeyExchangePayload(group: TransformID.x25519, publicValue: publicValue ?? [])),
                .nonce(NoncePayload([UInt8](repeating: 1, count: 32))),
            ])
    }

    private func events(of transforms: [Transform], to suite: IKESuite) -> [any Event] {
        var policy = EnginePolicy.example
        policy.connections[0].ikeSuites = [suite]
        let pair = Pair(policy)
        pair.inject(request(transforms))
        return pair.events
    }

    /// The headers of what is answered without an error.
    private func answer(to transforms: [Transform], by suite: IKESuite) -> [Header] {
        var policy = EnginePolicy.example
        policy.connections[0].ikeSuites = [suite]
        let pair = Pair(policy)
        pair.inject(request(transforms))
        return pair.datagrams.compactMap { try? Message(parsing: $0.bytes).header }
            .filter { $0.responderSPI != 0 }
    }
}
