import ESP
import Vocabulary
import Wire

// What time brings: retransmissions, liveness, rekeys, ends.

extension Engine {
    func expired(_ timer: Timer, of sa: IKESA, at now: Instant, _ output: inout Output) {
        switch timer {
        case .halfOpen: giveUp(sa, at: now, &output)
        case .linger: forget(sa)
        case .retransmit: retransmit(sa, at: now, &output)
        case .liveness: checkLiveness(sa, at: now, &output)
        case .rekeyIKE: request(.rekeyIKE, of: sa, at: now, &output)
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
            if sa.pending == nil { request(.liveness, of: sa, at: now, &output) }
            sa.timers[.liveness] = now + interval
        } else {
            sa.timers[.liveness] = heard + interval
        }
    }

    /// Rekeys Child SAs whose time has come and takes away those that were replaced.
    private func tendChildren(of sa: IKESA, at now: Instant, _ output: inout Output) {
        guard let session = sa.session else { return }
        for child in session.children {
            switch child.state {
            case .retired(let until) where until <= now:
                remove(child, of: session, child.end, &output)
            case .installed where child.rekeyAt <= now:
                request(.rekeyChild(child.id), of: sa, at: now, &output)
                // The timer must not stand still in the past while the peer thinks.
                session.postponeRekey(of: child.id, until: now + policy.timing.retransmit * 60)
            default: break
            }
        }
        scheduleChildren(of: sa)
    }
}
