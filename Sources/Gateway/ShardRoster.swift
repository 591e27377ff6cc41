package import Engine
import Synchronization
package import Vocabulary

/// The roster of one gateway's shards: a dictionary behind a lock, which logins and logouts take for
/// a moment. It holds as many entries as there are sessions.
package final class ShardRoster: Roster {
    private let state = Mutex(State())

    private struct State {
        var entries: [RosterUser: [RosterEntry]] = [:]
        var mailboxes: [Mailbox] = []
    }

    package init() {}

    /// In the order of the shards' numbers.
    func add(_ mailbox: Mailbox) { state.withLock { $0.mailboxes.append(mailbox) } }

    package func enter(_ entry: RosterEntry, of user: RosterUser) -> [RosterEntry] {
        state.withLock { state in
            let elsewhere = (state.entries[user] ?? []).filter { $0.shard != entry.shard }
            state.entries[user, default: []].append(entry)
            return elsewhere
        }
    }

    package func leave(_ session: SessionID, of user: RosterUser) {
        state.withLock { state in
            state.entries[user]?.removeAll { $0.session == session }
            if state.entries[user]?.isEmpty == true { state.entries[user] = nil }
        }
    }

    package func sessions(of user: RosterUser, besides shard: UInt8) -> [RosterEntry] {
        state.withLock { ($0.entries[user] ?? []).filter { $0.shard != shard } }
    }

    package func supersede(_ entries: [RosterEntry], lost: Bool) {
        let mailboxes = state.withLock { $0.mailboxes }
        for entry in entries where mailboxes.indices.contains(Int(entry.shard)) {
            mailboxes[Int(entry.shard)].supersede(entry.session, lost: lost)
        }
    }
}
