import Engine
import Synchronization
import TestKit
import Testing
import Vocabulary

/// A user who has a session at another shard, and logs in at this one.
@Suite("A user of another shard")
struct UserDirectoryTests {
    private static let elsewhere = RemoteSession(
        id: .example, shard: 3, source: .v4(0xc633_6401))

    /// One other shard, with one session, whoever asks.
    private final class Directory: UserDirectory {
        struct Seen: Equatable {
            var added = 0
            var removed = 0
            var ended: [RemoteEnd] = []
        }
        let seen = Mutex(Seen())

        func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession] {
            shard == elsewhere.shard ? [] : [elsewhere]
        }
        func enter(
            _ session: RemoteSession, of user: UserKey, knowing others: [RemoteSession]
        ) -> Bool {
            seen.withLock { $0.added += 1 }
            return others == [elsewhere]
        }
        func remove(_ session: SessionID, of user: UserKey) { seen.withLock { $0.removed += 1 } }
        func end(_ session: RemoteSession, of user: UserKey, _ manner: RemoteEnd) {
            seen.withLock { $0.ended.append(manner) }
        }
    }

    private func logIn(
        _ unique: UniquePolicy, initialContact: Bool, limit: Int? = nil,
        eviction: EvictionPolicy = .refuse
    ) throws -> (pair: Pair, seen: Directory.Seen) {
        var policy = EnginePolicy.example
        policy.connections[0].unique = unique
        policy.connections[0].userLimit = limit
        policy.connections[0].eviction = eviction
        let pair = Pair(policy)
        let directory = Directory()
        pair.gateway.directory = directory
        var client = ClientPolicy.example
        client.initialContact = initialContact
        let handle = try #require(pair.connect(client))
        pair.drive(for: .seconds(1))
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(1))
        return (pair, directory.seen.withLock { $0 })
    }

    @Test("is replaced there")
    func replace() throws {
        let (pair, seen) = try logIn(.replace, initialContact: false)
        #expect(seen == Directory.Seen(added: 1, removed: 1, ended: [.replaced]))
        #expect(pair.events(SessionEstablished.self).map(\.replaces.clear) == [.example])
    }

    @Test("is replaced there at once after INITIAL_CONTACT, also where the old one is kept")
    func initialContact() throws {
        for unique in [UniquePolicy.replace, .keep] {
            let seen = try logIn(unique, initialContact: true).seen
            #expect(seen == Directory.Seen(added: 1, removed: 1, ended: [.forgotten]))
        }
    }

    @Test("is kept out by the old session where that is kept")
    func keep() throws {
        let (pair, seen) = try logIn(.keep, initialContact: false)
        #expect(seen == Directory.Seen())
        #expect(pair.failureReasons == [.alreadyConnected])
    }

    @Test("has both where both may be")
    func never() throws {
        let seen = try logIn(.never, initialContact: true).seen
        #expect(seen == Directory.Seen(added: 1, removed: 1))
    }

    @Test("counts there for the limit of a user's sessions")
    func limit() throws {
        let (refused, _) = try logIn(.never, initialContact: false, limit: 1)
        #expect(refused.failureReasons == [.userLimit])
        let (_, seen) = try logIn(.never, initialContact: false, limit: 1, eviction: .oldest)
        #expect(seen == Directory.Seen(added: 1, removed: 1, ended: [.evicted]))
        let (_, replaced) = try logIn(.replace, initialContact: true, limit: 1)
        #expect(replaced.ended == [.forgotten])
    }

    @Test(
        "ends here when it has logged in there",
        arguments: [
            (RemoteEnd.replaced, SessionEnd.replaced, true), (.forgotten, .replaced, false),
            (.evicted, .evicted, false),
        ])
    func superseded(_ manner: RemoteEnd, _ end: SessionEnd, lingers: Bool) throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        let session = try #require(pair.events(SessionEstablished.self).first?.session.clear)
        pair.actAtGateway { $0.supersede(session, manner, at: $1, &$2) }
        #expect(pair.tick.sessions == (lingers ? 1 : 0))
        pair.drive(for: .seconds(60))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [end])
    }
}
