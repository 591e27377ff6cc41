import Vocabulary
import Wire

// A user who logs in again: after a crash (INITIAL_CONTACT, RFC 7296 §2.4), to prove itself anew
// (§2.8.3), or from somewhere else.

/// The sessions whose place a new one takes.
struct Predecessors {
    var sessions: [Session] = []
    var newest: SessionID?
}

extension Engine {
    /// The user's other sessions that go. With INITIAL_CONTACT the peer has lost them all, and
    /// they are closed at once.
    ///
    /// - Returns: nil if the one that there is keeps the new one out.
    func others(
        of login: Login, _ payloads: [AnyPayload], on sa: IKESA, at now: Instant,
        _ output: inout Output
    ) -> Predecessors? {
        let unique = login.connection.unique
        let same = (namesakes[login.identity.canonicalBytes] ?? []).compactMap { sessions[$0] }
            .filter { $0.connection.name == login.connection.name && $0.handle == nil }
        if unique != .never, payloads.has(.initialContact) {
            for session in same {
                guard let old = sas[session.ikeSPI] else { continue }
                end(old, .replaced, tellingPeer: false, at: now, &output)
            }
            return Predecessors(newest: same.last?.id)
        }
        let live = same.filter { $0.replacedUntil == nil }
        let replaced: [Session]
        switch unique {
        case .replace: replaced = live
        case .keep:
            guard live.allSatisfy({ isReauthentication(of: $0, on: sa) }) else { return nil }
            replaced = live
        case .never:
            replaced = live.filter {
                isReauthentication(of: $0, on: sa)
                    && $0.lease.map { payloads.configuration?.asks(for: $0.address) } == true
            }
        }
        return Predecessors(sessions: replaced, newest: replaced.last?.id)
    }

    /// The peer logs in from where it is: as a rule to replace its own session.
    private func isReauthentication(of session: Session, on sa: IKESA) -> Bool {
        sas[session.ikeSPI]?.path.remote.address == sa.path.remote.address
    }

    /// Ends what a new session took the place of. A peer that proved itself anew has a moment to
    /// move its traffic and to say goodbye.
    func replace(_ others: Predecessors, at now: Instant, _ output: inout Output) {
        for session in others.sessions {
            guard let old = sas[session.ikeSPI] else { continue }
            session.replacedUntil = now + policy.timing.replaced
            scheduleLifetime(of: old)
        }
    }

    /// The address that a session of the same user holds, if the peer asks for it.
    func ownAddress(
        of session: Session, pool: String, _ request: ConfigurationPayload
    ) -> UInt32? {
        let names = namesakes[session.identity.canonicalBytes] ?? []
        return names.compactMap { sessions[$0]?.lease }
            .first { $0.pool == pool && request.asks(for: $0.address) }?.address
    }

    /// Whether another session of the same user holds this one's address too.
    func sharesLease(_ session: Session) -> Bool {
        (namesakes[session.identity.canonicalBytes] ?? []).contains {
            $0 != session.id && sessions[$0]?.lease == session.lease
        }
    }
}

extension ConfigurationPayload {
    fileprivate func asks(for address: UInt32) -> Bool {
        attributes.contains { $0.kind == .ip4Address && $0.value == IPAddress.v4(address).bytes }
    }
}
