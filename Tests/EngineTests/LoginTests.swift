import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("Login with a shared key")
struct LoginTests {
    @Test("gives an address, a Child SA, and events in order")
    func login() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()

        #expect(
            pair.trace == [
                "--> IKE_SA_INIT request 0 { SA, KE, N, N(NAT_DETECTION_SOURCE_IP), "
                    + "N(NAT_DETECTION_DESTINATION_IP) }",
                "<-- IKE_SA_INIT response 0 { SA, KE, N, N(NAT_DETECTION_SOURCE_IP), "
                    + "N(NAT_DETECTION_DESTINATION_IP), N(CHILDLESS_IKEV2_SUPPORTED) }",
                "--> IKE_AUTH request 1 { IDi, N(INITIAL_CONTACT), IDr, AUTH, CP(REQUEST), SA, "
                    + "TSi, TSr }",
                "<-- IKE_AUTH response 1 { IDr, AUTH, CP(REPLY), SA, TSi, TSr }",
            ])
        #expect(
            pair.events.map(\.kind) == [
                "ike_sa_init_received", "session_established", "lease_granted",
                "child_sa_installed",
            ])
        #expect(pair.virtualAddress == .v4(0x0a58_0001))
        #expect(pair.tick.sessions == 1)
        #expect(pair.tick.halfOpen == 0)
        #expect(pair.tick.pools == [PoolState(name: "rw", size: 14, used: 1)])
    }

    @Test("carries traffic both ways, counted alike at both ends")
    func traffic() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        for length in [60, 100, 1_400] {
            _ = pair.sendFromClient(address, to: .lan, length: length)
            _ = pair.sendFromGateway(.lan, to: address, length: length)
        }
        pair.drive()
        let expected = Traffic(bytesIn: 1_560, packetsIn: 3, bytesOut: 1_560, packetsOut: 3)
        #expect(pair.gatewayPlane.total == expected)
        #expect(pair.clientPlane.total == expected)
    }

    @Test("narrows what the client asks for to what it may reach")
    func narrowing() throws {
        let pair = Pair()
        var policy = ClientPolicy.example
        policy.remoteSelectors = [.anyIPv4]
        _ = try #require(pair.connect(policy))
        pair.drive()
        let address = try #require(pair.virtualAddress)
        guard case .transmit = pair.sendFromClient(address, to: .lan) else {
            Issue.record("the LAN is within the selectors")
            return
        }
        guard case .dropped(.noChildSA, _) = pair.sendFromClient(address, to: .v4(0x0808_0808))
        else {
            Issue.record("what was not agreed on must not leave the client")
            return
        }
    }

    @Test("asks for our group when the client guessed another", arguments: [DHGroup.p256, .x25519])
    func invalidKE(_ group: DHGroup) throws {
        var policy = EnginePolicy.example
        policy.connections[0].ikeSuites = [
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: group)
        ]
        let pair = Pair(policy)
        var client = ClientPolicy.example
        client.ikeSuites =
            [DHGroup.x25519, .p256].filter { $0 != group }.map {
                IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: $0)
            } + policy.connections[0].ikeSuites
        _ = try #require(pair.connect(client))
        pair.drive()
        #expect(pair.trace[1].contains("N(INVALID_KE_PAYLOAD)"))
        #expect(pair.virtualAddress != nil)
        let rejected = pair.events.compactMap { $0 as? IKESAInitRejected }
        #expect(rejected.map(\.reason.clear) == [.invalidKEPayload])
    }

    @Test("with a cookie and another group, though each message comes twice")
    func doubled() throws {
        var policy = EnginePolicy.example
        policy.defence.cookiesFrom = 0
        policy.connections[0].ikeSuites = [
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p384)
        ]
        let pair = Pair(policy)
        var client = ClientPolicy.example
        client.ikeSuites =
            [IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .x25519)]
            + policy.connections[0].ikeSuites
        pair.network.doubled = Set(0..<20)
        _ = try #require(pair.connect(client))
        pair.drive()
        #expect(pair.tick.sessions == 1 && pair.failures.isEmpty)
    }

    @Test("gives a peer that comes back the address that it had")
    func sameAddress() throws {
        let pair = Pair()
        let first = try #require(pair.connect(.of("alice@lab")))
        pair.drive()
        pair.act { $0.disconnect(first, at: $1, &$2) }
        pair.drive()
        _ = try #require(pair.connect(.of("bob@lab")))
        pair.drive()
        _ = try #require(pair.connect(.of("alice@lab")))
        pair.drive()
        #expect(pair.virtualAddresses.map { $0.bytes.last } == [1, 2, 1])
    }
}

