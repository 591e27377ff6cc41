import DequeModule
import Vocabulary

/// Lends addresses of up to two families.
struct Pool {
    private(set) var policy: PoolPolicy
    private(set) var ipv4: LendingBlock?
    private(set) var ipv6: LendingBlock?

    init(_ policy: PoolPolicy) {
        self.policy = policy
        ipv4 = policy.ipv4.map { LendingBlock($0) }
        ipv6 = policy.ipv6.map { LendingBlock($0) }
    }

    /// - Parameter identity: canonical bytes, to give a peer the address that it had.
    /// - Returns: nil if every address of the family is lent, or there are none.
    mutating func lend(_ family: AddressFamily, to identity: [UInt8]) -> IPAddress? {
        switch family {
        case .ipv4: ipv4?.lend(to: identity)
        case .ipv6: ipv6?.lend(to: identity)
        }
    }

    /// Lends this very address, if it is one of ours and nobody has it.
    mutating func lend(_ address: IPAddress, to identity: [UInt8]) -> Bool {
        (address.isIPv4 ? ipv4?.lend(address, to: identity) : ipv6?.lend(address, to: identity))
            ?? false
    }

    mutating func giveBack(_ address: IPAddress) {
        if address.isIPv4 { ipv4?.giveBack(address) } else { ipv6?.giveBack(address) }
    }

    var isUnused: Bool { [ipv4, ipv6].compactMap { $0 }.allSatisfy { $0.lent == 0 } }

    /// How many lent addresses a new policy would not have.
    func stranded(by new: PoolPolicy?) -> Int {
        (ipv4?.stranded(by: new?.ipv4) ?? 0) + (ipv6?.stranded(by: new?.ipv6) ?? 0)
    }

    /// Lends from other blocks from now on. Nothing that is lent may be outside of them.
    mutating func adopt(_ new: PoolPolicy) {
        ipv4 = new.ipv4.map { ipv4?.resized(to: $0) ?? LendingBlock($0) }
        ipv6 = new.ipv6.map { ipv6?.resized(to: $0) ?? LendingBlock($0) }
        policy = new
    }

    /// Whether there is an address left of each family when so many have been lent.
    func hasRoom(for coming: UInt64) -> Bool {
        let free = [ipv4, ipv6].compactMap { $0.map { $0.size - min($0.lent, $0.size) } }
        return !free.isEmpty && free.allSatisfy { $0 > coming }
    }

    /// How many addresses of a family there are.
    func size(_ family: AddressFamily) -> UInt64 {
        switch family {
        case .ipv4: ipv4?.size ?? 0
        case .ipv6: ipv6?.size ?? 0
        }
    }

    func contains(_ address: IPAddress) -> Bool {
        [policy.ipv4, policy.ipv6].contains { $0?.contains(address) ?? false }
    }

    /// The family with fewer addresses stands for the pool: it limits how many can log in.
    var state: PoolState {
        let scarce = [ipv4, ipv6].compactMap { $0 }.min { $0.size < $1.size }
        return PoolState(name: policy.name, size: scarce?.size ?? 0, used: scarce?.lent ?? 0)
    }
}

/// Lends the addresses of one block: the one that was free the longest goes first, so that a peer
/// that comes back soon finds its own again and records of who held what stay apart. Of a large
/// block it remembers no more than ``remembered`` addresses and holders, however many names come.
struct LendingBlock {
    /// Ours to choose; about 200 bytes each.
    static let remembered = 65_536

    private let block: AddressBlock
    /// The next address never lent, as the distance from the first; beyond the block when all
    /// were.
    private var next: UInt64 = 0
    /// Given back, oldest first. An address that its last holder took again stays here and is
    /// passed over; `queued` keeps it from standing here twice.
    private var free: Deque<IPAddress> = []
    private var queued: Set<IPAddress> = []
    /// Who had which address last.
    private var memory: [[UInt8]: IPAddress] = [:]
    private var used: Set<IPAddress> = []

    init(_ block: AddressBlock) { self.block = block }

    var size: UInt64 { block.count }
    var lent: UInt64 { UInt64(used.count) }
    /// What is held of addresses that nobody has.
    var held: Int { free.count + memory.count }

    mutating func lend(to identity: [UInt8]) -> IPAddress? {
        if let last = memory[identity], !used.contains(last) {
            used.insert(last)
            return last
        }
        let isFull = free.count >= Self.remembered
        let address =
            isFull ? takeReturned() ?? takeUnused() : takeUnused() ?? takeReturned()
        return address.map { take($0, for: identity) }
    }

    /// The next address that nobody ever had.
    private mutating func takeUnused() -> IPAddress? {
        while next < size {
            let address = IPAddress(
                number: block.first.number + UInt128(next), isIPv4: block.first.isIPv4)
            next += 1
            // It may be out, or wait among the free: it was asked for by name, or the block was
            // another one.
            if !used.contains(address), !queued.contains(address) { return address }
        }
        return nil
    }

    /// The address that was given back first.
    private mutating func takeReturned() -> IPAddress? {
        while let address = free.popFirst() {
            queued.remove(address)
            if !used.contains(address) { return address }
        }
        return nil
    }

    mutating func lend(_ address: IPAddress, to identity: [UInt8]) -> Bool {
        guard block.contains(address), !used.contains(address) else { return false }
        _ = take(address, for: identity)
        return true
    }

    func stranded(by new: AddressBlock?) -> Int {
        used.count { address in !(new.map { $0.contains(address) } ?? false) }
    }

    /// The same leases and memories in another block.
    func resized(to new: AddressBlock) -> LendingBlock {
        guard new != block else { return self }
        var resized = LendingBlock(new)
        resized.used = used
        resized.memory = memory.filter { new.contains($0.value) }
        resized.free = Deque(free.filter(new.contains))
        resized.queued = queued.filter(new.contains)
        return resized
    }

    mutating func giveBack(_ address: IPAddress) {
        guard used.remove(address) != nil, queued.insert(address).inserted else { return }
        free.append(address)
    }

    private mutating func take(_ address: IPAddress, for identity: [UInt8]) -> IPAddress {
        used.insert(address)
        if memory.count >= min(Int(clamping: size), Self.remembered) { memory.removeAll() }
        memory[identity] = address
        return address
    }
}
