import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("MOBIKE")
struct MobikeTests {
    static let elsewhere = IPAddress.v4(0xc633_6409)
    static let elsewhere6 = IPAddress.v6(high: 0x2001_0db8 << 32, low: 7)
    static let gateway6 = IPAddress.v6(high: 0x2001_0db8 << 32, low: 1)

    static var client: ClientPolicy {
        var policy = ClientPolicy.example
        policy.supportsMobike = true
        return policy
    }

    static func connected(_ policy: EnginePolicy = .example) throws -> (Pair, ConnectionHandle) {
        let pair = Pair(policy)
        let handle = try #require(pair.connect(client))
        pair.drive()
        return (pair, handle)
    }

    /// Where the gateway sends ESP.
    static func remote(_ pair: Pair) throws -> IPAddress? {
        let address = try #require(pair.virtualAddress)
        guard case .transmit(_, let path, _) = pair.sendFromGateway(.lan, to: address) else {
            return nil
        }
        return path.remote.address
    }

    @Test("is agreed on in IKE_AUTH, with the gateway's other addresses")
    func negotiation() throws {
        var policy = EnginePolicy.example
        policy.addresses = [Pair.gatewayAddress, Self.gateway6]
        let (pair, handle) = try Self.connected(policy)
        #expect(
            pair.trace.suffix(2) == [
                "--> IKE_AUTH request 1 { IDi, N(INITIAL_CONTACT), IDr, AUTH, CP(REQUEST), SA, "
                    + "TSi, TSr, N(MOBIKE_SUPPORTED), N(NO_ADDITIONAL_ADDRESSES) }",
                "<-- IKE_AUTH response 1 { IDr, AUTH, CP(REPLY), SA, TSi, TSr, "
                    + "N(MOBIKE_SUPPORTED), N(ADDITIONAL_IP6_ADDRESS) }",
            ])
        #expect(pair.client.gatewayAddresses(handle) == [Self.gateway6])
    }

    @Test(
        "moves a session when the client proves that it is there",
        arguments: [(elsewhere, Pair.gatewayAddress), (elsewhere6, gateway6)])
    func move(_ address: IPAddress, _ gateway: IPAddress) throws {
        let (pair, handle) = try Self.connected()
        let path = pair.clientPath(from: address, to: gateway)
        pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
        pair.drive()
        #expect(
            pair.trace.suffix(4) == [
                "--> INFORMATIONAL request 2 { N(UPDATE_SA_ADDRESSES), "
                    + "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP) }",
                "<-- INFORMATIONAL response 2 { N(NAT_DETECTION_SOURCE_IP), "
                    + "N(NAT_DETECTION_DESTINATION_IP) }",
                "<-- INFORMATIONAL request 0 { N(COOKIE2) }",
                "--> INFORMATIONAL response 0 { N(COOKIE2) }",
            ])
        #expect(pair.events(AddressChanged.self).map(\.cause.clear) == [.mobike])
        #expect(try Self.remote(pair) == address)
        let virtual = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(virtual, to: .lan)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 1)
        #expect(pair.clientPlane.total.packetsIn == 1)
        #expect(pair.events(SessionClosed.self).isEmpty)
    }

    @Test(
        "moves a session whose IKE SA was replaced since, by either side", arguments: [true, false])
    func moveAfterRekey(byGateway: Bool) throws {
        let (pair, handle) = try Self.connected()
        let session = try #require(pair.session)
        if byGateway {
            pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        } else {
            pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        }
        pair.drive()
        let path = pair.clientPath(from: Self.elsewhere)
        pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
        pair.drive()
        #expect(pair.events(AddressChanged.self).map(\.cause.clear) == [.mobike])
        #expect(try Self.remote(pair) == Self.elsewhere)
    }

    @Test("moves no traffic to an address that does not answer")
    func spoofed() throws {
        let (pair, handle) = try Self.connected()
        pair.network.unreachable = [Self.elsewhere]
        let path = pair.clientPath(from: Self.elsewhere)
        pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
        pair.drive(for: .seconds(30))
        #expect(pair.events(AddressChanged.self).isEmpty)
        #expect(try Self.remote(pair) == Pair.clientAddress)
        // In the end whoever claimed to be there is gone.
        pair.drive(for: .seconds(300))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.peerDead])
    }

    @Test("does not follow a request of a peer that has not said that it moved")
    func silentMove() throws {
        let (pair, handle) = try Self.connected()
        pair.network.nat = { Endpoint(Self.elsewhere, $0.port) }
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(ChildSARekeyed.self).count == 1)
        #expect(pair.events(AddressChanged.self).isEmpty)
    }

    @Test("still follows a NAT's new mapping by ESP")
    func rebinding() throws {
        let (pair, _) = try Self.connected()
        pair.network.nat = { Endpoint(Self.elsewhere, $0.port &+ 1) }
        let virtual = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(virtual, to: .lan)
        pair.drive()
        #expect(pair.events(AddressChanged.self).map(\.cause.clear) == [.natRebinding])
    }

    @Test("refuses to run a tunnel within itself, and stays where it was")
    func unacceptable() throws {
        let (pair, handle) = try Self.connected()
        let path = pair.clientPath(from: .v4(0x0a58_0003))
        pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
        pair.drive()
        #expect(pair.trace.last?.hasSuffix("{ N(UNACCEPTABLE_ADDRESSES) }") == true)
        #expect(try Self.remote(pair) == Pair.clientAddress)
        #expect(pair.tick.sessions == 1)
    }

    @Test("finds the NAT that a client forbids", arguments: [true, false])
    func noNATs(atLogin: Bool) throws {
        let pair = Pair()
        var policy = Self.client
        policy.allowsNAT = false
        if atLogin { pair.network.nat = { Endpoint(Self.elsewhere, $0.port) } }
        let handle = try #require(pair.connect(policy))
        pair.drive()
        guard !atLogin else {
            #expect(pair.failureReasons == [.unexpectedNAT])
            #expect(pair.failures == [.unexpectedNAT])
            #expect(pair.tick.pools[0].used == 0)
            return
        }
        pair.network.nat = { Endpoint(Self.elsewhere, $0.port) }
        let path = pair.clientPath(from: .v4(0xc000_0208))
        pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
        pair.drive()
        #expect(pair.trace.contains { $0.hasSuffix("{ N(UNEXPECTED_NAT_DETECTED) }") })
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
    }

    @Test("stands for a rekeyed IKE SA, too")
    func afterRekey() throws {
        let (pair, handle) = try Self.connected()
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive()
        let path = pair.clientPath(from: Self.elsewhere)
        pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
        pair.drive()
        #expect(pair.events(AddressChanged.self).map(\.cause.clear) == [.mobike])
    }

    @Test(
        "works whatever one datagram of a move suffers",
        arguments: LossTests.Mishap.allCases, 4..<8)
    func mishap(_ mishap: LossTests.Mishap, _ index: Int) throws {
        let (pair, handle) = try Self.connected()
        switch mishap {
        case .lost: pair.network.lost = [index]
        case .doubled: pair.network.doubled = [index]
        case .late: pair.network.late = [index]
        }
        for address in [Self.elsewhere, .v4(0xc633_640a)] {
            let path = pair.clientPath(from: address)
            pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
            // The second move comes while the first one's cookie is under way.
            pair.drive(for: .milliseconds(12))
        }
        pair.drive(for: .seconds(20))
        #expect(try Self.remote(pair) == .v4(0xc633_640a))
        #expect(pair.events(AddressChanged.self).allSatisfy { $0.cause.clear == .mobike })
        #expect(pair.tick.sessions == 1)
    }
}

