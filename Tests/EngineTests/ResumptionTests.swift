import Crypto
import ESP
import TestKit
import Testing
import Vocabulary
import Wire

@testable import Engine

@Suite("A session that comes back by a ticket")
struct ResumptionTests {
    /// A gateway with a vault of its own, as after a restart.
    static func policy(_ keys: [UInt8] = [1]) throws -> EnginePolicy {
        var policy = EnginePolicy.example
        policy.resumption = ResumptionPolicy(vault: try TestVault(keys))
        return policy
    }

    static func client(_ user: String = "alice@lab") -> ClientPolicy {
        var policy = ClientPolicy.of(user)
        policy.wantsTicket = true
        return policy
    }

    /// A user is logged in and has a ticket.
    static func loggedIn(
        _ policy: EnginePolicy? = nil, as user: String = "alice@lab"
    ) throws -> (Pair, ResumptionTicket, SessionID) {
        let pair = Pair(try policy ?? Self.policy())
        let (ticket, session) = try logIn(pair, as: user)
        return (pair, ticket, session)
    }

    static func logIn(
        _ pair: Pair, as user: String = "alice@lab"
    ) throws -> (ResumptionTicket, SessionID) {
        let handle = try #require(pair.connect(client(user)))
        pair.drive()
        let session = try #require(pair.events(SessionEstablished.self).last?.session.clear)
        return (try #require(pair.client.ticket(of: handle)), session)
    }

    /// The same ticket in the hands of a client that knows no rules, or of a thief with its secret.
    static func copy(
        of ticket: ResumptionTicket, bytes: [UInt8]? = nil, skD: SharedSecret? = nil,
        gateway: Identity? = nil, at now: Instant
    ) -> ResumptionTicket {
        ResumptionTicket(
            TicketGrant(lifetime: 1_000, ticket: bytes ?? ticket.bytes),
            skD: (skD ?? ticket.skD).bytes.duplicate(), suite: ticket.suite,
            gatewayIdentity: gateway ?? ticket.gatewayIdentity, at: now)
    }

    static func refusals(_ pair: Pair) -> [TicketRefusal] {
        pair.events(TicketRefused.self).map(\.reason.clear)
    }

    @Test("needs one round trip before IKE_AUTH and no Diffie-Hellman, after a restart too")
    func restart() throws {
        let (pair, _, _) = try Self.loggedIn()
        // Bob's address is not the one that a new pool would lend first.
        let (ticket, before) = try Self.logIn(pair, as: "bob@lab")
        pair.restartGateway(try Self.policy())
        let start = pair.trace.count
        let handle = try #require(pair.resume(ticket, Self.client("bob@lab")))
        pair.drive()
        #expect(
            pair.trace[start...] == [
                "--> IKE_SESSION_RESUME request 0 { N, N(TICKET_OPAQUE), "
                    + "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP) }",
                "<-- IKE_SESSION_RESUME response 0 { N, N(NAT_DETECTION_SOURCE_IP), "
                    + "N(NAT_DETECTION_DESTINATION_IP) }",
                "--> IKE_AUTH request 1 { IDi, N(INITIAL_CONTACT), IDr, AUTH, CP(REQUEST), SA, "
                    + "TSi, TSr, N(TICKET_REQUEST) }",
                "<-- IKE_AUTH response 1 { IDr, AUTH, CP(REPLY), SA, TSi, TSr, "
                    + "N(TICKET_LT_OPAQUE) }",
            ])
        let established = try #require(pair.events(SessionEstablished.self).last)
        #expect(established.resumes.clear == before)
        #expect(established.method.clear == .psk)
        #expect(pair.events(IKESessionResumeReceived.self).count == 1)
        #expect(pair.events(TicketIssued.self).count == 3)
        // The address is the one that it had, and packets flow both ways.
        #expect(pair.virtualAddresses.map { $0.bytes.last } == [1, 2, 2])
        let address = try #require(pair.virtualAddresses.last)
        _ = pair.sendFromGateway(.lan, to: address)
        pair.drive()
        #expect(pair.gatewayPlane.total.packetsOut == 1)
        #expect(pair.delivered.packetsOut == 1)
        // The new ticket is as good as the old one was.
        let next = try #require(pair.client.ticket(of: handle))
        pair.restartGateway(try Self.policy())
        _ = try #require(pair.resume(next, Self.client("bob@lab")))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
    }

