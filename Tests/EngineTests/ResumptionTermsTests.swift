import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("What a ticket is good for")
struct ResumptionTermsTests {
    private typealias Base = ResumptionTests

    @Test("ends when its connection, its user or its algorithms are not taken any more")
    func terms() throws {
        let changes: [(TicketRefusal, (inout EnginePolicy) -> Void)] = [
            (.noConnection, { $0.connections[0].name = "other" }),
            (.noConnection, { $0.connections[0].localIdentity = Identity("gw2.lab") }),
            (.unknownIdentity, { $0.connections[0].remoteIdentities = [.suffix("@elsewhere")] }),
            (
                .noProposalChosen,
                {
                    $0.connections[0].ikeSuites = [
                        IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256)
                    ]
                }
            ),
        ]
        for (reason, change) in changes {
            let (pair, ticket, _) = try Base.loggedIn()
            var policy = try Base.policy()
            change(&policy)
            pair.restartGateway(policy)
            _ = try #require(pair.resume(ticket, Base.client()))
            pair.drive()
            #expect(Base.refusals(pair) == [reason])
            #expect(pair.events(SessionEstablished.self).allSatisfy { $0.resumes.clear == nil })
        }
    }

    @Test("is not the user's proof of itself: that is as old as it was")
    func authLifetime() throws {
        var policy = try Base.policy()
        policy.connections[0].authLifetime = .seconds(600)
        policy.connections[0].livenessInterval = .zero
        let (pair, ticket, _) = try Base.loggedIn(policy)
        #expect(pair.events(TicketIssued.self).map(\.lifetimeSeconds.clear) == [600])
        pair.drive(for: .seconds(400))
        var again = try Base.policy()
        again.connections[0].authLifetime = .seconds(600)
        again.connections[0].livenessInterval = .zero
        pair.restartGateway(again)
        _ = try #require(pair.resume(ticket, Base.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).count == 2)
        let second = try #require(pair.events(TicketIssued.self).last?.lifetimeSeconds.clear)
        #expect((195...200).contains(second))
        pair.drive(for: .seconds(190))
        #expect(pair.tick.sessions == 1)
        pair.drive(for: .seconds(20))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.authLifetimeOver])
    }

    @Test("comes anew with each IKE SA, whoever replaces it", arguments: [true, false])
    func rekey(byGateway: Bool) throws {
        let pair = Pair(try Base.policy())
        let handle = try #require(pair.connect(Base.client()))
        pair.drive()
        let session = try #require(pair.session)
        let start = pair.trace.count
        if byGateway {
            pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        } else {
            pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        }
        pair.drive()
        let asked =
            byGateway
            ? "--> INFORMATIONAL request 0 { N(TICKET_REQUEST) }"
            : "--> CREATE_CHILD_SA request 2 { SA, N, KE, N(TICKET_REQUEST) }"
        #expect(pair.trace[start...].contains(asked))
        #expect(pair.events(TicketIssued.self).count == 2)
        let ticket = try #require(pair.client.ticket(of: handle))
        pair.restartGateway(try Base.policy())
        _ = try #require(pair.resume(ticket, Base.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear == session)
    }

    @Test("goes with its IKE SA: whose successor has another", arguments: [true, false])
    func superseded(byGateway: Bool) throws {
        let pair = Pair(try Base.policy())
        let handle = try #require(pair.connect(Base.client()))
        pair.drive()
        let session = try #require(pair.session)
        let old = try #require(pair.client.ticket(of: handle))
        if byGateway {
            pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
        } else {
            pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        }
        pair.drive()
        #expect(old.isVoid)
        let new = try #require(pair.client.ticket(of: handle))
        let thief = ClientPolicy.of("alice@lab", secret: "not the secret")
        _ = try #require(pair.resume(Base.copy(of: old, at: pair.now), thief))
        pair.drive()
        #expect(Base.refusals(pair) == [.rekeyed])
        _ = try #require(pair.resume(new, Base.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear == session)
    }

    @Test("ends with the IKE SA at the latest, whatever lifetime was wished for")
    func lifetime() throws {
        var policy = try Base.policy()
        policy.connections[0].rekey = RekeyPolicy(
            ike: .seconds(900), child: .seconds(900), jitter: 0, grace: .seconds(60))
        let pair = Pair(policy)
        _ = try #require(pair.connect(Base.client()))
        pair.drive()
        let seconds = try #require(pair.events(TicketIssued.self).first?.lifetimeSeconds.clear)
        #expect((955...960).contains(seconds))
    }

    @Test("says nothing of NATs, fragments or redirects: those are told anew")
    func newExchange() throws {
        var client = Base.client()
        client.followsRedirects = true
        let pair = Pair(try Base.policy())
        let handle = try #require(pair.connect(client))
        pair.drive()
        let ticket = try #require(pair.client.ticket(of: handle))
        pair.restartGateway(try Base.policy())
        client.followsRedirects = false
        client.pretendsNAT = true
        _ = try #require(pair.resume(ticket, client))
        pair.drive()
        let established = try #require(pair.events(SessionEstablished.self).last)
        #expect(established.resumes.clear != nil)
        #expect(established.nat.clear != .none)
        pair.actAtGateway {
            $0.drain(DrainOrder(deadline: .seconds(9), targets: [.name("b.lab")]), at: $1, &$2)
        }
        pair.drive()
        #expect(pair.redirections.isEmpty && pair.tick.sessions == 1)
    }

    @Test("brings nobody into a gateway that drains: TICKET_NACK, and the login is sent on")
    func draining() throws {
        var client = Base.client()
        client.followsRedirects = true
        let (pair, ticket, _) = try Base.loggedIn()
        pair.restartGateway(try Base.policy())
        pair.actAtGateway {
            $0.drain(DrainOrder(deadline: .seconds(9), targets: [.name("b.lab")]), at: $1, &$2)
        }
        let start = pair.trace.count
        _ = try #require(pair.resume(ticket, client))
        pair.drive()
        #expect(Base.refusals(pair) == [.draining])
        #expect(pair.trace[start + 1] == "<-- IKE_SESSION_RESUME response 0 { N(TICKET_NACK) }")
        #expect(pair.trace[start + 2].hasPrefix("--> IKE_SA_INIT request 0"))
        #expect(pair.trace[start + 3] == "<-- IKE_SA_INIT response 0 { N(REDIRECT) }")
        #expect(pair.redirections == [.name("b.lab")] && pair.failures == [.redirected])
        #expect(pair.tick.sessions == 0 && pair.gateway.isIdle)
        // It was not used up by that.
        pair.actAtGateway {
            #expect($0.cancelDrain(&$2)); _ = $1
        }
        _ = try #require(pair.resume(ticket, client))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
    }

    @Test("outlives a stop that was to be silent; who has none is told", arguments: [true, false])
    func silentStop(_ silent: Bool) throws {
        var policy = try Base.policy()
        policy.resumption?.silentStop = silent
        let (pair, ticket, session) = try Base.loggedIn(policy)
        _ = try #require(pair.connect(.of("bob@lab")))
        pair.drive()
        pair.actAtGateway { $0.shutDown(at: $1, &$2) }
        pair.drive(for: .milliseconds(20))
        #expect(pair.ends == (silent ? [.deletedByPeer] : [.deletedByPeer, .deletedByPeer]))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.shutdown, .shutdown])
        #expect(ticket.isVoid != silent)
        pair.restartGateway(try Base.policy())
        _ = try #require(pair.resume(ticket, Base.client()))
        pair.drive()
        let resumed = try #require(pair.events(SessionEstablished.self).last).resumes.clear
        #expect(resumed == (silent ? session : nil))
    }

    @Test("is not used up by a login that came to nothing (§4.3.1)")
    func refusedLogin() throws {
        let (pair, ticket, session) = try Base.loggedIn()
        pair.restartGateway(try Base.policy())
        var client = Base.client()
        client.remoteSelectors = [Selector(prefix: .v4(0xc612_0000), length: 24)]
        _ = try #require(pair.resume(ticket, client))
        pair.drive()
        #expect(pair.failureReasons == [.tsUnacceptable])
        #expect(!ticket.isVoid && pair.tick.sessions == 0)
        _ = try #require(pair.resume(ticket, Base.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear == session)
    }

    @Test("is nothing to who does not ask, or whose gateway has no keys")
    func unasked() throws {
        let pair = Pair(try Base.policy())
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.events(TicketIssued.self).isEmpty)
        #expect(!pair.trace.contains { $0.contains("TICKET") })
        let without = Pair()
        _ = try #require(without.connect(Base.client()))
        without.drive()
        #expect(without.trace.last?.contains("TICKET") == false)
        let keyless = Pair(try Base.policy([]))
        _ = try #require(keyless.connect(Base.client()))
        keyless.drive()
        #expect(keyless.trace.last?.hasSuffix("N(TICKET_NACK) }") == true)
    }

    @Test("is a login's way too, where the gateway says nothing to it")
    func unsupported() throws {
        let (pair, ticket, _) = try Base.loggedIn()
        pair.restartGateway(.example)
        _ = try #require(pair.resume(ticket, Base.client()))
        pair.drive(for: .seconds(30))
        #expect(pair.events(SessionEstablished.self).count == 2)
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear == nil)
    }

    @Test("needs a cookie under attack, like a login")
    func cookie() throws {
        let (pair, ticket, _) = try Base.loggedIn()
        var policy = try Base.policy()
        policy.defence.cookiesFrom = 0
        pair.restartGateway(policy)
        let start = pair.trace.count
        _ = try #require(pair.resume(ticket, Base.client()))
        pair.drive()
        #expect(pair.trace[start + 1] == "<-- IKE_SESSION_RESUME response 0 { N(COOKIE) }")
        #expect(
            pair.trace[start + 2].hasPrefix(
                "--> IKE_SESSION_RESUME request 0 { N(COOKIE), N, N(TICKET_OPAQUE)"))
        #expect(pair.events(CookieChallenged.self).count == 1)
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
    }

    @Test("is limited like logins are")
    func limits() throws {
        let (pair, ticket, _) = try Base.loggedIn()
        for (limit, reason) in [
            (\EnginePolicy.halfOpenLimit, TicketRefusal.halfOpenLimit),
            (\EnginePolicy.defence.halfOpenPerSource, .halfOpenSourceLimit),
        ] as [(WritableKeyPath<EnginePolicy, Int>, TicketRefusal)] {
            var policy = try Base.policy()
            policy[keyPath: limit] = 0
            pair.restartGateway(policy)
            _ = try #require(pair.resume(ticket, Base.client()))
            pair.drive(for: .milliseconds(20))
            #expect(Base.refusals(pair).last == reason)
            #expect(pair.gateway.isIdle)
        }
    }

    @Test(
        "is the same whatever one message of it suffers", arguments: 0..<4,
        ["lost", "doubled", "late"])
    func mishaps(_ index: Int, _ mishap: String) throws {
        let (pair, ticket, _) = try Base.loggedIn()
        pair.restartGateway(try Base.policy())
        let number = pair.network.count + index
        switch mishap {
        case "lost": pair.network.lost = [number]
        case "doubled": pair.network.doubled = [number]
        default: pair.network.late = [number]
        }
        _ = try #require(pair.resume(ticket, Base.client()))
        pair.drive(for: .seconds(20))
        #expect(pair.events(SessionEstablished.self).count == 2)
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
        #expect(pair.tick.sessions == 1 && pair.tick.halfOpen == 0)
        #expect(Base.refusals(pair).isEmpty && pair.failureReasons.isEmpty)
    }
}
