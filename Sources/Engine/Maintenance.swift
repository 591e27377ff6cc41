import ESP
import Vocabulary
import Wire

// What time brings: retransmissions, liveness, rekeys, ends.

extension Engine {
    func expired(_ timer: Timer, of sa: IKESA, at now: Instant, _ output: inout Output) {
        switch timer {
        case .halfOpen: giveUp(sa, .timeout, &output)
        case .linger: forget(sa)
        case .retransmit: retransmit(sa, at: now, &output)
        case .liveness: checkLiveness(sa, at: now, &output)
        case .rekeyIKE: request(.rekeyIKE, of: sa, at: now, &output)
        case .lifetime: endLifetime(of: sa, at: now, &output)
        case .children: tendChildren(of: sa, at: now, &output)
        case .keepalive: keepAlive(sa, at: now, &output)
        case .fragments: giveUpFragments(of: sa, &output)
        }
    }

    /// Sends the unanswered request again, the same bytes (RFC 7296 §2.1); gives up in the end
    /// (§2.4).
    private func retransmit(_ sa: IKESA, at now: Instant, _ output: inout Output) {
        guard var pending = sa.pending else { return }
        guard pending.attempts < policy.timing.retransmissions else {
            return noAnswer(sa, pending, at: now, &output)
        }
        pending.attempts += 1
        pending.wait = pending.wait * policy.timing.backoff
        sa.pending = pending
        sa.timers[.retransmit] = now + pending.wait
        retransmissionsSent += 1
        transmit(pending.datagrams, on: sa.path, &output)
    }

    private func noAnswer(
        _ sa: IKESA, _ pending: PendingRequest, at now: Instant, _ output: inout Output
    ) {
        if sa.isLingering { return forget(sa) }
        if let session = sa.session {
            output.events.append(
                PeerDead(session: session.id, retransmissions: UInt64(pending.attempts)))
        }
        end(sa, .peerDead, tellingPeer: false, at: now, &output)
    }

    /// Asks a peer of whom nothing was heard, in IKE or ESP, for the liveness interval.
    private func checkLiveness(_ sa: IKESA, at now: Instant, _ output: inout Output) {
        guard let session = sa.session, sa.isEstablished else { return }
        let interval = session.connection.livenessInterval
        let heard = session.children.compactMap { dataplane.lastInbound(of: $0.id) }
            .reduce(sa.lastHeard, max)
        if now - heard >= interval {
            if sa.pending == nil {
                dpdSent += 1
                request(.liveness, of: sa, at: now, &output)
            }
            sa.timers[.liveness] = now + interval
        } else {
            sa.timers[.liveness] = heard + interval
        }
    }

    /// Rekeys Child SAs whose time has come and takes away those that are over.
    private func tendChildren(of sa: IKESA, at now: Instant, _ output: inout Output) {
        guard let session = sa.session else { return }
        for child in session.children where child.due <= now {
            switch child.state {
            case .retired:
                remove(child, of: session, child.end ?? .rekeyed, &output)
            case .replaced:
                // The peer forgot to delete it.
                if let successor = child.successor { dataplane.activateOutbound(successor) }
                discard(child, child.end ?? .rekeyed, of: sa, session, at: now, &output)
            case .installed where child.expiresAt <= now:
                discard(child, .lifetimeOver, of: sa, session, at: now, &output)
            case .installed:
                rekey(child.id, of: sa, session, at: now, &output)
            }
        }
        scheduleChildren(of: sa)
    }

    func rekey(
        _ child: ChildID, of sa: IKESA, _ session: Session, at now: Instant,
        _ output: inout Output
    ) {
        request(.rekeyChild(child), of: sa, at: now, &output)
        // The timer must not stand still in the past while the peer thinks.
        session.postponeRekey(of: child, until: now + policy.timing.retransmit * 60)
    }
}
