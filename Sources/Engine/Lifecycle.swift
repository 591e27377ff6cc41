import ESP
import Vocabulary
import Wire

// How IKE SAs and sessions begin and end.

extension Engine {
    /// The peer has proved itself: from half-open to established.
    func establish(_ sa: IKESA, _ session: Session, at now: Instant) {
        halfOpen.remove(sa.localSPI)
        sa.phase = .established
        sa.session = session
        session.path = sa.path
        sessions[session.id] = session
        sessionCounts[session.connection.name, default: 0] += 1
        namesakes[session.userKey, default: []].append(session.id)
        queueForEviction(session)
        startTimers(of: sa, session, at: now)
    }

    /// The timers of an established IKE SA: at the login, and after a rekey of its own.
    func startTimers(of sa: IKESA, _ session: Session, at now: Instant) {
        let rekey = session.connection.rekey
        sa.timers[.halfOpen] = nil
        sa.timers[.rekeyIKE] = rekeyMoment(rekey.ike, jitter: rekey.jitter, at: now)
        let interval = session.connection.livenessInterval
        sa.timers[.liveness] = interval > .zero ? now + interval : nil
        scheduleLifetime(of: sa)
        scheduleKeepalive(of: sa, at: now)
        scheduleChildren(of: sa)
    }

    /// The first thing that ends the IKE SA or its session for sure.
    func scheduleLifetime(of sa: IKESA) {
        guard let session = sa.session else { return }
        let rekey = session.connection.rekey
        sa.timers[.lifetime] = [
            sa.created + rekey.ike + rekey.grace, session.authenticationEnds,
            session.replacedUntil,
        ].compactMap(\.self).min()
        schedule(sa)
    }

    func endLifetime(of sa: IKESA, at now: Instant, _ output: inout Output) {
        guard let session = sa.session else { return }
        let due = { (moment: Instant?) in moment.map { $0 <= now } ?? false }
        let reason: SessionEnd =
            due(session.replacedUntil)
            ? .replaced : due(session.authenticationEnds) ? .authLifetimeOver : .lifetimeOver
        end(sa, reason, tellingPeer: true, at: now, &output)
    }

    /// Ends an IKE SA and its session, whatever state it is in.
    ///
    /// - Parameter tellingPeer: send a Delete first (RFC 7296 §1.4.1). Its answer is not waited
    ///   for longer than the linger time.
    func end(
        _ sa: IKESA, _ reason: SessionEnd, tellingPeer: Bool, at now: Instant,
        _ output: inout Output
    ) {
        if case .awaitingAuthResponse(let handshake) = sa.phase {
            output.notices.append(.failed(handshake.handle, .timeout))
        }
        // The peer may have made up its mind for either IKE SA of a collision.
        if tellingPeer, let rival = rival(of: sa) { dismiss(rival, at: now, &output) }
        close(sa, reason, at: now, &output)
        guard tellingPeer else { return forget(sa) }
        if sa.pending?.job == .rekeyIKE { return endOnceRekeyed(sa, at: now) }
        // The peer takes requests in order: one that it may not have heard goes ahead, again.
        let unanswered = sa.pending?.datagrams ?? []
        abandonRequest(of: sa)
        transmit(unanswered, on: sa.path, &output)
        send(
            [.delete(.ikeSA)], as: .informational, .deleteIKE, of: sa, at: now, &output)
        sa.pending?.datagrams.insert(contentsOf: unanswered, at: 0)
        linger(sa, .refused, for: policy.timing.linger, at: now)
        sa.timers[.retransmit] = now + policy.timing.retransmit
        schedule(sa)
    }

    /// The peer has moved its session to another IKE SA as soon as it has answered our rekey, and
    /// would take a Delete of this one for the end of that: both are deleted when it has answered
    /// (RFC 7296 §2.25.2).
    private func endOnceRekeyed(_ sa: IKESA, at now: Instant) {
        let retransmission = sa.timers[.retransmit]
        linger(sa, .refused, for: policy.timing.linger, at: now)
        sa.jobs = [.deleteIKE]
        sa.timers[.retransmit] = retransmission
        schedule(sa)
    }

    /// Deletes an IKE SA that has no session.
    func dismiss(_ sa: IKESA, at now: Instant, _ output: inout Output) {
        sas[sa.localSPI] = sa
        linger(sa, .superseded, for: policy.timing.superseded, at: now)
        request(.deleteIKE, of: sa, at: now, &output)
    }