@Suite("A login that fails")
struct FailedLoginTests {
    @Test("with a wrong secret: says so, leaves no session")
    func wrongSecret() throws {
        let pair = Pair()
        _ = try #require(pair.connect(.of("alice@lab", secret: "wrong")))
        pair.drive()
        #expect(pair.trace.last == "<-- IKE_AUTH response 1 { N(AUTHENTICATION_FAILED) }")
        let failed = pair.events.compactMap { $0 as? IKEAuthFailed }
        #expect(failed.map(\.reason.clear) == [.wrongCredential])
        #expect(failed.map(\.proof.clear) == [.identity])
        #expect(failed.map(\.connection.clear) == ["staff"])
        #expect(pair.tick.sessions == 0)
        #expect(pair.tick.pools[0].used == 0)
        #expect(pair.failures == [.wrongCredential])
    }

    @Test("with a suite of another connection's: the reason says so")
    func otherSuite() throws {
        var policy = EnginePolicy.example
        policy.connections.append(policy.connections[0])
        policy.connections[0].name = "guests"
        policy.connections[0].remoteIdentities = [.suffix("@guests.lab")]
        policy.connections[1].ikeSuites = [
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256)
        ]
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.trace.last == "<-- IKE_AUTH response 1 { N(AUTHENTICATION_FAILED) }")
        let failed = pair.events(IKEAuthFailed.self)
        #expect(failed.map(\.reason.clear) == [.noProposalChosen])
        #expect(failed.map(\.connection.clear) == ["staff"])
    }

    @Test("with an identity that nobody knows")
    func unknownIdentity() throws {
        let pair = Pair()
        _ = try #require(pair.connect(.of("mallory@elsewhere")))
        pair.drive()
        #expect(pair.failureReasons == [.unknownIdentity])
        #expect(pair.tick.sessions == 0)
    }

    @Test("with another gateway's name")
    func otherGateway() throws {
        let pair = Pair()
        var client = ClientPolicy.example
        client.remoteIdentity = Identity("other.lab")
        _ = try #require(pair.connect(client))
        pair.drive()
        #expect(pair.failureReasons == [.unknownIdentity])
    }

    @Test("when no algorithms fit")
    func noProposal() throws {
        var policy = EnginePolicy.example
        policy.connections[0].ikeSuites = [
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256)
        ]
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.trace.last == "<-- IKE_SA_INIT response 0 { N(NO_PROPOSAL_CHOSEN) }")
        #expect(pair.failures == [.noProposalChosen])
        #expect(pair.events.compactMap { $0 as? IKESAInitRejected }.count == 1)
    }

    @Test("when the pool is empty, and gives nothing back twice")
    func poolExhausted() throws {
        var policy = EnginePolicy.example
        policy.pools = [PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.2")]
        let pair = Pair(policy)
        for name in ["alice@lab", "bob@lab", "carol@lab"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        #expect(pair.tick.sessions == 2)
        #expect(pair.failureReasons == [.internalAddressFailure])
        #expect(pair.events.contains { $0 is PoolExhausted })
        #expect(pair.failures == [.internalAddressFailure])
    }

    @Test("when nothing that it wants may be reached")
    func tsUnacceptable() throws {
        let pair = Pair()
        var client = ClientPolicy.example
        client.remoteSelectors = [Selector(prefix: .v4(0x0808_0800), length: 24)]
        _ = try #require(pair.connect(client))
        pair.drive()
        #expect(pair.failureReasons == [.tsUnacceptable])
        #expect(pair.tick.pools[0].used == 0)
        #expect(pair.gatewayPlane.count == 0)
    }

    @Test("when the client never finishes: the half-open SA times out")
    func halfOpenTimeout() throws {
        let pair = Pair()
        pair.network.lost = Set(2..<100)
        _ = try #require(pair.connect())
        pair.drive(for: .seconds(10))
        #expect(pair.tick.halfOpen == 1)
        pair.drive(for: .seconds(200))
        #expect(pair.tick.halfOpen == 0)
        #expect(pair.failureReasons == [.timeout])
        #expect(pair.failures == [.timeout])
    }

    @Test("beyond the limit of half-open SAs")
    func halfOpenLimit() throws {
        var policy = EnginePolicy.example
        policy.halfOpenLimit = 3
        let pair = Pair(policy)
        pair.network.lost = Set(0..<1_000)
        let probe = Pair(policy)
        for index in 0..<5 {
            _ = try #require(probe.connect())
            let request = try #require(probe.datagrams.last?.bytes)
            pair.inject(request, from: Endpoint(.v4(0xcb00_7100 + UInt32(index)), 500))
        }
        #expect(pair.tick.halfOpen == 3)
        let rejected = pair.events.compactMap { $0 as? IKESAInitRejected }
        #expect(rejected.map(\.reason.clear) == [.halfOpenLimit, .halfOpenLimit])
    }
}
