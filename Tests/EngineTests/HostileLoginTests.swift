import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

/// What somebody can try who has done the key exchange, and has not logged in.
@Suite("Hostile logins")
struct HostileLoginTests {
    private func notifies(_ payloads: [AnyPayload]?) -> [NotifyPayload.Kind] {
        (payloads ?? []).compactMap {
            if case .notify(let notify) = $0 { notify.kind } else { nil }
        }
    }

    /// Nothing was granted, one failure was recorded, and time takes the rest away.
    private func expectFailure(_ pair: Pair, _ reason: AuthFailure) {
        #expect(pair.failureReasons == [reason])
        #expect(pair.tick.sessions == 0)
        #expect(pair.tick.pools.allSatisfy { $0.used == 0 })
        #expect(pair.gatewayPlane.count == 0)
        #expect(pair.events(SessionEstablished.self).isEmpty)
        #expect(pair.events(LeaseGranted.self).isEmpty)
        pair.drive(for: .seconds(60))
        #expect(pair.tick.halfOpen == 0)
        #expect(pair.gateway.isIdle)
    }

    @Test("none: a second implementation of the key schedule agrees with the gateway's")
    func keySchedule() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        let answer = try #require(try raw.ask(raw.authPayloads(), as: .ikeAuth))
        guard case .identificationResponder(let identity) = answer[0],
            case .authentication(let proof) = answer[1]
        else {
            Issue.record("IDr and AUTH come first")
            return
        }
        #expect(identity.data == Array("gw.lab".utf8))
        #expect(proof.data == (try raw.gatewayAuth(identity: identity)))
        #expect(pair.tick.sessions == 1)
        #expect(try raw.ask([.delete(.ikeSA)], as: .informational) == [])
        pair.drive(for: .seconds(60))
        #expect(pair.gateway.isIdle)
    }

    @Test("an unknown payload that is critical ends IKE_SA_INIT; one that is not is ignored")
    func criticalInit() throws {
        let pair = Pair()
        let payload = { (critical: Bool) in
            AnyPayload.unknown(PayloadType(rawValue: 200), critical: critical, OpaquePayload([1]))
        }
        #expect(try !RawClient(pair, seed: 1).initiate(extra: [payload(true)]))
        let answer = try #require(pair.datagrams.last?.bytes)
        guard case .plain(_, let payloads) = try Message(parsing: answer) else { return }
        #expect(payloads == [.notify(NotifyPayload(.unsupportedCriticalPayload, data: [200]))])
        #expect(
            pair.events(IKESAInitRejected.self).map(\.reason.clear) == [.unsupportedCriticalPayload]
        )
        #expect(try RawClient(pair, seed: 2).initiate(extra: [payload(false)]))
    }

    @Test("an unknown critical payload in IKE_AUTH")
    func criticalAuth() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        let unknown = AnyPayload.unknown(
            PayloadType(rawValue: 222), critical: true, OpaquePayload([]))
        let answer = try raw.ask(raw.authPayloads() + [unknown], as: .ikeAuth)
        #expect(answer == [.notify(NotifyPayload(.unsupportedCriticalPayload, data: [222]))])
        expectFailure(pair, .unsupportedCriticalPayload)
    }

    @Test("other exchanges before IKE_AUTH", arguments: [UInt8(34), 36, 37, 38, 255])
    func tooEarly(_ exchange: UInt8) throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        #expect(try raw.ask([.delete(.ikeSA)], as: ExchangeType(rawValue: exchange)) == nil)
        #expect(pair.events(MessageDropped.self).map(\.reason.clear) == [.unexpectedMessage])
        // The honest login is not disturbed.
        #expect(try raw.ask(raw.authPayloads(), as: .ikeAuth)?.count ?? 0 > 1)
        #expect(pair.tick.sessions == 1)
    }

    @Test("authentication methods that are not a shared key", arguments: [0, 1, 3, 9, 13, 14, 255])
    func methods(_ method: UInt8) throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        let payloads = try raw.authPayloads().map { payload -> AnyPayload in
            guard case .authentication(let auth) = payload else { return payload }
            return .authentication(
                AuthenticationPayload(method: .init(rawValue: method), data: auth.data))
        }
        #expect(notifies(try raw.ask(payloads, as: .ikeAuth)) == [.authenticationFailed])
        expectFailure(pair, .methodNotAllowed)
    }

    @Test("AUTH values of every wrong length", arguments: [0, 1, 31, 33, 64, 4_000])
    func authLengths(_ length: Int) throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        let payloads = try raw.authPayloads().map { payload -> AnyPayload in
            guard case .authentication(let auth) = payload else { return payload }
            let data = (auth.data + [UInt8](repeating: 0, count: 4_000)).prefix(length)
            return .authentication(AuthenticationPayload(method: .sharedKey, data: Array(data)))
        }
        #expect(notifies(try raw.ask(payloads, as: .ikeAuth)) == [.authenticationFailed])
        expectFailure(pair, .wrongCredential)
    }

    @Test(
        "a payload is missing",
        arguments: [
            (0, AuthFailure.invalidSyntax), (1, .methodNotAllowed), (2, .failedCPRequired),
            (3, .invalidSyntax), (4, .invalidSyntax), (5, .invalidSyntax),
        ])
    func missing(_ index: Int, _ reason: AuthFailure) throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        var payloads = try raw.authPayloads()
        payloads.remove(at: index)
        #expect(notifies(try raw.ask(payloads, as: .ikeAuth)).count == 1)
        expectFailure(pair, reason)
    }

    @Test(
        "identities that are none",
        arguments: [
            (UInt8(0), 4), (2, 0), (2, 1_025), (2, 60_000), (4, 10), (9, 3), (255, 9), (1, 3),
            (5, 15),
        ])
    func identities(_ type: UInt8, _ length: Int) throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        var payloads = try raw.authPayloads()
        payloads[0] = .identificationInitiator(
            IdentificationPayload(type: type, data: [UInt8](repeating: 0x1b, count: length)))
        #expect(notifies(try raw.ask(payloads, as: .ikeAuth)) == [.authenticationFailed])
        expectFailure(pair, .unknownIdentity)
    }

    @Test(
        "contents that can't be read",
        arguments: [
            [UInt8](repeating: 0xff, count: 40), [0xff], [41, 0, 0, 3, 0], [41, 0, 0xff, 0xff, 0],
            [0, 0, 0, 200, 1],
        ])
    func unreadable(_ bytes: [UInt8]) throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        // An SA payload that lies about its proposals.
        let broken = AnyPayload.unknown(.securityAssociation, critical: false, OpaquePayload(bytes))
        let answer = try raw.ask([broken], as: .ikeAuth)
        #expect(notifies(answer) == [.invalidSyntax])
        expectFailure(pair, .invalidSyntax)
    }

    @Test("an empty IKE_AUTH, and an Encrypted payload within one")
    func empty() throws {
        for payloads in [
            [], [AnyPayload.unknown(.encrypted, critical: true, OpaquePayload([0, 0, 0, 0]))],
        ] {
            let pair = Pair()
            let raw = RawClient(pair)
            #expect(try raw.initiate())
            #expect(notifies(try raw.ask(payloads, as: .ikeAuth)).count == 1)
            expectFailure(pair, payloads.isEmpty ? .invalidSyntax : .unsupportedCriticalPayload)
        }
    }

    @Test("64 selectors are narrowed to 16, 65 are refused", arguments: [64, 65])
    func selectors(_ count: Int) throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        var payloads = try raw.authPayloads()
        payloads[5] = .trafficSelectorResponder(
            TrafficSelectorPayload(
                (0..<count).map { index in
                    let host = [10, 99, 0, UInt8(index)]
                    return .addresses(
                        .init(
                            protocolID: 0, firstPort: 0, lastPort: 0xffff, first: host, last: host))
                }))
        let answer = try raw.ask(payloads, as: .ikeAuth)
        guard count == 64 else {
            #expect(notifies(answer) == [.invalidSyntax])
            return expectFailure(pair, .invalidSyntax)
        }
        guard case .trafficSelectorResponder(let narrowed) = answer?.last else {
            Issue.record("TSr comes last")
            return
        }
        #expect(narrowed.selectors.count == 16)
        #expect(pair.tick.sessions == 1)
    }

    @Test("selectors that select nothing")
    func emptySelectors() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        var payloads = try raw.authPayloads()
        payloads[4] = .trafficSelectorInitiator(
            TrafficSelectorPayload([
                .unknown(type: 9, protocolID: 0, bytes: []),
                .addresses(
                    .init(
                        protocolID: 0, firstPort: 0xffff, lastPort: 0, first: [0, 0, 0, 0],
                        last: [255, 255, 255, 255])),
                .addresses(
                    .init(
                        protocolID: 0, firstPort: 0, lastPort: 0xffff, first: [9, 9, 9, 9],
                        last: [1, 1, 1, 1])),
            ]))
        #expect(notifies(try raw.ask(payloads, as: .ikeAuth)) == [.tsUnacceptable])
        expectFailure(pair, .tsUnacceptable)
    }

    @Test("a configuration request of 60 kB, and one that is a reply")
    func configuration() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        var payloads = try raw.authPayloads()
        let attributes = (0..<63).map { index in
            ConfigurationPayload.Attribute(
                .init(rawValue: 20_000 + index), [UInt8](repeating: 7, count: 900))
        }
        payloads[2] = .configuration(
            ConfigurationPayload(.request, [.init(.ip4Address, [1, 2, 3])] + attributes))
        let answer = try #require(try raw.ask(payloads, as: .ikeAuth))
        #expect(pair.tick.sessions == 1)
        #expect(answer.contains { if case .configuration = $0 { true } else { false } })

        let other = Pair()
        let reply = RawClient(other)
        #expect(try reply.initiate())
        payloads = try reply.authPayloads()
        payloads[2] = .configuration(ConfigurationPayload(.reply, [.init(.ip4Address)]))
        #expect(notifies(try reply.ask(payloads, as: .ikeAuth)) == [.failedCPRequired])
        expectFailure(other, .failedCPRequired)
    }

    @Test("one that failed can't stay for ever by talking on")
    func refusedEnds() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        _ = try raw.ask(raw.authPayloads(secret: "wrong"), as: .ikeAuth)
        for _ in 0..<20 {
            pair.drive(for: .seconds(3))
            _ = try raw.ask([.delete(.ikeSA)], as: .informational)
        }
        #expect(pair.gateway.isIdle)
    }
}
