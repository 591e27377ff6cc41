import Vocabulary
import Wire

// A user who logs in again: after a crash (INITIAL_CONTACT, RFC 7296 §2.4), to prove itself anew
// (§2.8.3), or from somewhere else.

/// Sessions that a peer has lost, and that ended when it said so.
struct Forgotten {
    /// It has no other session (INITIAL_CONTACT).
    var isAll = false
    /// The newest of the user's, and the one that it resumes.
    var newest: SessionID?
    var resumed: SessionID?
}

extension Engine {
    /// Ends what a proven peer says that it has lost, whatever becomes of its login: with
    /// INITIAL_CONTACT all of the user's, else what it resumes.
    func endForgotten(
        by login: Login, _ payloads: [AnyPayload], at now: Instant, _ output: inout Output
    ) -> Forgotten {
        var forgotten = Forgotten(resumed: endResumed(login, at: now, &output))
        guard login.connection.unique != .never, payloads.has(.initialContact) else {
            return forgotten
        }
        forgotten.isAll = true
        let same = sessionsOfUser(login)
        forgotten.newest = same.last?.id
        for session in same {
            guard let old = sas[session.ikeSPI] else { continue }
            end(old, .replaced, tellingPeer: false, at: now, &output)
        }
        return forgotten
    }

    /// Looks for the user's other sessions, which go.
    ///
    /// - Returns: false if one that there is keeps the new one out.
    func findPredecessors(
        _ room: inout Room, of login: Login, _ payloads: [AnyPayload], on sa: IKESA
    ) -> Bool {
        let unique = login.connection.unique
        let live = sessionsOfUser(login).filter { $0.replacedUntil == nil }
        let source = Personal(sa.path.remote.address)
        room.elsewhere = sessionsElsewhere(login)
        room.evictedElsewhere = nil
        room.manner = room.forgotten.isAll ? .forgotten : .replaced
        switch unique {
        case .replace: room.replaced = live
        case .keep:
            guard
                room.forgotten.isAll
                    || live.allSatisfy({ isReauthentication(of: $0, on: sa) })
                        && room.elsewhere.allSatisfy({ $0.source == source })
            else { return false }
            room.replaced = live
        case .never:
            room.replaced = live.filter {
                isReauthentication(of: $0, on: sa)
                    && payloads.configuration?.asks(for: $0.lease?.addresses ?? []) == true
            }
        }
        room.replacedElsewhere = unique == .never ? [] : room.elsewhere
        room.newest =
            room.replaced.last?.id ?? room.forgotten.newest
            ?? room.replacedElsewhere.last?.id ?? room.forgotten.resumed
        return true
    }

    /// The peer logs in from where it is: as a rule to replace its own session.
    private func isReauthentication(of session: Session, on sa: IKESA) -> Bool {
        sas[session.ikeSPI]?.path.remote.address == sa.path.remote.address
    }

    /// Ends what a new session took the place of. A peer that proved itself anew has a moment to
    /// move its traffic and to say goodbye; of many that wait for it, the first go at once.
    func makeRoom(
        for new: Session, _ room: Room, at now: Instant, _ output: inout Output
    ) {
        for session in room.replaced { beginReplacement(of: session, at: now) }
        for session in room.replacedElsewhere {
            directory?.end(session, of: new.userKey, room.manner)
        }
        if let session = room.evictedElsewhere {
            directory?.end(session, of: new.userKey, .evicted)
        }
        guard !room.replaced.isEmpty else { return }
        let waiting = namesakes(of: new).filter { $0.replacedUntil != nil }
        for session in waiting.dropLast(Self.replacedLimit) {
            guard let old = sas[session.ikeSPI] else { continue }
            end(old, .replaced, tellingPeer: true, at: now, &output)
        }
    }

    /// A session that is about to go is none of the user's any more, at any shard.
    func beginReplacement(of session: Session, at now: Instant) {
        guard let sa = sas[session.ikeSPI], session.replacedUntil == nil else { return }
        session.replacedUntil = now + policy.timing.replaced
        replacedCounts[session.connection.name, default: 0] += 1
        leave(session)
        queueForEviction(session)
        scheduleLifetime(of: sa)
    }

    /// How many sessions of a user may wait to say goodbye. Ours to choose.
    private static let replacedLimit = 4

    /// The address that a session of the same user holds and keeps, if the peer asks for it.
    func ownAddress(
        _ family: AddressFamily, of session: Session, pool: String,
        _ request: ConfigurationPayload, _ room: inout Room
    ) -> IPAddress? {
        for other in namesakes(of: session)
        where other.lease?.pool == pool && !room.evicted.contains(where: { $0 === other }) {
            let address = other.lease?.addresses.first {
                $0.family == family && request.asks(for: [$0])
            }
            guard let address else { continue }
            room.sharing.append(other)
            return address
        }
        return nil
    }

    /// Whether another session of the same user holds an address of this one's too.
    func sharesAddress(_ session: Session, _ address: IPAddress) -> Bool {
        namesakes(of: session).contains {
            $0.lease?.pool == session.lease?.pool
                && $0.lease?.addresses.contains(address) ?? false
        }
    }

    /// The user's other sessions.
    private func namesakes(of session: Session) -> [Session] {
        (namesakes[session.userKey] ?? []).filter { $0 != session.id }.compactMap { sessions[$0] }
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
