package import Vocabulary

/// Which users are logged in at which shard, for gateways of several. Asked at logins and logouts,
/// never for a packet.
package protocol UserDirectory: AnyObject, Sendable {
    /// The sessions of a user at other shards.
    func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession]
    func add(_ session: RemoteSession, of user: UserKey)
    func remove(_ session: SessionID, of user: UserKey)
    /// Has the shard that holds a session end it, because its user has logged in anew.
    func replace(_ session: RemoteSession, atOnce: Bool)
}

/// A user by one connection: the same identity may be another's by another one.
package struct UserKey: Hashable, Sendable {
    private let connection: String
    private let identity: [UInt8]

    init(connection: String, identity: Identity) {
        self.connection = connection
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
    ///
    /// - Parameter atOnce: its peer has forgotten it (INITIAL_CONTACT, RFC 7296 §2.4); else the
    ///   peer has a moment to say goodbye.
    package func supersede(
        _ session: SessionID, atOnce: Bool, at now: Instant, _ output: inout Output
    ) {
        guard let session = sessions[session], let sa = sas[session.ikeSPI] else { return }
        if atOnce {
            end(sa, .replaced, tellingPeer: false, at: now, &output)
        } else {
            beginReplacement(of: session, at: now)
        }
    }

    func enter(_ session: Session, from source: IPAddress) {
        guard session.handle == nil else { return }
        directory?.add(
            RemoteSession(id: session.id, shard: policy.shard, source: source),
            of: session.userKey)
    }

    func leave(_ session: Session) { directory?.remove(session.id, of: session.userKey) }
}

extension Session {
    fileprivate var userKey: UserKey {
        UserKey(connection: connection.name, identity: identity)
    }
}