@Suite("NAT keepalives")
struct KeepaliveTests {
    @Test("are sent by who is behind a NAT, while nothing else is")
    func idle() throws {
        let pair = Pair()
        pair.network.nat = { Endpoint(.v4(0xc633_6409), $0.port &+ 1_000) }
        _ = try #require(pair.connect())
        pair.drive(for: .seconds(65))
        let address = try #require(pair.virtualAddress)
        // At 20 s; at 50 s, for it asked for a sign of life at 30.
        #expect(pair.keepalives.filter(\.fromClient).count == 2)
        #expect(pair.keepalives.filter { !$0.fromClient }.isEmpty)
        for _ in 0..<10 {
            _ = pair.sendFromClient(address, to: .lan)
            pair.drive(for: .seconds(10))
        }
        #expect(pair.keepalives.count == 2)
    }

    @Test("are not sent without a NAT")
    func none() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive(for: .seconds(120))
        #expect(pair.keepalives.isEmpty)
    }
}

@Suite("IPv6 outside")
struct OuterIPv6Tests {
    @Test("carries a login, traffic and a logout")
    func login() throws {
        let pair = Pair()
        let handle = try #require(
            pair.connect(from: MobikeTests.elsewhere6, to: MobikeTests.gateway6))
        pair.drive()
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        _ = pair.sendFromGateway(.lan, to: address)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 1)
        #expect(pair.clientPlane.total.packetsIn == 1)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
    }
}
