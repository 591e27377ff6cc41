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
        let resumed = endResumed(login, at: now, &output)
        let unique = login.connection.unique
        let same = (namesakes[login.identity.canonicalBytes] ?? []).compactMap { sessions[$0] }
            .filter { $0.connection.name == login.connection.name && $0.handle == nil }
        if unique != .never, payloads.has(.initialContact) {
            for session in same {
                guard let old = sas[session.ikeSPI] else { continue }
                end(old, .replaced, tellingPeer: false, at: now, &output)
            }
            return Predecessors(newest: same.last?.id ?? resumed)
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
                    && payloads.configuration?.asks(for: $0.lease?.addresses ?? []) == true
            }
        }
        return Predecessors(sessions: replaced, newest: replaced.last?.id ?? resumed)
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
        _ family: AddressFamily, of session: Session, pool: String,
        _ request: ConfigurationPayload
    ) -> IPAddress? {
        namesakeLeases(session).filter { $0.pool == pool }.flatMap(\.addresses).first {
            $0.family == family && request.asks(for: [$0])
        }
    }

    /// Whether another session of the same user holds an address of this one's too.
    func sharesAddress(_ session: Session, _ address: IPAddress) -> Bool {
        namesakeLeases(session).contains { $0.addresses.contains(address) }
    }

    private func namesakeLeases(_ session: Session) -> [Lease] {
        (namesakes[session.identity.canonicalBytes] ?? []).filter { $0 != session.id }
            .compactMap { sessions[$0]?.lease }
    }
}

extension ConfigurationPayload {
    /// Whether it names one of these virtual addresses.
    fileprivate func asks(for leased: [IPAddress]) -> Bool {
        leased.contains { address in
            attributes.contains {
                $0.kind == address.family.addressAttribute
                    && $0.value.starts(with: address.bytes)
            }
        }
    }
}
