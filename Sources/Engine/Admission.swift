import Crypto
import ESP
import Vocabulary
import Wire

// From a proven user to a session, in two steps: what can fail is tried first, and only a login that
// is sure to succeed ends other sessions.

extension Engine {
    /// Gives a proven peer its session, address and Child SA.
    ///
    /// - Returns: the payloads that say so. Nothing is left behind on failure.
    func admit(
        _ login: Login, _ payloads: [AnyPayload], of sa: IKESA, _ handshake: ResponderHandshake,
        at now: Instant, _ output: inout Output
    ) throws(AuthRejection) -> [AnyPayload] {
        let rejection = AuthRejection(
            reason: .sessionLimit, method: login.method, identity: login.identity,
            connection: login.connection.name, notify: NotifyPayload(.noAdditionalSAs))
        try refuseWhileDraining(sa, rejection)
        var room = Room(endForgotten(by: login, payloads, at: now, &output))
        try find(&room, for: login, payloads, on: sa, rejection)
        guard !isForbiddenNAT(payloads, on: sa.path) else {
            throw rejection.because(.unexpectedNAT, .unexpectedNATDetected)
        }
        // ESP straight over IP is nothing that we have.
        guard sa.path.encapsulated || !policy.forcesEncapsulation else {
            throw rejection.because(.noProposalChosen, .noProposalChosen)
        }
        let session = newSession(of: login, on: sa, at: now)
        let offer: LeaseOffer?
        do throws(LeaseRefusal) {
            offer = try offerLease(
                to: session, login.connection, asking: payloads.configuration,
                isChildless: payloads.asksForNoChild, &room, &output)
        } catch {
            throw rejection.because(error.reason, error.notify)
        }
        session.limitSelectors(to: offer?.addresses, login.connection)
        var answer = offer?.payloads ?? []
        do throws(ChildRefusal) {
            if !payloads.asksForNoChild {
                answer += try answerFirstChild(payloads, of: sa, session, handshake, at: now)
            }
        } catch {
            takeBack(offer)
            throw rejection.because(
                error.notify.kind == .tsUnacceptable ? .tsUnacceptable : .noProposalChosen,
                error.notify.kind)
        }
        // The last thing that can fail. Whoever of two logins at two shards comes second here sees
        // the first, and decides anew.
        while !enter(session, from: sa.path.remote.address, knowing: room.elsewhere) {
            do throws(AuthRejection) {
                try find(&room, for: login, payloads, on: sa, rejection)
            } catch {
                withdrawChildren(of: session)
                takeBack(offer)
                throw error
            }
        }
        for victim in room.evicted { evict(victim, at: now, &output) }
        session.lease = offer.map { take($0, for: session) }
        session.replaces = room.newest
        if let end = session.authenticationEnds { answer.append(.authLifetime(end - now)) }
        establish(sa, session, at: now)
        makeRoom(for: session, room, at: now, &output)
        return answer + negotiateMobike(payloads, of: sa, session)
    }

    private func refuseWhileDraining(
        _ sa: IKESA, _ rejection: AuthRejection
    ) throws(AuthRejection) {
        guard draining != nil else { return }
        guard sa.extensions.redirection, let target = draining?.nextTarget() else {
            throw rejection.because(.draining, .noAdditionalSAs)
        }
        var redirection = rejection.because(.redirected)
        redirection.notify = target.redirect()
        throw redirection
    }

    private func newSession(of login: Login, on sa: IKESA, at now: Instant) -> Session {
        let connection = login.connection
        let session = Session(
            id: newSessionID(at: now),
            connection: SessionTerms(
                name: connection.name, localIdentity: connection.localIdentity,
                ikeSuites: connection.ikeSuites, espSuites: connection.espSuites,
                rekey: connection.rekey, livenessInterval: connection.livenessInterval,
                network: connection.network),
            identity: login.identity, established: now, ikeSuiteName: sa.suite.name,
            ikeSPI: sa.localSPI)
        session.needsAddress = connection.pool != nil
        session.method = login.method
        session.authenticationEnds = connection.authLifetime.map { now + $0 }
        session.followsRedirects = sa.extensions.redirection
        if let ticket = login.ticket { bring(back: session, by: ticket, at: now) }
        return session
    }

    private func answerFirstChild(
        _ payloads: [AnyPayload], of sa: IKESA, _ session: Session,
        _ handshake: ResponderHandshake, at now: Instant
    ) throws(ChildRefusal) -> [AnyPayload] {
        let agreement = try chooseChild(payloads, session, withGroup: false)
        return try answerChild(
            agreement, payloads, nonces: handshake.initiatorNonce + handshake.responderNonce,
            local: session.local, remote: session.remote, of: sa, session, exchange: nil,
            outbound: true, at: now
        ).payloads
    }

    /// Takes away Child SAs that nobody was told of.
    private func withdrawChildren(of session: Session) {
        for child in session.children {
            _ = dataplane.remove(child.id)
            inboundSPIs.remove(child.inboundSPI)
            sessionOfChild[child.id] = nil
        }
        session.children = []
    }
}

extension Session {
    /// What may pass, by its addresses and its connection.
    fileprivate func limitSelectors(to addresses: [IPAddress]?, _ connection: Connection) {
        remote = addresses.map { $0.map { Selector(host: $0) } }
        // A network is of use only to a peer with an address of its family.
        local = connection.localSelectors.filter { selector in
            addresses?.contains { $0.isIPv4 == selector.first.isIPv4 } ?? true
        }
    }
}

extension AnyPayload {
    /// AUTH_LIFETIME (RFC 4478).
    fileprivate static func authLifetime(_ left: Duration) -> AnyPayload {
        var seconds: [UInt8] = []
        seconds.put(UInt32(clamping: left.nanoseconds / 1_000_000_000))
        return .notify(NotifyPayload(.authLifetime, data: seconds))
    }
}

extension [AnyPayload] {
    /// An IKE SA without a Child SA (RFC 6023).
    var asksForNoChild: Bool {
        securityAssociation == nil && trafficSelectorsInitiator == nil
            && trafficSelectorsResponder == nil
    }
}
