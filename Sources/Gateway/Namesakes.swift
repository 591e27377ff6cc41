import Engine
import Synchronization
import Vocabulary

/// Who is logged in at which of several shards. The lock is held for a look-up, at logins and
/// logouts only.
final class Namesakes: UserDirectory {
    private struct State {
        var table = UserTable()
        var mailboxes: [Mailbox] = []
    }
    private let state = Mutex(State())

    /// Shards, in the order of their numbers.
    func add(_ mailbox: Mailbox) { state.withLock { $0.mailboxes.append(mailbox) } }

    func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession] {
        state.withLock { $0.table.sessions(of: user, besides: shard) }
    }

    func enter(
        _ session: RemoteSession, of user: UserKey, knowing others: [RemoteSession]
    ) -> Bool {
        state.withLock { $0.table.enter(session, of: user, knowing: others) }
    }

    func remove(_ session: SessionID, of user: UserKey) {
        state.withLock { $0.table.remove(session, of: user) }
    }

    func end(_ session: RemoteSession, of user: UserKey, _ manner: RemoteEnd) {
        let mailbox = state.withLock { state in
            state.table.remove(session.id, of: user)
            let number = Int(session.shard)
            return state.mailboxes.indices.contains(number) ? state.mailboxes[number] : nil
        }
        mailbox?.post(Replacement(session: session.id, manner: manner))
    }
}

/// News for a shard: a session's user has logged in elsewhere.
struct Replacement: Hashable, Sendable {
    let session: SessionID
    let manner: RemoteEnd
}
