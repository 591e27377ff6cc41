import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("A session's life")
struct LifecycleTests {
    @Test("ends when the client says so, with its totals")
    func clientLogsOut() throws {
        let pair = Pair()
        let handle = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan, length: 200)
        pair.drive()
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()

        // --> INFORMATIONAL { D }   <-- INFORMATIONAL {}
        #expect(
            pair.trace.suffix(2) == [
                "--> INFORMATIONAL request 2 { D(IKE) }", "<-- INFORMATIONAL response 2 {}",
            ])
        let closed = try #require(pair.events(SessionClosed.self).first)
        #expect(closed.reason.clear == .deletedByPeer)
        #expect(closed.bytesIn.clear == 200)
        #expect(closed.packetsIn.clear == 1)
        #expect(
            pair.events.map(\.kind).suffix(4) == [
                "child_sa_closed", "lease_released", "ike_sa_closed", "session_closed",
            ])
        #expect(pair.tick.sessions == 0)
        #expect(pair.gatewayPlane.count == 0)
        #expect(pair.clientPlane.count == 0)
    }

    @Test("ends when an administrator says so")
    func terminated() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        let session = try #require(pair.events(SessionEstablished.self).first?.session.clear)
        pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByAdmin])
        #expect(pair.ends == [.deletedByPeer])
        pair.actAtGateway { #expect(!$0.terminate(session, at: $1, &$2)) }
    }

    @Test("ends when the peer is dead, and not before its patience is over")
    func peerDead() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        pair.network.isCut = true
        pair.drive(for: .seconds(60))
        #expect(pair.tick.sessions == 1)
        pair.drive(for: .seconds(300))
        #expect(pair.tick.sessions == 0)
        let dead = try #require(pair.events(PeerDead.self).first)
        #expect(dead.retransmissions.clear == 5)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.peerDead])
    }

    @Test("is quiet while ESP flows, and asks when it does not")
    func liveness() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        let before = pair.datagrams.count
        for _ in 0..<20 {
            _ = pair.sendFromClient(address, to: .lan)
            _ = pair.sendFromGateway(.lan, to: address)
            pair.drive(for: .seconds(10))
        }
        #expect(pair.datagrams.count == before)
        pair.drive(for: .seconds(61))
        #expect(pair.trace.contains { $0.hasPrefix("<-- INFORMATIONAL request") })
        #expect(pair.tick.sessions == 1)
    }

    @Test("all end at shutdown, and every peer is told")
    func shutDown() throws {
        let pair = Pair()
        for name in ["alice@lab", "bob@lab"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        pair.actAtGateway { $0.shutDown(at: $1, &$2) }
        pair.drive()
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.shutdown, .shutdown])
        #expect(pair.ends == [.deletedByPeer, .deletedByPeer])
        #expect(pair.gatewayPlane.count == 0)
    }

    @Test("all end at shutdown at once, though every peer is silent and one owes an answer")
    func silentShutDown() throws {
        let pair = Pair()
        for name in ["alice@lab", "bob@lab"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        pair.network.isCut = true
        let session = try #require(pair.session)
        pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        let start = pair.trace.count
        pair.actAtGateway { $0.shutDown(at: $1, &$2) }
        #expect(pair.trace[start...].count { $0.contains("{ D(IKE) }") } == 2)
        #expect(pair.tick.sessions == 0 && pair.gatewayPlane.count == 0)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.shutdown, .shutdown])
        #expect(pair.tick.pools[0].used == 0)
    }

    @Test("follows a peer whose NAT forgot it, by ESP alone")
    func natRebinding() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        pair.network.nat = { Endpoint(.v4(0xc633_6409), $0.port == 4500 ? 61_234 : $0.port) }
        _ = pair.sendFromClient(address, to: .lan)
        pair.drive()
        let change = try #require(pair.events(AddressChanged.self).first)
        #expect(change.cause.clear == .natRebinding)
        guard case .transmit(_, let path, _) = pair.sendFromGateway(.lan, to: address) else {
            Issue.record("the Child SA is gone")
            return
        }
        #expect(path.remote == Endpoint(.v4(0xc633_6409), 61_234))
        pair.drive()
        #expect(pair.events(AddressChanged.self).count == 1)
    }
}

