import Crypto
package import Vocabulary
import Wire

// Tickets are handed out (RFC 5723 §4.1, §4.2) and void again.

extension Engine {
    /// What a peer hears that asks for a ticket of an IKE SA of a collision (RFC 7296 §2.8.2):
    /// whether that one stays is not known yet, and when it is the peer asks again.
    func postponeTicket(asked payloads: [AnyPayload], _ session: Session) -> [AnyPayload] {
        guard policy.resumption != nil, session.handle == nil, payloads.has(.ticketRequest) else {
            return []
        }
        return [.notify(NotifyPayload(.ticketAck))]
    }

    /// What a peer that asks for a ticket gets, on the IKE SA whose SK_d the ticket holds.
    func issueTicket(
        asked payloads: [AnyPayload], of sa: IKESA, _ session: Session?, at now: Instant
    ) -> (payloads: [AnyPayload], event: TicketIssued?) {
        guard let resumption = policy.resumption, let session, session.handle == nil,
            payloads.has(.ticketRequest)
        else { return ([], nil) }
        let refusal: ([AnyPayload], TicketIssued?) = ([.notify(NotifyPayload(.ticketNack))], nil)
        // No longer than the IKE SA, nor than the user's proof of itself (§6.2).
        let rekey = session.connection.rekey
        let seconds =
            [
                resumption.lifetime, sa.created + rekey.ike + rekey.grace - now,
                session.authenticationEnds.map { $0 - now },
            ].compactMap { $0 }.map { $0.nanoseconds / 1_000_000_000 }.min() ?? 0
        guard seconds > 0, let key = resumption.vault.with({ $0.keys.last }) else {
            return refusal
        }
        let issued = wallMilliseconds(at: now)
        let expires = issued + UInt64(seconds) * 1_000
        let contents = TicketContents(
            session: session.id, ikeSPI: sa.localSPI, connection: session.connection.name,
            identity: session.identity,
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
    /// silent does, and so does one that we left behind ourselves. A client keeps no ticket of an
    /// IKE SA that was deleted, by whomever (§6.2).
    func voidTickets(of session: Session, _ reason: SessionEnd, at now: Instant) {
        guard reason != .peerDead else { return }
        session.ticket?.isVoid = true
        if reason != .shutdown { void(.revoked(session.id), of: session, at: now) }
    }

    /// An IKE SA was replaced, and its tickets are void (§6.2).
    func voidTickets(ofReplaced sa: IKESA, _ session: Session, at now: Instant) {
        session.ticket?.isVoid = true
        session.ticket = nil
        void(.rekeyed(sa.localSPI), of: session, at: now)
    }

    private func void(_ mark: TicketBook.Mark, of session: Session, at now: Instant) {
        let (until, wall) = (session.ticketsUntil, wallMilliseconds(at: now))
        guard until > wall else { return }
        policy.resumption?.vault.with { $0.add(mark, until: until, at: wall) }
    }

    /// Whether the peer can come back by a ticket, and had better not be told that we stop.
    func leavesSilently(_ session: Session, at now: Instant) -> Bool {
        policy.resumption?.silentStop == true
            && session.ticketsUntil > wallMilliseconds(at: now)
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
/// half of what is in there (RFC 5723 §4.2). Its own name is in its policy.
package final class ResumptionTicket {
    let bytes: [UInt8]
    let skD: SharedSecret
    let suite: IKESuite
    /// The gateway must have the same name again (§4.3.3).
    let gatewayIdentity: Identity
    /// It must not be shown any more then (§4.3.1).
    package let expires: Instant
    /// Nor when it has brought its session back, or its IKE SA was deleted or rekeyed (§4.3.1,
    /// §6.2).
    package internal(set) var isVoid = false

    init(
        _ grant: TicketGrant, skD: consuming SecretBytes, suite: IKESuite,
        gatewayIdentity: Identity, at now: Instant
    ) {
        bytes = grant.ticket
        self.skD = SharedSecret(skD)
        self.suite = suite
        self.gatewayIdentity = gatewayIdentity
        expires = now + .seconds(Int64(grant.lifetime))
    }
}

extension Engine {
    /// The newest ticket of a session that this engine began.
    package func ticket(of handle: ConnectionHandle) -> ResumptionTicket? {
        session(of: handle)?.ticket
    }

    /// Whether a session that this engine began came back by a ticket.
    package func isResumed(_ handle: ConnectionHandle) -> Bool {
        session(of: handle)?.wasResumed ?? false
    }

    func ticketRequest(of session: Session?) -> [AnyPayload] {
        session?.connection.wantsTicket == true ? [.notify(NotifyPayload(.ticketRequest))] : []
    }

    /// Keeps the ticket of an answer, if there is one.
    func keepTicket(
        _ payloads: [AnyPayload], of sa: IKESA, _ session: Session?, at now: Instant
    ) {
        guard let session, session.connection.wantsTicket, let gateway = session.gatewayIdentity,
            let notify = payloads.notifies(.ticketLTOpaque).first,
            let grant = try? TicketGrant(parsing: notify.data), !grant.ticket.isEmpty
        else { return }
        session.ticket = ResumptionTicket(
            grant, skD: sa.keys.skD.duplicate(), suite: sa.suite, gatewayIdentity: gateway,
            at: now)
    }
}
