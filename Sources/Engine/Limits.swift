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

extension Engine {
    /// Sees to it that one more session of a login is within the limits of its user, its
    /// connection and the gateway, where their eviction policies allow. Sessions whose place this
    /// login or an earlier one takes don't count.
    ///
    /// - Returns: the limit that keeps it out; nil if there is room.
    func makeRoom(
        for login: Login, instead others: Predecessors, at now: Instant, _ output: inout Output
    ) -> AuthFailure? {
        let connection = login.connection
        let leaving = others.sessions.count
        if let limit = connection.userLimit {
            let own = sessionsOfUser(login).filter { $0.replacedUntil == nil }
            guard
                own.count - leaving < limit
                    || evict(connection.eviction, sparing: others, at: now, &output, from: own)
            else { return .userLimit }
        }
        if let limit = connection.sessionLimit {
            let count =
                Int(clamping: sessionCounts[connection.name] ?? 0)
                - (replacedCounts[connection.name] ?? 0)
            guard
                count - leaving < limit
                    || evict(
                        connection.eviction, sparing: others, at: now, &output,
                        from: sessions.values.lazy.filter { $0.connection.name == connection.name })
            else { return .connectionLimit }
        }
        guard
            sessions.count - replacedCounts.values.reduce(0, +) - leaving < policy.sessionLimit
                || evict(
                    policy.eviction, sparing: others, at: now, &output,
                    from: sessions.values.lazy.filter { _ in true })
        else { return .sessionLimit }
        return nil
    }

    /// What this user has of the login's connection.
    func sessionsOfUser(_ login: Login) -> [Session] {
        (namesakes[login.identity.canonicalBytes] ?? []).compactMap { sessions[$0] }
            .filter { $0.connection.name == login.connection.name && $0.handle == nil }
    }

    /// Lends an address of a pool that has none left, if its eviction policy allows.
    func lendEvicting(
        _ family: AddressFamily, of pool: String, to session: Session, at now: Instant,
        _ output: inout Output
    ) -> IPAddress? {
        guard let policy = pools[pool]?.policy.eviction else { return nil }
        let holders = sessions.values.lazy.filter { holder in
            holder.lease.map { lease in
                lease.pool == pool && lease.addresses.contains { $0.family == family }
            } ?? false
        }
        guard evict(policy, sparing: Predecessors(), at: now, &output, from: holders) else {
            return nil
        }
        return pools[pool]?.lend(family, to: session.identity.canonicalBytes)
    }

    /// Ends one of some sessions: one whose user has a new one already, else the one that the
    /// policy names. One is enough, since a login adds one: a limit that a reload has lowered logs
    /// nobody out by itself.
    ///
    /// - Cost: looks at each of the sessions.
    /// - Returns: whether there was one.
    private func evict(
        _ policy: EvictionPolicy, sparing others: Predecessors, at now: Instant,
        _ output: inout Output, from candidates: some Sequence<Session>
    ) -> Bool {
        guard policy != .refuse else { return false }
        var victim: (session: Session, key: EvictionKey)?
        for session in candidates where !others.sessions.contains(where: { $0 === session }) {
            let key = EvictionKey(
                isReplaced: session.replacedUntil != nil,
                since: policy == .oldest ? session.established : lastTraffic(of: session))
            if victim.map({ key < $0.key }) ?? true { victim = (session, key) }
        }
        guard let victim, let sa = sas[victim.session.ikeSPI] else { return false }
        end(sa, .evicted, tellingPeer: true, at: now, &output)
        return true
    }

    /// When the last packet of a session's peer came through its tunnels; of a session without any,
    /// when it began.
    private func lastTraffic(of session: Session) -> Instant {
        session.children.compactMap { dataplane.lastInbound(of: $0.id) }
            .reduce(session.lastTraffic, max)
    }
}

/// Who goes first: the least.
private struct EvictionKey: Comparable {
    let isReplaced: Bool
    let since: Instant

    static func < (left: Self, right: Self) -> Bool {
        left.isReplaced == right.isReplaced ? left.since < right.since : left.isReplaced
    }
}
