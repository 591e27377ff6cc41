import Engine
import TestKit
import Testing
import Vocabulary
import Wire

@Suite("A gateway that drains")
struct DrainTests {
    private let order = DrainOrder(
        deadline: .seconds(60), targets: [.name("gw2.example.org")])

    private func client(_ name: String, follows: Bool = true) -> ClientPolicy {
        var policy = ClientPolicy.of(name)
        policy.followsRedirects = follows
        return policy
    }

    @Test("sends somebody new elsewhere in IKE_SA_INIT (RFC 5685 §3)")
    func atInit() throws {
        let pair = Pair()
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        _ = try #require(pair.connect(client("alice@lab")))
        pair.drive()
        #expect(pair.trace.last == "<-- IKE_SA_INIT response 0 { N(REDIRECT) }")
        #expect(pair.failures == [.redirected])
        #expect(pair.redirections == [.name("gw2.example.org")])
        #expect(pair.events(IKESAInitRejected.self).map(\.reason.clear) == [.redirected])
        #expect(pair.tick.halfOpen == 0)
        let (request, answer) = (pair.datagrams[0].bytes, pair.datagrams[1].bytes)
        #expect(answer.count <= request.count)
    }

    @Test("is silent to whom it can't send anywhere")
    func atInitWithout() throws {
        let pair = Pair()
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        _ = try #require(pair.connect(client("alice@lab", follows: false)))
        pair.drive()
        #expect(!pair.trace.contains { $0.hasPrefix("<--") })
        #expect(pair.events(IKESAInitRejected.self).map(\.reason.clear) == [.draining])
    }

    @Test(
        "sends whom it meets halfway elsewhere in IKE_AUTH (RFC 5685 §6)", arguments: [true, false])
    func atAuth(follows: Bool) throws {
        let pair = Pair()
        _ = try #require(pair.connect(client("alice@lab", follows: follows)))
        pair.drive(for: .milliseconds(12))
        #expect(pair.tick.halfOpen == 1)
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        pair.drive()
        let notify = follows ? "REDIRECT" : "NO_ADDITIONAL_SAS"
        #expect(pair.trace.contains("<-- IKE_AUTH response 1 { IDr, AUTH, N(\(notify)) }"))
        #expect(pair.failures == [follows ? .redirected : .sessionLimit])
        #expect(pair.failureReasons == [follows ? .redirected : .draining])
        #expect(pair.tick.sessions == 0 && pair.tick.pools[0].used == 0)
        pair.drive(for: .seconds(20))
        #expect(pair.client.isIdle)
    }

    @Test("asks live sessions to leave, and deletes who stays to the deadline (RFC 5685 §5)")
    func live() throws {
        let pair = Pair()
        for (name, follows) in [("alice@lab", true), ("bob@lab", false)] {
            _ = try #require(pair.connect(client(name, follows: follows)))
            pair.drive()
        }
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        pair.drive()
        #expect(
            pair.trace.suffix(4) == [
                "<-- INFORMATIONAL request 0 { N(REDIRECT) }", "--> INFORMATIONAL response 0 {}",
                "--> INFORMATIONAL request 2 { D(IKE) }", "<-- INFORMATIONAL response 2 {}",
            ])
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.drained])
        let began = try #require(pair.events(GatewayDraining.self).first)
        #expect(began.sessions.clear == 2 && began.redirected.clear == 1)
        #expect(began.targets.clear == "gw2.example.org")
        pair.actAtGateway { engine, now, _ in
            #expect(engine.drainProgress(at: now)?.left == 1)
        }
        #expect(pair.tick.draining == 1 && pair.tick.sessions == 1)
        pair.drive(for: .seconds(61))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.drained, .drained])
        #expect(pair.ends == [.drained, .deletedByPeer])
        #expect(pair.events(GatewayDrainEnded.self).map(\.cause.clear) == [.finished])
    }

    @Test("lets users in again when that is cancelled")
    func cancelled() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        pair.drive()
        pair.actAtGateway { engine, _, output in
            #expect(engine.cancelDrain(&output))
            #expect(!engine.cancelDrain(&output))
        }
        pair.drive(for: .seconds(90))
        _ = try #require(pair.connect(.of("bob@lab")))
        pair.drive()
        #expect(pair.tick.sessions == 2 && pair.tick.draining == 0)
        #expect(pair.events(GatewayDrainEnded.self).map(\.cause.clear) == [.cancelled])
    }

    @Test("does not call it a departure when a user leaves long after it was cancelled")
    func cancelledLongAgo() throws {
        var policy = EnginePolicy.example
        policy.connections[0].livenessInterval = .zero
        let pair = Pair(policy)
        let peer = RawClient(pair)
        let follows = AnyPayload.notify(NotifyPayload(.redirectSupported))
        #expect(try peer.initiate(extra: [follows]))
        #expect(try peer.ask(peer.authPayloads(), as: .ikeAuth) != nil)
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        #expect(pair.trace.last == "<-- INFORMATIONAL request 0 { N(REDIRECT) }")
        // It answers, and stays.
        pair.inject(
            try peer.seal([], as: .informational, id: 0, isResponse: true), from: peer.source,
            port: 4500)
        pair.actAtGateway { engine, _, output in #expect(engine.cancelDrain(&output)) }
        pair.drive(for: .seconds(60))
        #expect(try peer.ask([.delete(.ikeSA)], as: .informational)?.isEmpty == true)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
    }

    @Test("asks at most a hundred sessions a second, and names its targets in turn")
    func pace() throws {
        let pair = Pair()
        for index in 0..<14 {
            _ = try #require(pair.connect(client("u\(index)@lab")))
            pair.drive()
        }
        let targets = [RedirectTarget.name("gw2.example.org"), .name("gw3.example.org")]
        let before = pair.datagrams.count
        // Another order takes the place of the first, and does not make it any faster.
        for _ in 0..<2 {
            pair.actAtGateway {
                $0.drain(DrainOrder(deadline: .seconds(60), targets: targets), at: $1, &$2)
            }
        }
        #expect(pair.datagrams[before...].count { !$0.fromClient } == 10)
        pair.drive(for: .milliseconds(90))
        #expect(pair.redirections.count == 10)
        pair.drive()
        #expect(pair.redirections.count == 14 && pair.tick.sessions == 0)
        #expect(Set(pair.redirections) == Set(targets))
    }

    @Test("takes deadline and targets from the policy where the order has none")
    func fromPolicy() throws {
        var policy = EnginePolicy.example
        policy.drainDeadline = .seconds(5)
        policy.redirectTargets = [.name("gw3.example.org")]
        let pair = Pair(policy)
        _ = try #require(pair.connect())
        pair.drive()
        pair.actAtGateway { $0.drain(DrainOrder(), at: $1, &$2) }
        pair.actAtGateway { engine, now, _ in
            #expect(
                engine.drainProgress(at: now)
                    == DrainProgress(
                        sessions: 1, left: 1, remaining: .seconds(5),
                        targets: [.name("gw3.example.org")]))
        }
        pair.drive(for: .seconds(6))
        #expect(pair.ends == [.deletedByPeer])
    }
}
