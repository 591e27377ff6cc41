import Crypto
import Vocabulary
import Wire

// IKE_AUTH after IKE_SESSION_RESUME, responder's side (RFC 5723 §4.3.3).

extension Engine {
    /// What the ticket's session may still do here, before anybody has proved anything.
    ///
    /// - Returns: the connection and the algorithms that it goes on with.
    func terms(of ticket: Ticket) -> Result<(Connection, IKESuite), RefusedTicket> {
        let contents = ticket.contents
        guard let connection = policy.connections.first(where: { $0.name == contents.connection }),
            connection.localIdentity == contents.localIdentity
        else { return .failure(RefusedTicket(.noConnection)) }
        guard connection.remoteIdentities.contains(where: { $0.matches(contents.identity) }) else {
            return .failure(RefusedTicket(.unknownIdentity))
        }
        let suite = connection.ikeSuites.first { $0.name == contents.suite }
        guard let suite, ticket.skD.bytes.count == suite.prf.length else {
            return .failure(RefusedTicket(.noProposalChosen))
        }
        return .success((connection, suite))
    }

    /// Whether the peer has the keys of the session that its ticket is about. Both identities must
    /// be the ticket's (§4.3.3), and the ticket must not have been used meanwhile.
    func authenticate(
        _ payloads: [AnyPayload], _ claimed: IdentificationPayload, by ticket: Ticket,
        of sa: IKESA, _ handshake: ResponderHandshake, at now: Instant
    ) -> Result<Login, AuthRejection> {
        let contents = ticket.contents
        var rejection = AuthRejection(
            reason: .unknownIdentity, method: contents.method, identity: Identity(claimed))
        guard Identity(claimed) == contents.identity,
            payloads.identificationResponder.map({ Identity($0) == contents.localIdentity })
                ?? true,
            case .success((let connection, _)) = terms(of: ticket)
        else { return .failure(rejection) }
        rejection.connection = connection.name
        guard let auth = payloads.authentication, auth.method == .sharedKey else {
            return .failure(rejection.because(.methodNotAllowed))
        }
        let ourID = IdentificationPayload(connection.localIdentity)
        do throws(CryptoError) {
            let theirs = try resumptionAuth(
                sa.suite.prf, message: handshake.request, nonce: handshake.responderNonce,
                key: sa.keys.initiatorAuth, identity: claimed.bytes)
            guard SecretBytes(copying: theirs).matches(auth.data) else {
                return .failure(rejection.because(.wrongCredential))
            }
            guard use(ticket, at: now) else { return .failure(rejection.because(.ticketRefused)) }
            let ours = try resumptionAuth(
                sa.suite.prf, message: handshake.response, nonce: handshake.initiatorNonce,
                key: sa.keys.responderAuth, identity: ourID.bytes)
            let proof: [AnyPayload] = [
                .identificationResponder(ourID),
                .authentication(AuthenticationPayload(method: .sharedKey, data: ours)),
            ]
            return .success(
                Login(
                    connection: connection, identity: contents.identity,
                    method: contents.method, proof: proof, ticket: ticket))
        } catch {
            return .failure(rejection.because(.wrongCredential))
        }
    }

    /// Two may have shown the ticket; the first that proves itself has it, unless
    /// ``giveBack(_:)`` follows.
    ///
    /// - Returns: false if it has been used, or is no good any more.
    private func use(_ ticket: Ticket, at now: Instant) -> Bool {
        let wall = wallMilliseconds(at: now)
        return policy.resumption?.vault.with { book in
            guard book.objection(to: ticket, at: wall) == nil else { return false }
            book.add(.used(ticket.serial), until: ticket.contents.expires, at: wall)
            return true
        } ?? false
    }

    /// The login was refused: only a ticket that an IKE SA came of is used (§4.3.1).
    /// Its session was not revoked before, or the ticket would have been refused.
    func giveBack(_ ticket: Ticket) {
        policy.resumption?.vault.with {
            $0.takeBack(.used(ticket.serial))
            $0.takeBack(.revoked(ticket.contents.session))
        }
    }

    /// The old session, if it is still here or at another shard, ends without a word to the peer,
    /// which has lost it (§4.3.4). That is no matter of policy: the new one is the same.
    ///
    /// - Returns: it.
    func endResumed(_ login: Login, at now: Instant, _ output: inout Output) -> SessionID? {
        guard let id = login.ticket?.contents.session else { return nil }
        if let old = sessions[id] {
            guard old.handle == nil, let sa = sas[old.ikeSPI] else { return nil }
            end(sa, .replaced, tellingPeer: false, at: now, &output)
            return id
        }
        guard let far = sessionsElsewhere(login).first(where: { $0.id == id }) else { return nil }
        directory?.end(far, of: login.userKey, .forgotten)
        return id
    }

    /// Gives a new session what the ticket remembers of the old one.
    func bring(back session: Session, by ticket: Ticket, at now: Instant) {
        session.resumes = ticket.contents.session
        session.formerAddresses = ticket.contents.addresses
        guard let end = ticket.contents.authenticationEnds else { return }
        let wall = wallMilliseconds(at: now)
        let left = Int64(clamping: end > wall ? end - wall : 0)
        let ticketsEnd = now + .nanoseconds(min(left, .max / 1_000_000) * 1_000_000)
        session.authenticationEnds = min(session.authenticationEnds ?? ticketsEnd, ticketsEnd)
    }
}
