import ESP
import Vocabulary
import Wire

// Limits of sessions, and who makes room when one is reached.

/// What a login does that finds all places taken.
package enum EvictionPolicy: String, CaseIterable, Sendable {
    /// It fails.
    case refuse
    /// The session that began first ends.
    case oldest
    /// The session of whose peer no traffic came for the longest time ends.
    case longestIdle = "longest_idle"
}

/// What a login finds: nothing of it happens before the login is sure to succeed.
struct Room {
    /// The user's sessions that are up at other shards.
    var elsewhere: [RemoteSession] = []
    /// The user's sessions whose place the new one takes, here and elsewhere.
    var replaced: [Session] = []
    var replacedElsewhere: [RemoteSession] = []
    var manner = RemoteEnd.replaced
    /// The newest of them.
    var newest: SessionID?
    /// Other sessions, which end so that limits hold.
    var evicted: [Session] = []
    var evictedElsewhere: RemoteSession?
    /// Sessions that stay, and whose addresses the new one has, too.
    var sharing: [Session] = []
    /// What has ended already, since the peer has lost it.
    let forgotten: Forgotten

    init(_ forgotten: Forgotten) { self.forgotten = forgotten }

    func isLeaving(_ session: Session) -> Bool {
        (replaced + evicted).contains { $0 === session }
    }

    /// Whether it may be chosen to be evicted.
    func spares(_ session: Session) -> Bool {
        isLeaving(session) || sharing.contains { $0 === session }
    }

    /// How many of the sessions that a limit counts make room.
    func leaving(where isCounted: (Session) -> Bool = { _ in true }) -> Int {
        (replaced + evicted).count { $0.replacedUntil == nil && isCounted($0) }
    }
}

extension Engine {
    /// Looks whether one more session of a login is within the rules for one user's sessions and
    /// the limits of its user, its connection and the gateway, where their eviction policies allow.
    /// Sessions whose place this login or an earlier one takes don't count. One eviction for each
    /// limit is enough, since a login adds one session: a limit that a reload has lowered logs
    /// nobody out by itself.
    ///
    /// - Throws: `rejection` with the reason that keeps it out.
    func find(
        _ room: inout Room, for login: Login, _ payloads: [AnyPayload], on sa: IKESA,
        _ rejection: AuthRejection
    ) throws(AuthRejection) {
        guard findPredecessors(&room, of: login, payloads, on: sa) else {
            throw rejection.because(.alreadyConnected)
        }
        let connection = login.connection
        guard findUserRoom(&room, login) else {
            throw rejection.because(.userLimit, .noAdditionalSAs)
        }
        if let limit = connection.sessionLimit {
            let count =
                Int(clamping: sessionCounts[connection.name] ?? 0)
                - (replacedCounts[connection.name] ?? 0)
            guard
                count - room.leaving(where: { $0.connection.name == connection.name }) < limit
                    || findVictim(.connection(connection.name), connection.eviction, &room)
            else { throw rejection.because(.connectionLimit, .noAdditionalSAs) }
        }
        let count = sessions.count - replacedCounts.values.reduce(0, +)
        guard
            count - room.leaving() < policy.sessionLimit
                || findVictim(.gateway, policy.eviction, &room)
        else { throw rejection.because(.sessionLimit, .noAdditionalSAs) }
    }

    private func findUserRoom(_ room: inout Room, _ login: Login) -> Bool {
        let eviction = login.connection.eviction
        guard let limit = login.connection.userLimit else { return true }
        let own = sessionsOfUser(login).filter {
            $0.replacedUntil == nil && !room.isLeaving($0)
        }
        let far = room.elsewhere.filter {
            !room.replacedElsewhere.contains($0) && $0 != room.evictedElsewhere
        }
        guard own.count + far.count >= limit else { return true }
        guard eviction != .refuse else { return false }
        if let victim = own.min(by: { since($0, eviction) < since($1, eviction) }) {
            room.evicted.append(victim)
            return true
        }
        room.evictedElsewhere = far.first
        return !far.isEmpty
    }

    private func findVictim(
        _ scope: EvictionScope, _ eviction: EvictionPolicy, _ room: inout Room
    ) -> Bool {
        guard let victim = victim(in: scope, eviction, sparing: room) else { return false }
        room.evicted.append(victim)
        return true
    }

    /// What this user has, by whatever connection.
    func sessionsOfUser(_ login: Login) -> [Session] {
        (namesakes[login.userKey] ?? []).compactMap { sessions[$0] }.filter { $0.handle == nil }
    }

    func evict(_ session: Session, at now: Instant, _ output: inout Output) {
        guard let sa = sas[session.ikeSPI] else { return }
        end(sa, .evicted, tellingPeer: true, at: now, &output)
    }
}
