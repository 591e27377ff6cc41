package import Vocabulary

// A user whose logins reach different shards of one gateway is one user.

/// Whom a session belongs to.
package struct RosterUser: Hashable, Sendable {
    package let connection: String
    /// Canonical bytes.
    package let identity: [UInt8]

    package init(connection: String, identity: [UInt8]) {
        self.connection = connection
        self.identity = identity
    }
}

/// A user's session, as other shards see it.
package struct RosterEntry: Hashable, Sendable {
    package let shard: UInt8
    package let session: SessionID
    /// Where the user logged in from.
    package let source: IPAddress

    package init(shard: UInt8, session: SessionID, source: IPAddress) {
        self.shard = shard
        self.session = session
        self.source = source
    }
}

/// Who is logged in at the shards of a gateway. Asked at logins and told of logouts, which is far
/// from the path of packets; any thread.
package protocol Roster: AnyObject, Sendable {
    /// Enters a session. Of two logins at once one sees the other.
    ///
    /// - Returns: the user's sessions at other shards, oldest first.
    func enter(_ entry: RosterEntry, of user: RosterUser) -> [RosterEntry]
    func leave(_ session: SessionID, of user: RosterUser)
    /// The user's sessions at other shards than this, oldest first.
    func sessions(of user: RosterUser, besides shard: UInt8) -> [RosterEntry]
    /// Has each session's shard call ``Engine/supersede(_:lost:at:_:)``, soon.
    ///
    /// - Parameter lost: the user has them no more (INITIAL_CONTACT).
    func supersede(_ entries: [RosterEntry], lost: Bool)
}

extension Engine {
    /// Whether the user's sessions at other shards keep a new one out. Where they came from is
    /// what it was at their login.
    func isKeptOutElsewhere(_ login: Login, on sa: IKESA) -> Bool {
        guard let roster, login.connection.unique == .keep else { return false }
        let user = RosterUser(
            connection: login.connection.name, identity: login.identity.canonicalBytes)
        return roster.sessions(of: user, besides: policy.shard)
            .contains { $0.source != sa.path.remote.address }
    }

    /// Tells the other shards of a new session, which takes the place of the user's sessions there.
    func enterRoster(_ session: Session, _ connection: Connection, lost: Bool, on sa: IKESA) {
        guard let roster else { return }
        let entry = RosterEntry(
            shard: policy.shard, session: session.id, source: sa.path.remote.address)
        let elsewhere = roster.enter(entry, of: session.user)
        guard connection.unique != .never, !elsewhere.isEmpty else { return }
        session.replaces = session.replaces ?? elsewhere.last?.session
        roster.supersede(elsewhere, lost: lost)
    }

    func leaveRoster(_ session: Session) { roster?.leave(session.id, of: session.user) }

    /// The user has logged in at another shard.
    ///
    /// - Parameter lost: the user has this session no more.
    package func supersede(
        _ session: SessionID, lost: Bool, at now: Instant, _ output: inout Output
    ) {
        guard let session = sessions[session], let sa = sas[session.ikeSPI] else { return }
        if lost {
            end(sa, .replaced, tellingPeer: false, at: now, &output)
        } else if session.replacedUntil == nil {
            replace(Predecessors(sessions: [session]), at: now, &output)
        }
    }
}

extension Session {
    var user: RosterUser {
        RosterUser(connection: connection.name, identity: identity.canonicalBytes)
    }
}
