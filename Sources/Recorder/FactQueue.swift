import Synchronization
package import Vocabulary

/// What the gateway has to say: something happened, or this is how things stand.
package enum Fact: Sendable {
    case event(any Event, Instant)
    indirect case tick(Tick, Instant)

    package var instant: Instant {
        switch self {
        case .event(_, let instant), .tick(_, let instant): instant
        }
    }
}

/// The way from one thread of the gateway to the recorder: a ring of fixed size, with one thread
/// that writes and one that reads.
///
/// Recording takes no lock, never waits and never fails: where the ring is full, the fact is
/// dropped and its kind counted, and the recorder makes a loss marker of the count.
package final class FactQueue: @unchecked Sendable {
    private let slots: UnsafeMutablePointer<Fact>
    /// The capacity less one; the capacity is a power of two.
    private let mask: Int
    /// Facts ever written; moved by the producer only.
    private let written = Atomic<Int>(0)
    /// Facts ever read; moved by the consumer only.
    private let taken = Atomic<Int>(0)
    /// The producer's last look at `taken`.
    private var takenBefore = 0
    private let losses = LossTable()

    /// - Parameter capacity: facts; rounded up to a power of two, at least 2.
    package init(capacity: Int = 65_536) {
        let bits = Int.bitWidth - (min(max(capacity, 2), 1 << 24) - 1).leadingZeroBitCount
        mask = 1 << bits - 1
        slots = .allocate(capacity: mask + 1)
    }

    deinit {
        for position in taken.load(ordering: .acquiring)..<written.load(ordering: .acquiring) {
            (slots + position & mask).deinitialize(count: 1)
        }
        slots.deallocate()
    }

    /// Facts that wait. Exact for the consumer, a lower bound once the producer goes on.
    package var count: Int {
        written.load(ordering: .acquiring) - taken.load(ordering: .relaxed)
    }

    /// From the producer's thread only.
    package func record(_ event: any Event, at instant: Instant) {
        if !push(.event(event, instant)) { losses.add(weight(of: event), of: event.kind) }
    }

    /// From the producer's thread only.
    package func record(_ tick: Tick, at instant: Instant) {
        if !push(.tick(tick, instant)) { losses.add(1, of: LossTable.tick) }
    }

    private func push(_ fact: Fact) -> Bool {
        let position = written.load(ordering: .relaxed)
        if position - takenBefore > mask {
            takenBefore = taken.load(ordering: .acquiring)
            if position - takenBefore > mask { return false }
        }
        (slots + position & mask).initialize(to: fact)
        written.store(position + 1, ordering: .releasing)
        return true
    }

    /// Takes everything that waits. From the consumer's thread only.
    func drain(into facts: inout [Fact]) {
        let start = taken.load(ordering: .relaxed)
        let end = written.load(ordering: .acquiring)
        for position in start..<end {
            facts.append((slots + position & mask).move())
        }
        taken.store(end, ordering: .releasing)
    }

    /// Adds what was lost since the last call. From the consumer's thread only.
    func takeLosses(into lost: inout [String: UInt64]) { losses.take(into: &lost) }
}

/// How many events one stands for.
func weight(of event: any Event) -> UInt64 {
    event.coalescing?.count.clear ?? 1
}

/// Counts by kind of event. One thread adds, another takes.
private final class LossTable: @unchecked Sendable {
    /// The word for a tick, among the names of events.
    static let tick = "tick"
    private static let names = Catalogue.events.map(\.name) + [tick]
    private static let places = Dictionary(
        uniqueKeysWithValues: names.enumerated().map { ($1, $0) })

    private let counts: UnsafeMutableBufferPointer<Atomic<UInt64>>

    init() {
        counts = .allocate(capacity: Self.names.count)
        for index in counts.indices { counts.initializeElement(at: index, to: Atomic(0)) }
    }

    deinit {
        counts.deinitialize()
        counts.deallocate()
    }

    /// A kind that is not in the catalogue has no place here, nor in the store.
    func add(_ count: UInt64, of kind: String) {
        guard let place = Self.places[kind] else { return }
        counts[place].wrappingAdd(count, ordering: .relaxed)
    }

    func take(into lost: inout [String: UInt64]) {
        for (place, name) in Self.names.enumerated() {
            let count = counts[place].exchange(0, ordering: .relaxed)
            if count > 0 { lost[name, default: 0] &+= count }
        }
    }
}