    @Test("is one to a peer that computes keys and AUTH by itself (RFC 5723 §4.3.3, §5.1)")
    func independently() throws {
        let pair = Pair(try Self.policy())
        let before = RawClient(pair)
        #expect(try before.initiate())
        let request = AnyPayload.notify(NotifyPayload(.ticketRequest))
        let answer = try before.ask(before.authPayloads() + [request], as: .ikeAuth)
        let grant = try #require(answer?.notifies(.ticketLTOpaque).first).data
        let ticket = Array(grant.dropFirst(4))
        pair.restartGateway(try Self.policy())
        let after = RawClient(pair, seed: 2)
        #expect(try after.resume(ticket, of: before))
        let back = try #require(try after.ask(after.resumedAuthPayloads(), as: .ikeAuth))
        #expect(back.authentication != nil && back.securityAssociation != nil)
        let established = pair.events(SessionEstablished.self)
        #expect(established.map(\.resumes.clear) == [nil, established.first?.session.clear])
    }

    @Test("ends the old one without a word, if the gateway still has it")
    func stillThere() throws {
        let (pair, ticket, before) = try Self.loggedIn()
        let address = try #require(pair.virtualAddress)
        let start = pair.trace.count
        _ = try #require(pair.resume(ticket, Self.client()))
        pair.drive()
        #expect(!pair.trace[start...].contains { $0.contains("D(IKE)") })
        let closed = try #require(pair.events(SessionClosed.self).first)
        #expect(closed.session.clear == before)
        #expect(closed.reason.clear == .replaced)
        #expect(pair.tick.sessions == 1)
        #expect(pair.tick.pools[0].used == 1)
        #expect(pair.virtualAddresses.last == address)
    }

