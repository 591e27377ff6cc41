import Foundation
import Testing
import Vocabulary

@testable import Recorder

@Suite("Fact queue")
struct FactQueueTests {
    @Test("keeps the order of one thread for another")
    func twoThreads() async {
        let queue = FactQueue(capacity: 64)
        let total: UInt64 = 200_000
        Thread.detachNewThread {
            for number in 0..<total {
                queue.record(GatewayStarted.example, at: Instant(nanoseconds: number))
            }
            queue.record(GatewayStopped.example, at: Instant(nanoseconds: total))
        }
        var seen: [UInt64] = []
        var lost: [String: UInt64] = [:]
        var facts: [Fact] = []
        while seen.last != total, lost["gateway_stopped"] == nil {
            facts.removeAll(keepingCapacity: true)
            queue.drain(into: &facts)
            seen += facts.map(\.instant.nanoseconds)
            queue.takeLosses(into: &lost)
            await Task.yield()
        }
        queue.takeLosses(into: &lost)
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 < $1 })
        #expect(UInt64(seen.count) + lost.values.reduce(0, +) == total + 1)
    }

    @Test("counts by kind what it has no room for", arguments: [1, 2, 5, 64])
    func overflow(_ capacity: Int) {
        let queue = FactQueue(capacity: capacity)
        let room = capacity <= 2 ? 2 : capacity == 5 ? 8 : 64
        for number in 0..<room {
            queue.record(Tick(), at: Instant(nanoseconds: UInt64(number)))
        }
        #expect(queue.count == room)
        for _ in 0..<3 { queue.record(Tick(), at: Instant(nanoseconds: 0)) }
        for _ in 0..<5 { queue.record(failure, at: Instant(nanoseconds: 0)) }
        // One event that stands for three packets.
        for _ in 0..<2 { queue.record(ESPDropped.example, at: Instant(nanoseconds: 0)) }
        var lost: [String: UInt64] = [:]
        queue.takeLosses(into: &lost)
        #expect(lost == ["tick": 3, "ike_auth_failed": 5, "esp_dropped": 6])
        queue.takeLosses(into: &lost)
        #expect(lost == ["tick": 3, "ike_auth_failed": 5, "esp_dropped": 6])

        var facts: [Fact] = []
        queue.drain(into: &facts)
        #expect(facts.map(\.instant.nanoseconds) == (0..<UInt64(room)).map(\.self))
        queue.record(failure, at: Instant(nanoseconds: 9))
        #expect(queue.count == 1)
    }

    @Test("every kind in the catalogue can be counted as lost")
    func everyKind() {
        let queue = FactQueue(capacity: 2)
        for _ in 0..<2 { queue.record(Tick(), at: Instant(nanoseconds: 0)) }
        for kind in Catalogue.events { queue.record(kind.example, at: Instant(nanoseconds: 0)) }
        var lost: [String: UInt64] = [:]
        queue.takeLosses(into: &lost)
        #expect(Set(lost.keys) == Set(Catalogue.events.map(\.name)))
    }

    @Test("frees what nobody took")
    func leftovers() {
        weak var witness: Witness?
        do {
            let queue = FactQueue(capacity: 8)
            let held = Witness()
            witness = held
            queue.record(Witnessed(witness: held), at: Instant(nanoseconds: 0))
        }
        #expect(witness == nil)
    }
}

private final class Witness: Sendable {}

private struct Witnessed: Event {
    let witness: Witness
    static let schema = Schema<Self>("witnessed", since: 1, "For this test.", fields: [])
    static var example: Self { Self(witness: Witness()) }
}
