package import Vocabulary

/// What one of several shards has no room for: its part of a pool or of a limit is used up, counting
/// those who are logging in. A new peer is better off at a shard that lacks less.
package struct Shortage: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Places for sessions of any kind.
    package static let sessions = Self(rawValue: 1 << 63)

    /// Addresses of a pool, by its place in the policy. Those beyond the 31st share a bit.
    static func pool(_ index: Int) -> Self { Self(rawValue: 1 << UInt64(min(max(index, 0), 31))) }

    /// Places of a connection, likewise.
    static func connection(_ index: Int) -> Self {
        Self(rawValue: 1 << UInt64(32 + min(max(index, 0), 30)))
    }
}

extension Engine {
    /// What a login that began now might not find.
    package var shortage: Shortage {
        var shortage: Shortage = []
        let coming = halfOpen.count
        let replaced = replacedCounts.values.reduce(0, +)
        if sessions.count - replaced + coming >= policy.sessionLimit { shortage.insert(.sessions) }
        for (index, pool) in policy.pools.enumerated()
        where pools[pool.name]?.hasRoom(for: UInt64(coming)) != true {
            shortage.insert(.pool(index))
        }
        for (index, connection) in policy.connections.enumerated() {
            guard let limit = connection.sessionLimit else { continue }
            let count =
                Int(clamping: sessionCounts[connection.name] ?? 0)
                - (replacedCounts[connection.name] ?? 0)
            if count + coming >= limit { shortage.insert(.connection(index)) }
        }
        return shortage
    }

    /// Whether a first request of a peer has been answered here, and comes again.
    package func hasAnswered(_ message: [UInt8], on path: Path) -> Bool {
        initiated[InitKey(message, from: path.remote)] != nil
    }
}
