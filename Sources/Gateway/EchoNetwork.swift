/// An inner network in memory, where every address exists and answers: ICMP echo requests by
/// replies, UDP by the same datagram sent back. Everything else is dropped and counted. For
/// demonstrations, tests and load: it needs no privilege and touches no interface.
package final class EchoNetwork: InnerNetwork {
    /// Answers that may wait; twice a batch, as the gateway reads after each batch.
    private static let slots = 2 * DatagramBatch.capacity

    package private(set) var dropped: UInt64 = 0
    private let slab: UnsafeMutableBufferPointer<UInt8>
    private var lengths = [Int](repeating: 0, count: slots)
    private var first = 0
    private var waiting = 0

    package init() {
        slab = .allocate(capacity: Self.slots * DatagramBatch.slotSize)
        slab.initialize(repeating: 0)
    }

    deinit { slab.deallocate() }

    package var descriptor: Int32? { nil }

    package func write(_ packet: UnsafeMutableBufferPointer<UInt8>) {
        guard waiting < Self.slots, packet.count <= DatagramBatch.slotSize else {
            dropped += 1
            return
        }
        let slot = (first + waiting) % Self.slots
        let start = slot * DatagramBatch.slotSize
        let answer = UnsafeMutableBufferPointer(
            rebasing: slab[start..<(start + packet.count)])
        _ = answer.update(from: packet)
        guard EchoAnswer.turn(answer) else {
            dropped += 1
            return
        }
        lengths[slot] = packet.count
        waiting += 1
    }

    package func read(into room: UnsafeMutableBufferPointer<UInt8>) -> InnerRead {
        guard waiting > 0 else { return .empty }
        let slot = first
        first = (first + 1) % Self.slots
        waiting -= 1
        guard lengths[slot] <= room.count else {
            dropped += 1
            return .empty
        }
        let start = slot * DatagramBatch.slotSize
        _ = room.update(from: slab[start..<(start + lengths[slot])])
        return .packet(lengths[slot])
    }

    /// Every address is there already.
    package private(set) var routes: Set<InnerPrefix> = []
    package func route(to prefixes: Set<InnerPrefix>) { routes = prefixes }

    package func close() {}
}
