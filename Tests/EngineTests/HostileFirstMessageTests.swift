import Crypto
import ESP
import TestKit
import Testing
import Vocabulary
import Wire

@testable import Engine

/// What a stranger can do wrong in its first messages, and a user in its first requests.
@Suite("First messages: nothing comes of")
struct HostileFirstMessageTests {
    private static let x25519 = TransformID.x25519

    private static func proposal(_ transforms: [Transform]) -> AnyPayload {
        .securityAssociation(
            SecurityAssociationPayload([
                Proposal(number: 1, protocolID: .ike, transforms: transforms)
            ]))
    }

    private static let encryption = Transform(
        .encryption, TransformID.aesGCM16, keyLength: 128)
    private static let prf = Transform(.prf, TransformID.prfHMACSHA256)
    private static let exchange = Transform(.keyExchange, x25519)

    private static func good() -> [AnyPayload] {
        [
            proposal([encryption, prf, exchange]),
            .keyExchange(
                KeyExchangePayload(
                    group: x25519, publicValue: [9] + Array(repeating: 0, count: 31))),
            .nonce(NoncePayload(Array(repeating: 3, count: 64))),
        ]
    }

    /// - Returns: the notifies that a fresh gateway answers an IKE_SA_INIT with; nil if it agrees.
    private func refusal(_ payloads: [AnyPayload]) -> [NotifyPayload.Kind]? {
        let pair = Pair()
        let raw = RawClient(pair)
        let request = Message.plain(raw.initHeader(), payloads: payloads)
        guard let answer = raw.exchangeBytes(request),
            case .plain(_, let said) = try? Message(parsing: answer)
        else { return [] }
        guard said.securityAssociation == nil else { return nil }
        #expect(pair.gateway.isIdle)
        #expect(pair.events(IKESAInitRejected.self).count == 1)
        return said.compactMap { if case .notify(let notify) = $0 { notify.kind } else { nil } }
    }

    @Test("none of it: this one is good")
    func baseline() {
        #expect(refusal(Self.good()) == nil)
    }