    /// Closes the session of an IKE SA: its Child SAs, its lease, its records. The SA stays.
    ///
    /// - Parameter reason: what began it; of a session that was replaced, that counts.
    func close(_ sa: IKESA, _ reason: SessionEnd, at now: Instant, _ output: inout Output) {
        guard let session = sa.session, sessions[session.id] === session else { return }
        let reason = session.replacedUntil == nil ? reason : .replaced
        if let rival = rival(of: sa) { forget(rival) }
        for child in session.children {
            remove(child, of: session, child.end ?? .sessionClosed, &output)
        }
        release(session, &output)
        voidTickets(of: session, reason, at: now)
        output.events.append(
            IKESAClosed(
                session: session.id, reason: .sessionClosed, spi: IKESPI(sa.localSPI),
                ageMilliseconds: (now - sa.created).milliseconds))
        output.events.append(
            SessionClosed(
                session: session.id, reason: reason,
                durationMilliseconds: (now - session.established).milliseconds,
                total: session.closedTraffic))
        if let handle = session.handle { output.notices.append(.closed(handle, reason)) }
        sessions[session.id] = nil
        if let count = sessionCounts[session.connection.name] {
            sessionCounts[session.connection.name] = count > 1 ? count - 1 : nil
        }
        if session.replacedUntil != nil, let count = replacedCounts[session.connection.name] {
            replacedCounts[session.connection.name] = count > 1 ? count - 1 : nil
        }
        let user = session.userKey
        namesakes[user]?.removeAll { $0 == session.id }
        if namesakes[user]?.isEmpty == true { namesakes[user] = nil }
        leave(session)
        sa.session = nil
        finishDrain(&output)
    }

    private func release(_ session: Session, _ output: inout Output) {
        guard let lease = session.lease else { return }
        for address in lease.addresses where !sharesAddress(session, address) {
            pools[lease.pool]?.giveBack(address)
        }
        session.lease = nil
        guard pools[lease.pool] != nil else { return }
        for _ in lease.addresses {
            output.events.append(LeaseReleased(session: session.id, pool: lease.pool))
        }
    }

    /// Keeps an SA that is over for a while, so that its last answer can be given again.
    func linger(_ sa: IKESA, _ phase: IKESA.Phase, for span: Duration, at now: Instant) {
        // What the peer says meanwhile does not make it longer.
        if case .refused = sa.phase { return }
        if case .refused = phase, !sa.isHalfOpen, lingering - lingeringStrangers >= lingeringLimit {
            return forget(sa)
        }
        halfOpen.remove(sa.localSPI)
        if !sa.isLingering {
            lingering += 1
            sa.isStranger = sa.isHalfOpen
            if sa.isStranger { lingeringStrangers += 1 }
        }
        if case .refused = phase { sa.jobs = [] }
        sa.phase = phase
        discardFragments(of: sa)
        sa.timers.stopAll()
        sa.timers[.linger] = now + span
        schedule(sa)
    }

    /// IKE SAs of users that may linger at once; more are not held for their peers' sake.
    private var lingeringLimit: Int { max(policy.sessionLimit, policy.halfOpenLimit) }

    /// The SA and its keys are gone.
    func forget(_ sa: IKESA) {
        halfOpen.remove(sa.localSPI)
        if let key = sa.initKey { initiated[key] = nil }
        if case .awaitingAuthResponse(let handshake) = sa.phase {
            inboundSPIs.remove(handshake.childSPI)
        }
        if let rival = rival(of: sa) { forget(rival) }
        abandonRequest(of: sa)
        if sa.isLingering {
            lingering -= 1
            if sa.isStranger { lingeringStrangers -= 1 }
        }
        discardFragments(of: sa)
        sa.timers.stopAll()
        sas[sa.localSPI] = nil
    }

    /// Waits no longer for the answer to our request, and frees what was set aside for it.
    private func abandonRequest(of sa: IKESA) {
        if let pending = sa.pending { giveUpSPI(pending.context.spi) }
        sa.pending = nil
    }

    /// A handshake that nobody finished.
    func giveUp(_ sa: IKESA, _ reason: AuthFailure, _ output: inout Output) {
        output.events.append(
            IKEAuthFailed(
                reason: reason, method: .unknown, proof: .spoofable, identity: nil,
                source: sa.path.remote.address, connection: nil))
        forget(sa)
    }

    /// A protected request that breaks the protocol ends the SA (RFC 7296 §2.21.3).
    func refuse(
        _ sa: IKESA, _ request: Header, _ datagram: [UInt8], _ notify: NotifyPayload.Kind,
        on path: Path, at now: Instant, _ output: inout Output
    ) {
        respond(
            [.notify(NotifyPayload(notify))], to: request, datagram, of: sa, on: path, &output)
        if case .awaitingAuth = sa.phase {
            refuse(sa, AuthRejection(reason: .invalidSyntax), at: now, &output)
        } else {
            close(sa, .protocolError, at: now, &output)
            linger(sa, .refused, for: policy.timing.linger, at: now)
        }
    }
}

extension IKESA {
    var isLingering: Bool {
        switch phase {
        case .refused, .superseded: true
        default: false
        }
    }

    var isContested: Bool { if case .contested = phase { true } else { false } }
    var isSuperseded: Bool { if case .superseded = phase { true } else { false } }

    /// It was replaced, or we are about to delete it.
    var isClosing: Bool {
        isSuperseded || pending?.job == .deleteIKE || jobs.contains(.deleteIKE)
    }
}
