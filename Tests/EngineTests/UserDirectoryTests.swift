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
            var replaced: [Bool] = []
        }
        let seen = Mutex(Seen())

        func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession] {
            shard == elsewhere.shard ? [] : [elsewhere]
        }
        func add(_ session: RemoteSession, of user: UserKey) { seen.withLock { $0.added += 1 } }
        func remove(_ session: SessionID, of user: UserKey) { seen.withLock { $0.removed += 1 } }
        func replace(_ session: RemoteSession, atOnce: Bool) {
            seen.withLock { $0.replaced.append(atOnce) }
        }
    }

    private func logIn(
        _ unique: UniquePolicy, initialContact: Bool
    ) throws -> (pair: Pair, seen: Directory.Seen) {
        var policy = EnginePolicy.example
        policy.connections[0].unique = unique
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
        #expect(seen == Directory.Seen(added: 1, removed: 1, replaced: [false]))
        #expect(pair.events(SessionEstablished.self).map(\.replaces.clear) == [.example])
    }

    @Test("is replaced there at once after INITIAL_CONTACT, also where the old one is kept")
    func initialContact() throws {
        for unique in [UniquePolicy.replace, .keep] {
            let seen = try logIn(unique, initialContact: true).seen
            #expect(seen == Directory.Seen(added: 1, removed: 1, replaced: [true]))
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

    @Test("ends here when it has logged in there", arguments: [true, false])
    func superseded(atOnce: Bool) throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        let session = try #require(pair.events(SessionEstablished.self).first?.session.clear)
        pair.actAtGateway { $0.supersede(session, atOnce: atOnce, at: $1, &$2) }
        #expect(pair.tick.sessions == (atOnce ? 0 : 1))
        pair.drive(for: .seconds(60))
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.replaced])
    }
}
