import Engine
import Synchronization
import Vocabulary

/// Who is logged in at which of several shards. The lock is held for a look-up, at logins and
/// logouts only.
final class Namesakes: UserDirectory {
    private struct State {
        var sessions: [UserKey: [RemoteSession]] = [:]
        var mailboxes: [Mailbox] = []
    }
    private let state = Mutex(State())

    /// Shards, in the order of their numbers.
    func enter(_ mailbox: Mailbox) { state.withLock { $0.mailboxes.append(mailbox) } }

    func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession] {
        state.withLock { $0.sessions[user]?.filter { $0.shard != shard } ?? [] }
    }

    func add(_ session: RemoteSession, of user: UserKey) {
        state.withLock { $0.sessions[user, default: []].append(session) }
    }

    func remove(_ session: SessionID, of user: UserKey) {
        state.withLock { state in
            state.sessions[user]?.removeAll { $0.id == session }
            if state.sessions[user]?.isEmpty == true { state.sessions[user] = nil }
        }
    }

    func replace(_ session: RemoteSession, atOnce: Bool) {
        let mailbox = state.withLock { state in
            let number = Int(session.shard)
            return state.mailboxes.indices.contains(number) ? state.mailboxes[number] : nil
        }
        mailbox?.post(Replacement(session: session.id, atOnce: atOnce))
    }
}

/// News for a shard: a session's user has logged in elsewhere.
struct Replacement: Hashable, Sendable {
    let session: SessionID
    let atOnce: Bool
}
