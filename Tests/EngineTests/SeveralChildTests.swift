import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

@Suite("CREATE_CHILD_SA")
struct SeveralChildTests {
    private let lan = Selector(prefix: .v4(0x0a63_0000), length: 24)

    @Test("gives a session more Child SAs, up to its limit, and none more")
    func several() throws {
        var policy = EnginePolicy.example
        policy.childLimit = 3
        let pair = Pair(policy)
        let handle = try #require(pair.connect())
        pair.drive()
        for _ in 0..<3 {
            pair.act { $0.createChild(handle, to: [lan], at: $1, &$2) }
            pair.drive()
        }
        #expect(pair.trace.last == "<-- CREATE_CHILD_SA response 4 { N(NO_ADDITIONAL_SAS) }")
        #expect(pair.gatewayPlane.count == 3)
        #expect(pair.events(ChildSAInstalled.self).count == 3)
        let refused = pair.events(CreateChildSARefused.self)
        #expect(refused.map(\.reason.clear) == [.noAdditionalSAs])
        #expect(refused.map(\.initiator.clear) == [.peer])
        #expect(refused.map(\.kind.clear) == [.newChild])
        // The session's totals are of all of them.
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan, length: 100)
        pair.act { $0.deleteChild(handle, at: $1, &$2) }
        pair.drive(for: .seconds(10))
        #expect(pair.gatewayPlane.count == 2)
        _ = pair.sendFromClient(address, to: .lan, length: 100)
        pair.drive()
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(SessionClosed.self).map(\.bytesIn.clear) == [200])
    }

    @Test("is refused for selectors that nobody may reach, and by ESN alone")
    func refusals() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        let ask = { (transforms: [Transform], notify: [AnyPayload]) in
            try raw.ask(
                notify + [
                    .securityAssociation(
                        SecurityAssociationPayload([
                            Proposal(
                                number: 1, protocolID: .esp, spi: [0xc0, 0xff, 0xee, 9],
                                transforms: transforms)
                        ])), .nonce(NoncePayload(Array(0..<32))),
                    RawClient.anySelector(AnyPayload.trafficSelectorInitiator),
                    RawClient.anySelector(AnyPayload.trafficSelectorResponder),
                ], as: .createChildSA)
        }
        let gcm = Transform(.encryption, TransformID.aesGCM16, keyLength: 128)
        let esn = try ask([gcm, Transform(.extendedSequenceNumbers, 1)], [])
        #expect(esn == [.notify(NotifyPayload(.noProposalChosen))])
        // Transport mode is asked for and not given: no notify in the answer.
        let tunnel = try ask(
            [gcm, Transform(.extendedSequenceNumbers, 1), Transform(.extendedSequenceNumbers, 0)],
            [.notify(NotifyPayload(.useTransportMode))])
        #expect(tunnel?.count == 4)
        #expect(pair.gatewayPlane.count == 2)
    }

    @Test("must have the key exchange that the connection wants")
    func groupRequired() throws {
        var policy = EnginePolicy.example
        policy.connections[0].espSuites = [ESPSuite(cipher: .aes128GCM16, group: .p256)]
        let pair = Pair(policy)
        let handle = try #require(pair.connect())
        pair.drive()
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(ChildSARekeyed.self).isEmpty)
        let refused = pair.events(CreateChildSARefused.self)
        #expect(refused.map(\.reason.clear) == [.noProposalChosen])
        #expect(refused.map(\.kind.clear) == [.childRekey])
    }

    @Test("ends a session that began without a Child SA, or lost it, being without one")
    func childless() throws {
        let pair = Pair()
        var policy = ClientPolicy.example
        policy.childless = true
        let handle = try #require(pair.connect(policy))
        pair.drive()
        #expect(
            pair.trace.suffix(2) == [
                "--> IKE_AUTH request 1 { IDi, N(INITIAL_CONTACT), IDr, AUTH, CP(REQUEST) }",
                "<-- IKE_AUTH response 1 { IDr, AUTH, CP(REPLY) }",
            ])
        let established = try #require(pair.events(SessionEstablished.self).first)
        #expect(established.espSuite.clear == nil)
        #expect(pair.tick.childless == 1)
        pair.act { $0.createChild(handle, to: [lan], at: $1, &$2) }
        pair.drive()
        #expect(pair.tick.childless == 0)
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 1)
        pair.act { $0.deleteChild(handle, at: $1, &$2) }
        pair.drive(for: .seconds(10))
        #expect(pair.tick.childless == 1)
        #expect(pair.tick.sessions == 1)
    }

    @Test(
        "rekeys a Child SA that has carried enough, in either direction", arguments: [true, false])
    func worn(bytes: Bool) throws {
        var policy = EnginePolicy.example
        policy.connections[0].rekey = RekeyPolicy(
            childLimit: bytes ? TrafficLimit(bytes: 10_000) : TrafficLimit(packets: 50),
            jitter: 0)
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        for index in 0..<120 {
            if index % 2 == 0 {
                _ = pair.sendFromClient(address, to: .lan, length: 200)
            } else {
                _ = pair.sendFromGateway(.lan, to: address, length: 200)
            }
            if index == 97 { #expect(pair.events(ChildSARekeyed.self).isEmpty) }
            pair.drive(for: .milliseconds(100))
        }
        #expect(pair.events(ChildSARekeyed.self).map(\.initiator.clear) == [.us])
        #expect(pair.gatewayPlane.total.packetsIn == 60)
        #expect(pair.clientPlane.total.packetsIn == 60)
    }

    @Test("that could not be rekeyed ends with its lifetime, and the IKE SA with its own")
    func lifetimeOver() throws {
        var policy = EnginePolicy.example
        policy.connections[0].rekey = RekeyPolicy(
            ike: .seconds(40), child: .seconds(20), jitter: 0, grace: .seconds(1))
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive(for: .seconds(19))
        pair.network.isCut = true
        pair.drive(for: .seconds(10))
        #expect(pair.events(ChildSAClosed.self).map(\.reason.clear) == [.lifetimeOver])
        #expect(pair.tick.sessions == 1)
        pair.drive(for: .seconds(15))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.lifetimeOver])
        pair.drive(for: .seconds(60))
        #expect(pair.gateway.isIdle)
    }
}