    @Test("can do so once with one ticket; then it logs in")
    func once() throws {
        let (pair, ticket, _) = try Self.loggedIn()
        _ = try #require(pair.resume(ticket, Self.client()))
        pair.drive()
        // Our client would not show it.
        #expect(ticket.isVoid)
        let start = pair.trace.count
        _ = try #require(pair.resume(Self.copy(of: ticket, at: pair.now), Self.client()))
        pair.drive()
        #expect(Self.refusals(pair) == [.used])
        #expect(pair.trace[start + 1] == "<-- IKE_SESSION_RESUME response 0 { N(TICKET_NACK) }")
        #expect(pair.trace[start + 2].hasPrefix("--> IKE_SA_INIT request 0"))
        #expect(
            pair.events(SessionEstablished.self).map { $0.resumes.clear != nil } == [
                false, true, false,
            ])
    }

    @Test("if two show its ticket, is the first one's that proves itself")
    func race() throws {
        let (pair, ticket, _) = try Self.loggedIn()
        pair.restartGateway(try Self.policy())
        _ = try #require(pair.resume(ticket, Self.client()))
        _ = try #require(pair.resume(ticket, Self.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).count == 2)
        #expect(pair.failureReasons == [.ticketRefused])
        #expect(pair.tick.sessions == 1)
    }

    @Test(
        "is refused with a forged ticket, and nothing is held for it", arguments: [0, 5, 40, 150])
    func forged(_ index: Int) throws {
        let (pair, ticket, _) = try Self.loggedIn()
        var bytes = ticket.bytes
        bytes[index] ^= 0x40
        pair.restartGateway(try Self.policy())
        let forged = Self.copy(of: ticket, bytes: bytes, at: pair.now)
        _ = try #require(pair.resume(forged, Self.client()))
        pair.drive(for: .milliseconds(12))
        #expect(
            Self.refusals(pair) == [index == 0 ? .malformed : index < 9 ? .unknownKey : .forged])
        #expect(pair.gateway.isIdle)
    }

    @Test("is nobody's who has the ticket and not its secret")
    func thief() throws {
        let (pair, ticket, _) = try Self.loggedIn()
        pair.restartGateway(try Self.policy())
        let stolen = Self.copy(
            of: ticket, skD: .of("seven times seven are forty-nine"), at: pair.now)
        _ = try #require(pair.resume(stolen, Self.client("mallory@lab"), from: .v4(0xcb00_7101)))
        pair.drive(for: .seconds(200))
        #expect(pair.tick.sessions == 0)
        #expect(pair.events(MessageDropped.self).map(\.reason.clear).contains(.integrity))
        // The ticket is still its owner's.
        _ = try #require(pair.resume(ticket, Self.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
    }

    @Test("is its user's only, under both names that the ticket has", arguments: [true, false])
    func names(_ other: Bool) throws {
        let (pair, ticket, _) = try Self.loggedIn()
        pair.restartGateway(try Self.policy())
        var client = Self.client(other ? "bob@lab" : "alice@lab")
        if !other { client.remoteIdentity = Identity("other.lab") }
        _ = try #require(pair.resume(ticket, client))
        pair.drive()
        #expect(pair.failureReasons == [.unknownIdentity])
        #expect(pair.tick.sessions == 0)
    }

    @Test("is no other gateway's, though that has the keys and another name")
    func otherGateway() throws {
        let (pair, ticket, _) = try Self.loggedIn()
        pair.restartGateway(try Self.policy())
        var client = Self.client()
        client.remoteIdentity = nil
        let other = Self.copy(of: ticket, gateway: Identity("other.lab"), at: pair.now)
        _ = try #require(pair.resume(other, client))
        pair.drive()
        #expect(pair.failures == [.wrongCredential])
        let again = Self.copy(of: ticket, at: pair.now)
        pair.restartGateway(try Self.policy())
        _ = try #require(pair.resume(again, client))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
    }

    @Test("does not after its ticket has expired, whatever the client says")
    func expired() throws {
        var policy = try Self.policy()
        policy.resumption?.lifetime = .seconds(60)
        policy.connections[0].livenessInterval = .zero
        let (pair, ticket, _) = try Self.loggedIn(policy)
        pair.drive(for: .seconds(61))
        // Our client would not show it.
        let start = pair.trace.count
        _ = try #require(pair.resume(ticket, Self.client()))
        #expect(pair.trace[start].hasPrefix("--> IKE_SA_INIT"))
        _ = try #require(pair.resume(Self.copy(of: ticket, at: pair.now), Self.client()))
        pair.drive()
        #expect(Self.refusals(pair) == [.expired])
    }

    @Test("does under a key that was followed by another, not under one that is gone")
    func rotation() throws {
        let (pair, ticket, _) = try Self.loggedIn()
        pair.restartGateway(try Self.policy([1, 2]))
        let handle = try #require(pair.resume(ticket, Self.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
        let next = try #require(pair.client.ticket(of: handle))
        // Rotated twice: the first key is gone, the second is the old one now.
        pair.restartGateway(try Self.policy([2, 3]))
        _ = try #require(pair.resume(Self.copy(of: ticket, at: pair.now), Self.client()))
        pair.drive()
        #expect(Self.refusals(pair) == [.unknownKey])
        _ = try #require(pair.resume(next, Self.client()))
        pair.drive()
        #expect(pair.events(SessionEstablished.self).last?.resumes.clear != nil)
    }

    @Test("does after silence, not after its user or its gateway ended it", arguments: 0..<4)
    func revoked(_ how: Int) throws {
        let (pair, ticket, session) = try Self.loggedIn()
        let handle = try #require(
            pair.notices.compactMap {
                if case .connected(let handle, _, _) = $0 { handle } else { nil }
            }.first)
        switch how {
        case 0: pair.act { $0.disconnect(handle, at: $1, &$2) }
        case 1: pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        case 2: pair.actAtGateway { $0.shutDown(at: $1, &$2) }
        default: pair.network.isCut = true
        }
        pair.drive(for: .seconds(200))
        pair.network.isCut = false
        #expect(pair.tick.sessions == 0)
        // A client forgets the ticket of an IKE SA that was deleted, by whomever.
        #expect(ticket.isVoid == (how < 3))
        let start = pair.trace.count
        _ = try #require(pair.resume(ticket, Self.client()))
        #expect(
            pair.trace[start].hasPrefix(how < 3 ? "--> IKE_SA_INIT" : "--> IKE_SESSION_RESUME"))
        pair.drive()
        guard how < 3 else {
            #expect(pair.events(SessionEstablished.self).last?.resumes.clear == session)
            return
        }
        _ = try #require(pair.resume(Self.copy(of: ticket, at: pair.now), Self.client()))
        pair.drive()
        #expect(Self.refusals(pair) == (how < 2 ? [.revoked] : []))
        #expect((pair.events(SessionEstablished.self).last?.resumes.clear != nil) == (how >= 2))
    }
}