@Suite("A rekey")
struct RekeyTests {
    @Test("of a Child SA loses no byte, whoever begins", arguments: [true, false])
    func child(byClient: Bool) throws {
        var policy = EnginePolicy.example
        if !byClient { policy.connections[0].rekey = RekeyPolicy(child: .seconds(20), jitter: 0) }
        let pair = Pair(policy)
        let handle = try #require(pair.connect())
        pair.drive()
        let address = try #require(pair.virtualAddress)
        for second in 0..<40 {
            if byClient, second == 20 { pair.act { $0.rekeyChild(handle, at: $1, &$2) } }
            for _ in 0..<10 {
                _ = pair.sendFromClient(address, to: .lan, length: 100)
                _ = pair.sendFromGateway(.lan, to: address, length: 300)
                pair.drive(for: .milliseconds(100))
            }
        }
        let rekeyed = pair.events(ChildSARekeyed.self)
        #expect(rekeyed.map(\.initiator.clear).allSatisfy { $0 == (byClient ? .peer : .us) })
        #expect(rekeyed.count == (byClient ? 1 : 2) || rekeyed.count == 1)
        // A round trip of the network that is simulated.
        #expect(rekeyed.allSatisfy { $0.durationMicroseconds.clear == (byClient ? nil : 10_000) })
        let total = Traffic(
            bytesIn: 40_000, packetsIn: 400, bytesOut: 120_000, packetsOut: 400)
        #expect(pair.gatewayPlane.total == total)
        #expect(pair.clientPlane.total.bytesIn == 120_000)
        #expect(pair.gatewayPlane.takeDrops().isEmpty)
        #expect(pair.clientPlane.takeDrops().isEmpty)

        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        let closed = try #require(pair.events(SessionClosed.self).first)
        #expect(closed.bytesIn.clear == total.bytesIn)
        #expect(closed.bytesOut.clear == total.bytesOut)
        let children = pair.events(ChildSAClosed.self)
        #expect(children.map(\.bytesIn.clear).reduce(0, +) == total.bytesIn)
        #expect(children.dropLast().allSatisfy { $0.reason.clear == .rekeyed })
    }

    @Test(
        "of the IKE SA keeps the session, its Child SA and its address", arguments: [true, false])
    func ike(byClient: Bool) throws {
        var policy = EnginePolicy.example
        if !byClient { policy.connections[0].rekey = RekeyPolicy(ike: .seconds(20), jitter: 0) }
        let pair = Pair(policy)
        let handle = try #require(pair.connect())
        pair.drive()
        if byClient { pair.act { $0.rekeyIKE(handle, at: $1, &$2) } }
        pair.drive(for: .seconds(30))
        let rekeyed = try #require(pair.events(IKESARekeyed.self).first)
        #expect(rekeyed.initiator.clear == (byClient ? .peer : .us))
        #expect(rekeyed.durationMicroseconds.clear == (byClient ? nil : 10_000))
        #expect(pair.tick.sessions == 1)
        #expect(pair.events(SessionClosed.self).isEmpty)
        #expect(pair.events(LeaseReleased.self).isEmpty)
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 1)
        // The new IKE SA works: log out over it.
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
    }

    @Test("of a Child SA with its own key exchange", arguments: [true, false])
    func perfectForwardSecrecy(byClient: Bool) throws {
        var policy = EnginePolicy.example
        policy.connections[0].espSuites = [ESPSuite(cipher: .aes128GCM16, group: .p256)]
        if !byClient { policy.connections[0].rekey = RekeyPolicy(child: .seconds(20), jitter: 0) }
        let pair = Pair(policy)
        var client = ClientPolicy.example
        client.espSuites = [ESPSuite(cipher: .aes128GCM16, group: .p256)]
        let handle = try #require(pair.connect(client))
        pair.drive()
        if byClient { pair.act { $0.rekeyChild(handle, at: $1, &$2) } }
        pair.drive(for: .seconds(25))
        #expect(pair.events(ChildSARekeyed.self).count == 1)
        #expect(pair.trace.contains { $0.contains("CREATE_CHILD_SA") && $0.contains("KE") })
        let address = try #require(pair.virtualAddress)
        _ = pair.sendFromClient(address, to: .lan)
        _ = pair.sendFromGateway(.lan, to: address)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsIn == 1)
        #expect(pair.clientPlane.total.packetsIn == 1)
    }
}
