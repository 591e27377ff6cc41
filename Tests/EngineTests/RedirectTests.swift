import TestKit
import Testing
import Vocabulary
import Wire

@testable import Engine

@Suite("A client that is redirected")
struct RedirectTests {
    private static let other = IPAddress.v4(0xc000_0202)
    private let order = DrainOrder(deadline: .seconds(60), targets: [.address(other)])

    private func client(_ name: String = "alice@lab") -> ClientPolicy {
        var policy = ClientPolicy.of(name)
        policy.followsRedirects = true
        return policy
    }

    @Test("goes to another gateway at once, and says where it comes from (RFC 5685 §3)")
    func atInit() throws {
        let pair = Pair()
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        _ = try #require(pair.connect(client()))
        pair.drive(for: .milliseconds(8))
        // The other gateway is this one, too, and lets users in by then.
        pair.actAtGateway { engine, _, output in _ = engine.cancelDrain(&output) }
        pair.drive()
        #expect(pair.redirections == [.address(Self.other)])
        #expect(pair.tick.sessions == 1 && pair.failures.isEmpty)
        #expect(
            pair.trace.prefix(3) == [
                "--> IKE_SA_INIT request 0 { SA, KE, N, N(NAT_DETECTION_SOURCE_IP), "
                    + "N(NAT_DETECTION_DESTINATION_IP), N(REDIRECT_SUPPORTED) }",
                "<-- IKE_SA_INIT response 0 { N(REDIRECT) }",
                "--> IKE_SA_INIT request 0 { SA, KE, N, N(NAT_DETECTION_SOURCE_IP), "
                    + "N(NAT_DETECTION_DESTINATION_IP), N(REDIRECTED_FROM) }",
            ])
    }

    @Test("takes its session to another gateway (RFC 5685 §5)")
    func live() throws {
        let pair = Pair()
        let handle = try #require(pair.connect(client()))
        pair.drive()
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        pair.drive(for: .milliseconds(8))
        pair.actAtGateway { engine, _, output in _ = engine.cancelDrain(&output) }
        pair.drive()
        #expect(pair.redirections == [.address(Self.other)])
        #expect(pair.virtualAddresses.count == 2 && pair.ends.isEmpty)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.drained])
        #expect(pair.tick.sessions == 1)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(20))
        #expect(pair.ends == [.deletedByAdmin] && pair.client.isIdle && pair.gateway.isIdle)
    }

    @Test("does not follow for ever (RFC 5685 §7)")
    func loop() throws {
        let pair = Pair()
        pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        _ = try #require(pair.connect(client()))
        pair.drive(for: .seconds(10))
        #expect(pair.redirections.count == RedirectTrail.limit + 1)
        #expect(pair.failures == [.redirected] && pair.client.isIdle)
    }

    @Test("does not believe a REDIRECT with another nonce than its own, or to nowhere (§3)")
    func forged() throws {
        let pair = Pair()
        pair.network.isCut = true
        _ = try #require(pair.connect(client()))
        let request = try #require(pair.datagrams.first?.bytes)
        let forge = { (data: [UInt8]) in
            let header = Header(
                initiatorSPI: request.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                responderSPI: 0, exchange: .ikeSAInit, fromInitiator: false, isResponse: true,
                messageID: 0)
            let answer = Message.plain(
                header, payloads: [.notify(NotifyPayload(.redirect, data: data))])
            pair.act { engine, now, output in
                engine.receive(answer, on: pair.clientPath(port: 500), at: now, &output)
            }
        }
        let nonce = [UInt8](repeating: 7, count: 32)
        let wrong: [[UInt8]] = [
            [], [1], [1, 4, 192, 0, 2], [1, 4, 192, 0, 2, 2], [4, 0], [3, 1, 0xff],
        ]
        for data in wrong {
            forge(data)
            forge(data + nonce)
        }
        #expect(pair.redirections.isEmpty && pair.failures.isEmpty)
        #expect(pair.datagrams.count == 1)
    }

    @Test("names are read and written, and nothing else is")
    func targets() {
        #expect(RedirectTarget("192.0.2.3") == .address(.v4(0xc000_0203)))
        #expect(RedirectTarget("gw2.example.org")?.description == "gw2.example.org")
        for text in ["", "a b", "gw..org", "192.0.2", "gw2.example.org.", "x_y.org", "é.org"] {
            #expect(RedirectTarget(text) == nil, "\(text)")
        }
        let targets = ["192.0.2.3", "2001:db8::1", "gw2.example.org"].compactMap {
            RedirectTarget($0)
        }
        for target in targets {
            let read = RedirectTarget.parse(target.redirect(nonce: [1, 2, 3]))
            #expect(read?.target == target && read?.nonce == [1, 2, 3])
        }
        #expect(targets.count == 3)
    }
}
