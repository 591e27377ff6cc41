import DequeModule
import Vocabulary

/// Lends IPv4 addresses: the one that was free the longest goes first, so that a peer that comes
/// back soon finds its own again and records of who held what stay apart.
struct Pool {
    let policy: PoolPolicy
    /// The next address never lent, beyond `last` when all were.
    private var next: UInt64
    /// Given back, oldest first. An address that its last holder took again stays here and is
    /// passed over; `queued` keeps it from standing here twice.
    private var free: Deque<UInt32> = []
    private var queued: Set<UInt32> = []
    /// Who had which address last.
    private var memory: [[UInt8]: UInt32] = [:]
    private(set) var used: Set<UInt32> = []

    init(_ policy: PoolPolicy) {
        self.policy = policy
        next = UInt64(policy.first)
    }

    var size: UInt64 { UInt64(policy.last) - UInt64(policy.first) + 1 }

    /// - Parameter identity: canonical bytes, to give a peer the address that it had.
    mutating func lend(to identity: [UInt8]) -> UInt32? {
        if let last = memory[identity], !used.contains(last) {
            used.insert(last)
            return last
        }
        if next <= UInt64(policy.last) {
            let address = UInt32(next)
            next += 1
            return take(address, for: identity)
        }
        while let address = free.popFirst() {
            queued.remove(address)
            if !used.contains(address) { return take(address, for: identity) }
        }
        return nil
    }

    mutating func giveBack(_ address: UInt32) {
        guard used.remove(address) != nil, queued.insert(address).inserted else { return }
        free.append(address)
    }

    private mutating func take(_ address: UInt32, for identity: [UInt8]) -> UInt32 {
        used.insert(address)
        if memory.count >= Int(clamping: size) { memory.removeAll() }
        memory[identity] = address
        return address
    }
}
