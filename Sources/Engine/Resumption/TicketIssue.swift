import Crypto
package import Vocabulary
import Wire

// Tickets are handed out (RFC 5723 §4.1, §4.2) and void again.

extension Engine {
    /// What a peer that asks for a ticket gets, on the IKE SA whose SK_d the ticket holds.
    /// TICKET_ACK is for gateways that need time to make one; ours never do.
    func issueTicket(
        asked payloads: [AnyPayload], of sa: IKESA, _ session: Session?, at now: Instant
    ) -> (payloads: [AnyPayload], event: TicketIssued?) {
        guard let resumption = policy.resumption, let session, session.handle == nil,
            payloads.has(.ticketRequest)
        else { return ([], nil) }
        let refusal: ([AnyPayload], TicketIssued?) = ([.notify(NotifyPayload(.ticketNack))], nil)
        // No longer than the user's proof of itself (§6.2).
        let seconds =
            [resumption.lifetime, session.authenticationEnds.map { $0 - now }]
            .compactMap { $0 }.map { $0.nanoseconds / 1_000_000_000 }.min() ?? 0
        guard seconds > 0, let key = resumption.vault.with({ $0.keys.last }) else {
            return refusal
        }
        let issued = wallMilliseconds(at: now)
        let expires = issued + UInt64(seconds) * 1_000
        let contents = TicketContents(
            session: session.id, connection: session.connection.name, identity: session.identity,
            localIdentity: session.connection.localIdentity, method: session.method,
            suite: sa.suite.name,
            addresses: session.lease?.addresses ?? [], issued: issued, expires: expires,
            authenticationEnds: session.authenticationEnds.map { wallMilliseconds(at: $0) })
        let serial = UInt128(random.uint64()) << 64 | UInt128(random.uint64())
        do throws(CryptoError) {
            let sealed = try TicketFormat.seal(
                contents, skD: sa.keys.skD, serial: serial, key: key)
            guard let sealed else { return refusal }
            session.ticketsUntil = max(session.ticketsUntil, expires)
            let grant = TicketGrant(lifetime: UInt32(clamping: seconds), ticket: sealed)
            return (
                [.notify(NotifyPayload(.ticketLTOpaque, data: grant.bytes))],
                TicketIssued(session: session.id, lifetimeSeconds: UInt64(seconds))
            )
        } catch {
            return refusal
        }
    }

    /// A session that was ended on purpose does not come back by a ticket; one whose peer fell
    /// silent, or that we left behind ourselves, does.
    func voidTickets(of session: Session, _ reason: SessionEnd, at now: Instant) {
        guard session.ticketsUntil > 0, reason != .peerDead, reason != .shutdown else { return }
        let until = session.ticketsUntil
        let wall = wallMilliseconds(at: now)
        policy.resumption?.vault.with { $0.add(.revoked(session.id), until: until, at: wall) }
    }

    /// The address that the session had before it was resumed, if nobody else has it now.
    func formerAddress(
        _ family: AddressFamily, of session: Session, pool: String
    ) -> IPAddress? {
        guard let address = session.formerAddresses.first(where: { $0.family == family }),
            pools[pool]?.lend(address, to: session.identity.canonicalBytes) == true
        else { return nil }
        return address
    }
}

// MARK: The client's side

/// What a client keeps to come back with: the gateway's ticket, which it can't read, and its own
/// half of what is in there.
package final class ResumptionTicket: Sendable {
    let bytes: [UInt8]
    let skD: SharedSecret
    let suite: IKESuite
    /// It must not be shown any more then (RFC 5723 §4.3).
    package let expires: Instant

    init(_ grant: TicketGrant, skD: consuming SecretBytes, suite: IKESuite, at now: Instant) {
        bytes = grant.ticket
        self.skD = SharedSecret(skD)
        self.suite = suite
        expires = now + .seconds(Int64(grant.lifetime))
    }
}

extension Engine {
    /// The newest ticket of a session that this engine began.
    package func ticket(of handle: ConnectionHandle) -> ResumptionTicket? {
        session(of: handle)?.ticket
    }

    func ticketRequest(of session: Session?) -> [AnyPayload] {
        session?.connection.wantsTicket == true ? [.notify(NotifyPayload(.ticketRequest))] : []
    }

    /// Keeps the ticket of an answer, if there is one.
    func keepTicket(
        _ payloads: [AnyPayload], of sa: IKESA, _ session: Session?, at now: Instant
    ) {
        guard let session, session.connection.wantsTicket,
            let notify = payloads.notifies(.ticketLTOpaque).first,
            let grant = try? TicketGrant(parsing: notify.data), !grant.ticket.isEmpty
        else { return }
        session.ticket = ResumptionTicket(
            grant, skD: sa.keys.skD.duplicate(), suite: sa.suite, at: now)
    }
}
