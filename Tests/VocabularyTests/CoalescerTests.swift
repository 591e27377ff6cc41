import Testing
import Vocabulary

@Suite("Coalescer")
struct CoalescerTests {
    @Test("keeps sums by likeness, whatever comes", arguments: 0..<5 as Range<UInt64>)
    func sums(_ seed: UInt64) {
        var random = Generator(state: seed)
        var coalescer = Coalescer()
        var sent: [[Datum]: UInt64] = [:]
        var received: [[Datum]: UInt64] = [:]
        var rows = 0
        var now = Instant(nanoseconds: 7)
        func take(_ released: [Coalescer.Timed]) {
            rows += released.count
            for timed in released {
                received[likeness(timed.event), default: 0] += timed.event.count.clear
            }
        }
        for _ in 0..<4_000 {
            now = now + .nanoseconds(Int64(random.next() % 1_000_000))
            let source = IPAddress.v4(UInt32(random.next() % 5))
            var event: any CoalescingEvent =
                switch random.next() % 3 {
                case 0: IKESAInitReceived(proof: .spoofable, source: source)
                case 1: MessageDropped(reason: .malformed, proof: .spoofable, source: source)
                default: ESPDropped(reason: .replay, session: nil, source: source)
                }
            event = counted(event, random.next() % 9)
            sent[likeness(event), default: 0] += event.count.clear
            take(coalescer.add(event, at: now))
            if random.next() % 100 == 0 { take(coalescer.release(at: now)) }
        }
        take(coalescer.release())
        #expect(received == sent)
        // 15 likenesses in each of two or three seconds.
        #expect(rows <= 15 * 4)
    }

    @Test("one row for a second, at the time of the first")
    func second() {
        var coalescer = Coalescer()
        let event = IKESAInitReceived.example
        #expect(coalescer.add(event, at: Instant(nanoseconds: 5_100_000_000)).isEmpty)
        #expect(coalescer.add(event, at: Instant(nanoseconds: 5_999_999_999)).isEmpty)
        #expect(coalescer.release(at: Instant(nanoseconds: 5_999_999_999)).isEmpty)
        let released = coalescer.add(event, at: Instant(nanoseconds: 6_000_000_000))
        #expect(released.map(\.event.count.clear) == [2])
        #expect(released.map(\.instant.nanoseconds) == [5_100_000_000])
        #expect(coalescer.release(at: Instant(nanoseconds: 7_000_000_000)).count == 1)
        #expect(coalescer.release().isEmpty)
    }

    @Test("a flood of sources is told by network, then not at all, and no count is lost")
    func flood() {
        var coalescer = Coalescer()
        var rows: [Coalescer.Timed] = []
        // Scattered, so that almost every one is in a network of its own.
        for number in 0..<100_000 as Range<UInt32> {
            let source =
                number % 2 == 0
                ? IPAddress.v4(number &* 2_654_435_761)
                : .v6(high: UInt64(number) &* 0x9e37_79b9_7f4a_7c15, low: 1)
            rows += coalescer.add(
                MessageDropped(reason: .malformed, proof: .spoofable, source: source),
                at: Instant(nanoseconds: 1))
        }
        #expect(rows.isEmpty)
        rows = coalescer.release()
        #expect(rows.count <= 2 * Coalescer.sourceLimit + 2)
        #expect(rows.reduce(0) { $0 + $1.event.count.clear } == 100_000)
        let bits = rows.compactMap { ($0.event as? MessageDropped)?.sourceBits.clear }
        #expect(Set(bits) == [32, 128, 24, 48, 0])
        #expect(bits.count { $0 == 32 || $0 == 128 } == Coalescer.sourceLimit)
    }

    @Test("lets the first of each second pass, if asked to")
    func passing() {
        var coalescer = Coalescer(passing: 2)
        let event = IKESAInitReceived.example
        let counts = (0..<5).map { _ in coalescer.add(event, at: Instant(nanoseconds: 1)).count }
        #expect(counts == [1, 1, 0, 0, 0])
        let next = coalescer.add(event, at: Instant(nanoseconds: 1_000_000_001))
        #expect(next.map(\.event.count.clear) == [3, 1])
    }

    @Test("counts saturate")
    func saturation() {
        var coalescer = Coalescer()
        let event = counted(IKESAInitReceived.example, .max)
        _ = coalescer.add(event, at: Instant(nanoseconds: 1))
        _ = coalescer.add(event, at: Instant(nanoseconds: 1))
        #expect(coalescer.release().map(\.event.count.clear) == [.max])
    }
}

private let clear = Disclosure(
    identities: .clear, addresses: .clear, virtualAddresses: .clear, pseudonymiser: Nobody())

private struct Nobody: Pseudonymiser {
    func pseudonym(of _: [UInt8], for _: Purpose) -> String { "" }
}

private func counted(_ event: some CoalescingEvent, _ count: UInt64) -> any CoalescingEvent {
    var event = event
    event.count = Public(count)
    return event
}

/// All that an event says but its count, which is the last field of all three kinds.
private func likeness(_ event: any Event) -> [Datum] {
    let disclosed = event.disclosed(under: clear)
    return [.text(disclosed.kind)] + disclosed.values.dropLast()
}

/// SplitMix64.
private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
