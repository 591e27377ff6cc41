import Vocabulary
import Wire

// A user who logs in again: after a crash (INITIAL_CONTACT, RFC 7296 §2.4), to prove itself anew
// (§2.8.3), or from somewhere else.

/// The sessions whose place a new one takes.
struct Predecessors {
    var sessions: [Session] = []
    var newest: SessionID?
    /// Those at other shards, and how they end.
    var elsewhere: [RemoteSession] = []
    var manner = RemoteEnd.replaced
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
        let same = sessionsOfUser(login)
        let elsewhere = sessionsElsewhere(login)
        if unique != .never, payloads.has(.initialContact) {
            for session in same {
                guard let old = sas[session.ikeSPI] else { continue }
                end(old, .replaced, tellingPeer: false, at: now, &output)
            }
            return Predecessors(
                newest: same.last?.id ?? elsewhere.last?.id ?? resumed, elsewhere: elsewhere,
                manner: .forgotten)
        }
        let live = same.filter { $0.replacedUntil == nil }
        let source = sa.path.remote.address
        let replaced: [Session]
        switch unique {
        case .replace: replaced = live
        case .keep:
            guard live.allSatisfy({ isReauthentication(of: $0, on: sa) }),
                elsewhere.allSatisfy({ $0.source == Personal(source) })
            else { return nil }
            replaced = live
        case .never:
            replaced = live.filter {
                isReauthentication(of: $0, on: sa)
                    && payloads.configuration?.asks(for: $0.lease?.addresses ?? []) == true
            }
        }
        guard unique != .never else {
            return Predecessors(sessions: replaced, newest: replaced.last?.id ?? resumed)
        }
        return Predecessors(
            sessions: replaced, newest: replaced.last?.id ?? elsewhere.last?.id ?? resumed,
            elsewhere: elsewhere)
    }

    /// The peer logs in from where it is: as a rule to replace its own session.
    private func isReauthentication(of session: Session, on sa: IKESA) -> Bool {
        sas[session.ikeSPI]?.path.remote.address == sa.path.remote.address
    }

    /// Ends what a new session took the place of. A peer that proved itself anew has a moment to
    /// move its traffic and to say goodbye; of many that wait for it, the first go at once.
    func replace(_ others: Predecessors, at now: Instant, _ output: inout Output) {
        for session in others.sessions { beginReplacement(of: session, at: now) }
        for session in others.elsewhere { directory?.end(session, others.manner) }
        guard let user = others.sessions.first?.identity.canonicalBytes else { return }
        let waiting = (namesakes[user] ?? []).compactMap { sessions[$0] }
            .filter { $0.replacedUntil != nil }
        for session in waiting.dropLast(Self.replacedLimit) {
            guard let old = sas[session.ikeSPI] else { continue }
            end(old, .replaced, tellingPeer: true, at: now, &output)
        }
    }

    func beginReplacement(of session: Session, at now: Instant) {
        guard let sa = sas[session.ikeSPI], session.replacedUntil == nil else { return }
        session.replacedUntil = now + policy.timing.replaced
        replacedCounts[session.connection.name, default: 0] += 1
        scheduleLifetime(of: sa)
    }

    /// How many sessions of a user may wait to say goodbye. Ours to choose.
    private static let replacedLimit = 4

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
