import Engine
import Synchronization
import TestKit
import Testing
import Vocabulary

/// The other shards of a gateway, with one session of every user.
private final class OtherShards: Roster {
    let source: IPAddress
    let entered = Mutex<[SessionID]>([])
    let left = Mutex<[SessionID]>([])
    /// What was told of each superseded session: whether it is lost.
    let superseded = Mutex<[Bool]>([])

    init(source: IPAddress) { self.source = source }

    private var entry: RosterEntry {
        RosterEntry(shard: 7, session: SessionID(high: 7, low: 7), source: source)
    }

    func enter(_ entry: RosterEntry, of user: RosterUser) -> [RosterEntry] {
        entered.withLock { $0.append(entry.session) }
        return [self.entry]
    }

    func leave(_ session: SessionID, of user: RosterUser) {
        left.withLock { $0.append(session) }
    }

    func sessions(of user: RosterUser, besides shard: UInt8) -> [RosterEntry] { [entry] }

    func supersede(_ entries: [RosterEntry], lost: Bool) {
        superseded.withLock { $0 += entries.map { _ in lost } }
    }
}

@Suite("A user at two shards")
struct RosterTests {
    private func pair(
        _ unique: UniquePolicy, from source: IPAddress = .v4(1)
    ) -> (Pair, OtherShards) {
        var policy = EnginePolicy.example
        policy.connections[0].unique = unique
        let pair = Pair(policy)
        let others = OtherShards(source: source)
        pair.gateway.roster = others
        return (pair, others)
    }

    @Test("has the other session replaced, unless both may stay", arguments: [true, false])
    func replaced(initialContact: Bool) throws {
        for unique in [UniquePolicy.replace, .never] {
            let (pair, others) = pair(unique)
            var client = ClientPolicy.example
            client.initialContact = initialContact
            let handle = try #require(pair.connect(client))
            pair.drive()
            let session = try #require(pair.events(SessionEstablished.self).first)
            #expect(others.entered.withLock { $0 } == [session.session.clear])
            #expect(
                others.superseded.withLock { $0 } == (unique == .never ? [] : [initialContact]))
            #expect(
                session.replaces.clear == (unique == .never ? nil : SessionID(high: 7, low: 7)))
            pair.act { $0.disconnect(handle, at: $1, &$2) }
            pair.drive(for: .seconds(60))
            #expect(others.left.withLock { $0 } == [session.session.clear])
            #expect(pair.gateway.isIdle)
        }
    }

    @Test("is kept out by the other session, but for INITIAL_CONTACT and from where it was")
    func kept() throws {
        for (source, initialContact, isAdmitted) in [
            (IPAddress.v4(1), false, false), (.v4(1), true, true),
            (Pair.clientAddress, false, true),
        ] {
            let (pair, others) = pair(.keep, from: source)
            var client = ClientPolicy.example
            client.initialContact = initialContact
            _ = pair.connect(client)
            pair.drive()
            #expect(pair.tick.sessions == (isAdmitted ? 1 : 0))
            #expect(pair.failureReasons == (isAdmitted ? [] : [.alreadyConnected]))
            #expect(others.superseded.withLock { $0 } == (isAdmitted ? [initialContact] : []))
        }
    }

    @Test("leaves this one at once if it is lost, or has a moment to say goodbye")
    func superseded() throws {
        for lost in [true, false] {
            let pair = Pair()
            _ = try #require(pair.connect())
            pair.drive()
            let session = try #require(pair.events(SessionEstablished.self).first?.session.clear)
            pair.actAtGateway { $0.supersede(session, lost: lost, at: $1, &$2) }
            pair.drive(for: .seconds(1))
            #expect(pair.tick.sessions == (lost ? 0 : 1))
            pair.drive(for: .seconds(11))
            #expect(pair.tick.sessions == 0)
            #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.replaced])
            // Nobody has that session.
            pair.actAtGateway { $0.supersede(session, lost: lost, at: $1, &$2) }
        }
    }
}
