import ESP
import Engine
import TestKit
import Testing
import Vocabulary

/// What the engine counts is what was on the wire.
@Suite("Counts")
struct CountTests {
    @Test("IKE messages are counted by exchange, direction and kind", arguments: [1, 2, 3])
    func messages(seed: UInt64) throws {
        let pair = Pair(seed: seed)
        let handle = try #require(pair.connect())
        pair.drive(for: .seconds(5))
        pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        pair.drive(for: .seconds(5))
        _ = pair.inject([1, 2, 3])
        _ = pair.inject([UInt8](repeating: 0xff, count: 40))
        pair.drive(for: .seconds(100))
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))

        var received = ["other other": UInt64(2)]
        var sent: [String: UInt64] = [:]
        for (fromClient, bytes) in pair.datagrams {
            let key = try name(of: bytes)
            if fromClient { received[key, default: 0] += 1 } else { sent[key, default: 0] += 1 }
        }
        #expect(table(pair.tick.received, .received) == received)
        #expect(table(pair.tick.sent, .sent) == sent)
        for key in ["ike_sa_init request", "ike_auth request", "create_child_sa request"] {
            #expect(received[key] == 1)
        }
        #expect(try #require(sent["informational request"]) > 0)
        #expect(pair.tick.messagesReceived == received.values.reduce(0, +))
    }

    @Test("dead peer detection is counted when asked and when answered")
    func liveness() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive(for: .seconds(100))
        let asked = pair.tick.dpdSent
        #expect(asked >= 2)
        #expect(pair.tick.dpdAnswered == asked)
        pair.network.isCut = true
        pair.drive(for: .seconds(360))
        #expect(pair.tick.dpdSent == asked + 1)
        #expect(pair.tick.dpdAnswered == asked)
        #expect(pair.tick.retransmissionsSent > 0)
        #expect(pair.tick.sessions == 0)
    }

    @Test("a request that comes again is counted")
    func retransmission() throws {
        let pair = Pair()
        // The answer to IKE_AUTH is lost once: the client asks again.
        pair.network.lost = [3]
        _ = try #require(pair.connect())
        pair.drive(for: .seconds(20))
        #expect(pair.tick.sessions == 1)
        #expect(pair.tick.retransmissionsReceived == 1)
    }

    @Test("a connection is counted also where nobody uses it")
    func connections() throws {
        var policy = EnginePolicy.example
        var other = policy.connections[0]
        other.name = "guests"
        other.remoteIdentities = [.suffix("@guests")]
        policy.connections.append(other)
        let pair = Pair(policy)
        #expect(pair.sessionsByConnection == ["staff": 0, "guests": 0])
        for name in ["alice@lab", "bob@lab", "carol@guests"] {
            _ = try #require(pair.connect(.of(name)))
            pair.drive()
        }
        #expect(pair.sessionsByConnection == ["staff": 2, "guests": 1])
        let session = try #require(pair.session)
        pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.sessionsByConnection == ["staff": 1, "guests": 1])
        pair.actAtGateway { $0.shutDown(at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.sessionsByConnection == ["staff": 0, "guests": 0])
    }

    @Test("a connection that the configuration no longer has counts while somebody uses it")
    func removedConnection() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        var policy = EnginePolicy.example
        policy.connections[0].name = "new"
        pair.actAtGateway { engine, _, _ in
            #expect(throws: Never.self) { try engine.adopt(policy) }
        }
        #expect(pair.sessionsByConnection == ["new": 0, "staff": 1])
        pair.actAtGateway { $0.shutDown(at: $1, &$2) }
        #expect(pair.sessionsByConnection == ["new": 0])
    }

    /// By the header's octets 18 and 19 (RFC 7296 §3.1).
    private func name(of datagram: [UInt8]) throws -> String {
        let exchange = try #require(
            [34: "ike_sa_init", 35: "ike_auth", 36: "create_child_sa", 37: "informational"][
                datagram[18]])
        return exchange + (datagram[19] & 0x20 == 0 ? " request" : " response")
    }

    private func table(
        _ counts: MessageCounts, _ direction: MessageCounts.Direction
    ) -> [String: UInt64] {
        Dictionary(
            zip(MessageCounts.series(direction), counts.counts).filter { $0.1 > 0 }
                .map { ($0.0.joined(separator: " "), $0.1) }, uniquingKeysWith: +)
    }
}

extension Pair {
    fileprivate var sessionsByConnection: [String: UInt64] {
        Dictionary(tick.connections.map { ($0.name, $0.sessions) }, uniquingKeysWith: +)
    }
}
