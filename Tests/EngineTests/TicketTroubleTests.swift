import ESP
import TestKit
import Testing
import Vocabulary
import Wire

@testable import Engine

/// Tickets that come late, and logins by ticket that come to nothing.
@Suite("A ticket")
struct TicketTroubleTests {
    @Test("that a gateway has promised by TICKET_ACK is taken when it comes (RFC 5723 §4.2)")
    func late() throws {
        let pair = Pair(try ResumptionTests.policy())
        let handle = try #require(pair.connect(ResumptionTests.client()))
        pair.drive()
        let client = try #require(pair.client.session(of: handle))
        client.ticket = nil
        // Our gateway never needs time; this is what another would say.
        pair.actAtGateway { engine, now, output in
            guard let session = engine.sessions.values.first, let sa = engine.sas[session.ikeSPI]
            else { return }
            let wish = AnyPayload.notify(NotifyPayload(.ticketRequest))
            let issued = engine.issueTicket(asked: [wish], of: sa, session, at: now)
            engine.send(issued.payloads, as: .informational, .liveness, of: sa, at: now, &output)
            engine.schedule(sa)
        }
        pair.drive()
        #expect(
            pair.trace.suffix(2) == [
                "<-- INFORMATIONAL request 0 { N(TICKET_LT_OPAQUE) }",
                "--> INFORMATIONAL response 0 {}",
            ])
        let ticket = try #require(client.ticket)
        pair.restartGateway(try ResumptionTests.policy())
        _ = try #require(pair.resume(ticket, ResumptionTests.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
    }

    @Test("that is refused twice, since it was doubled on its way, does not spoil the login")
    func refusedTwice() throws {
        let (pair, ticket, _) = try ResumptionTests.loggedIn()
        pair.restartGateway(try ResumptionTests.policy([7]))
        pair.network.doubled = [pair.network.count]
        _ = try #require(pair.resume(ticket, ResumptionTests.client()))
        pair.drive(for: .seconds(5))
        #expect(ResumptionTests.refusals(pair) == [.unknownKey, .unknownKey])
        #expect(pair.tick.sessions == 1 && pair.failures.isEmpty)
    }

    @Test("of a new IKE SA is asked for again when the wish was lost")
    func lostWish() throws {
        let pair = Pair(try ResumptionTests.policy())
        let handle = try #require(pair.connect(ResumptionTests.client()))
        pair.drive()
        let session = try #require(pair.session)
        let next = pair.network.count
        pair.network.lost = [next + 2]
        pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(IKESARekeyed.self).count == 1)
        #expect(pair.client.ticket(of: handle) == nil)
        pair.drive(for: .seconds(3))
        #expect(pair.client.ticket(of: handle) != nil)
    }

    @Test("is nothing that a gateway takes from a client")
    func unwanted() throws {
        let pair = Pair(try ResumptionTests.policy())
        let grant = NotifyPayload(
            .ticketLTOpaque, data: TicketGrant(lifetime: 1_000, ticket: [1, 2, 3]).bytes)
        let peer = RawClient(pair)
        #expect(try peer.logIn())
        #expect(try peer.ask([.notify(grant)], as: .informational)?.isEmpty == true)
        #expect(pair.gateway.sessions.values.allSatisfy { $0.ticket == nil })
    }

    @Test("is there again after a collision of two rekeys, whoever won", arguments: 1...8)
    func afterCollision(_ seed: UInt64) throws {
        let pair = Pair(try ResumptionTests.policy(), seed: seed)
        let handle = try #require(pair.connect(ResumptionTests.client()))
        pair.drive()
        let before = try #require(pair.client.ticket(of: handle))
        let session = try #require(pair.session)
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        pair.drive()
        // Of which of the two IKE SAs there will be a ticket is not known yet (RFC 5723 §4.2).
        #expect(
            pair.trace.contains("<-- CREATE_CHILD_SA response 2 { SA, N, KE, N(TICKET_ACK) }"))
        #expect(before.isVoid)
        #expect(pair.client.ticket(of: handle)?.isVoid == false)
    }

    @Test("is as good as before after a login by it that failed (RFC 5723 §4.3.1)")
    func refusedLogin() throws {
        let (pair, ticket, before) = try ResumptionTests.loggedIn()
        var client = ResumptionTests.client()
        client.remoteSelectors = [Selector(prefix: .v4(0xc0a8_0000), length: 16)]
        _ = try #require(pair.resume(ticket, client))
        pair.drive()
        #expect(pair.failureReasons == [.tsUnacceptable])
        #expect(pair.tick.sessions == 0)
        _ = try #require(pair.resume(ticket, ResumptionTests.client()))
        pair.drive()
        #expect(ResumptionTests.refusals(pair).isEmpty)
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear == before)
    }

    @Test("whose logins fail leaves no traces in the book, however often")
    func book() throws {
        let vault = try TestVault([1])
        var policy = EnginePolicy.example
        policy.resumption = ResumptionPolicy(vault: vault)
        let (pair, ticket, _) = try ResumptionTests.loggedIn(policy)
        var client = ResumptionTests.client()
        client.remoteSelectors = [Selector(prefix: .v4(0xc0a8_0000), length: 16)]
        for _ in 0..<5 {
            _ = try #require(pair.resume(ticket, client))
            pair.drive()
        }
        #expect(pair.failureReasons.count == 5)
        #expect(vault.with { $0.count } == 0)
    }
}