    @Test(
        "a KE of another group, or a public value that is none",
        arguments: [
            (UInt16(1_025), 32), (0, 32), (65_535, 32), (x25519, 31), (x25519, 33),
            (x25519, 2_000),
        ])
    func keyExchange(_ group: UInt16, _ length: Int) {
        var payloads = Self.good()
        payloads[1] = .keyExchange(
            KeyExchangePayload(group: group, publicValue: Array(repeating: 9, count: length)))
        #expect(
            refusal(payloads) == [group == Self.x25519 ? .invalidSyntax : .invalidKEPayload])
    }

    @Test("a public value whose secret everybody knows")
    func knownSecret() {
        var payloads = Self.good()
        payloads[1] = .keyExchange(
            KeyExchangePayload(group: Self.x25519, publicValue: Array(repeating: 0, count: 32)))
        #expect(refusal(payloads) == [.invalidSyntax])
    }

    @Test("proposals that lack something, or have too much", arguments: 0..<6)
    func proposals(_ number: Int) {
        let transforms: [Transform] = [
            [Self.encryption, Self.prf], [Self.encryption, Self.exchange],
            [Self.prf, Self.exchange], [],
            [
                Self.encryption, Self.prf, Self.exchange,
                Transform(TransformType(rawValue: 200), 1),
            ],
            [Transform(.encryption, TransformID.aesGCM16), Self.prf, Self.exchange],
        ][number]
        var payloads = Self.good()
        payloads[0] = Self.proposal(transforms)
        #expect(refusal(payloads) == [.noProposalChosen])
    }

    @Test("a payload that is missing", arguments: 0..<3)
    func missing(_ index: Int) {
        var payloads = Self.good()
        payloads.remove(at: index)
        #expect(refusal(payloads) == [.invalidSyntax])
    }

    @Test("IKEv1's payload types, which are unknown here", arguments: 1..<33 as Range<UInt8>)
    func oldPayloads(_ type: UInt8) {
        let old = { (critical: Bool) in
            AnyPayload.unknown(
                PayloadType(rawValue: type), critical: critical, OpaquePayload([1, 2, 3, 4]))
        }
        #expect(refusal(Self.good() + [old(false)]) == nil)
        #expect(refusal(Self.good() + [old(true)]) == [.unsupportedCriticalPayload])
    }

    @Test("certificates that nobody asked for: the login goes on")
    func certificates() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        let certificate = AnyPayload.certificate(
            CertificatePayload(encoding: 4, data: Array(repeating: 0x30, count: 900)))
        let answer = try raw.ask(
            try raw.authPayloads() + Array(repeating: certificate, count: 58), as: .ikeAuth)
        #expect(answer?.authentication != nil)
        #expect(pair.tick.sessions == 1)
    }

    @Test("INITIAL_CONTACT in the name of a user whose secret it does not know")
    func initialContact() throws {
        let pair = Pair()
        #expect(try RawClient(pair).logIn())
        let raw = RawClient(pair, seed: 2)
        #expect(try raw.initiate())
        let payloads = try raw.authPayloads(secret: "guess")
        _ = try raw.ask(
            payloads + [.notify(NotifyPayload(.initialContact))], as: .ikeAuth)
        #expect(pair.failureReasons == [.wrongCredential])
        #expect(pair.tick.sessions == 1)
        #expect(pair.events(SessionClosed.self).isEmpty)
    }

    @Test("requests without end: what is too much is dropped, and the session stays")
    func requestFlood() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        var answered = 0
        for _ in 0..<500 where try raw.ask([], as: .informational) != nil { answered += 1 }
        #expect(answered == 5 * EnginePolicy.example.defence.requestsPerSecond)
        let drops = pair.events(MessageDropped.self).filter { $0.reason.clear == .rateLimit }
        #expect(drops.count == 500 - answered)
        pair.drive(for: .seconds(2))
        #expect(try raw.ask([], as: .informational) != nil)
        #expect(pair.tick.sessions == 1)
    }

    @Test("a second answer to who does not go on: nobody is sent anything unasked")
    func silence() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        let sent = pair.datagrams.count
        pair.drive(for: .seconds(120))
        #expect(pair.datagrams.count == sent)
        #expect(pair.gateway.isIdle)
    }

    @Test("a gateway that asks for one more thing for ever", arguments: [true, false])
    func loops(_ withCookies: Bool) throws {
        var client = ClientPolicy.example
        client.ikeSuites = [DHGroup.x25519, .p256].map {
            IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: $0)
        }
        let engine = Engine(
            EnginePolicy(connections: []), dataplane: Tunnels(), random: SeededRandom(seed: 1))
        let now = Instant(nanoseconds: 1)
        let path = Path(
            local: Endpoint(Pair.clientAddress, 500), remote: Endpoint(Pair.gatewayAddress, 500),
            encapsulated: false)
        var output = Output()
        _ = engine.connect(client, on: path, natPath: path, at: now, &output)
        var requests = 0
        while let request = output.transmits.first?.bytes {
            output.clear()
            requests += 1
            try #require(requests < 20)
            guard case .plain(let header, let payloads) = try Message(parsing: request) else {
                return
            }
            let other = payloads.keyExchange?.group == TransformID.x25519 ? UInt16(19) : 31
            let notify =
                withCookies
                ? NotifyPayload(.cookie, data: [UInt8(requests)])
                : NotifyPayload(.invalidKEPayload, data: [0, UInt8(other)])
            let answer = Header(
                initiatorSPI: header.initiatorSPI, responderSPI: 0, exchange: .ikeSAInit,
                fromInitiator: false, isResponse: true, messageID: 0)
            engine.receive(
                Message.plain(answer, payloads: [.notify(notify)]), on: path, at: now, &output)
        }
        #expect(requests == 4)
        #expect(output.notices.count == 1)
        #expect(engine.isIdle)
    }
}
