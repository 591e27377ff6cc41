package import Vocabulary

/// Which users are logged in at which shard, for gateways of several. Asked at logins and logouts,
/// never for a packet.
package protocol UserDirectory: AnyObject, Sendable {
    /// The sessions of a user at other shards.
    func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession]
    /// Enters a session, unless the user's sessions at other shards are not the ones that its shard
    /// knows any more.
    ///
    /// - Returns: whether it has.
    func enter(
        _ session: RemoteSession, of user: UserKey, knowing others: [RemoteSession]
    ) -> Bool
    func remove(_ session: SessionID, of user: UserKey)
    /// Removes a session and has the shard that holds it end it, because its user has logged in
    /// anew.
    func end(_ session: RemoteSession, of user: UserKey, _ manner: RemoteEnd)
}

/// What a ``UserDirectory`` keeps.
///
/// Of logins of one user at several shards at the same time, the one that comes to ``enter`` first
/// is the earlier one. Whoever comes later must have seen it to enter, and so ends it, or is kept
/// out by it, or counts it: as if one shard had had both, whatever the order of anything else.
package struct UserTable: Sendable {
    private var users: [UserKey: [RemoteSession]] = [:]

    package init() {}

    package var isEmpty: Bool { users.isEmpty }

    package func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession] {
        users[user]?.filter { $0.shard != shard } ?? []
    }

    package mutating func enter(
        _ session: RemoteSession, of user: UserKey, knowing others: [RemoteSession]
    ) -> Bool {
        guard sessions(of: user, besides: session.shard) == others else { return false }
        users[user, default: []].append(session)
        return true
    }

    package mutating func remove(_ session: SessionID, of user: UserKey) {
        users[user]?.removeAll { $0.id == session }
        if users[user]?.isEmpty == true { users[user] = nil }
    }
}

/// How a session ends whose user has logged in at another shard.
package enum RemoteEnd: Hashable, Sendable {
    /// Its peer has a moment to say goodbye.
    case replaced
    /// Its peer has lost it: INITIAL_CONTACT (RFC 7296 §2.4).
    case forgotten
    /// The user has as many as there may be.
    case evicted
}

/// A user: an identity that was proved to one of ours (RFC 7296 §2.4). The same identity may be
/// another's at another of ours. Connections come, go and change their names; they are no part of
/// who somebody is.
package struct UserKey: Hashable, Sendable {
    private let local: [UInt8]
    private let identity: [UInt8]

    init(_ identity: Identity, at local: Identity) {
        self.local = local.canonicalBytes
        self.identity = identity.canonicalBytes
    }
}

/// A session at one of the shards.
package struct RemoteSession: Hashable, Sendable {
    package let id: SessionID
    package let shard: UInt8
    /// Where its user logged in from.
    package let source: Personal<IPAddress>

    package init(id: SessionID, shard: UInt8, source: IPAddress) {
        self.id = id
        self.shard = shard
        self.source = Personal(source)
    }
}

extension Engine {
    /// Ends a session whose user has logged in at another shard.
    package func supersede(
        _ session: SessionID, _ manner: RemoteEnd, at now: Instant, _ output: inout Output
    ) {
        guard let session = sessions[session], let sa = sas[session.ikeSPI] else { return }
        switch manner {
        case .replaced: beginReplacement(of: session, at: now)
        case .forgotten: end(sa, .replaced, tellingPeer: false, at: now, &output)
        case .evicted: end(sa, .evicted, tellingPeer: true, at: now, &output)
        }
    }

    /// A login's user's sessions at other shards.
    func sessionsElsewhere(_ login: Login) -> [RemoteSession] {
        directory?.sessions(of: login.userKey, besides: policy.shard) ?? []
    }

    /// - Returns: false if the user's sessions at other shards are not those any more.
    func enter(
        _ session: Session, from source: IPAddress, knowing others: [RemoteSession]
    ) -> Bool {
        directory?.enter(
            RemoteSession(id: session.id, shard: policy.shard, source: source),
            of: session.userKey, knowing: others) ?? true
    }

    func leave(_ session: Session) { directory?.remove(session.id, of: session.userKey) }
}

extension Session {
    var userKey: UserKey { UserKey(identity, at: connection.localIdentity) }
}

extension Engine.Login {
    var userKey: UserKey { UserKey(identity, at: connection.localIdentity) }
}
