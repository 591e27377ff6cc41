import Testing
import Vocabulary

@testable import Recorder

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
                case 0: IKESAInitReceived(source: source)
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

    @Test("a flood of sources is let go early, and bounded")
    func flood() {
        var coalescer = Coalescer()
        var rows = 0
        for number in 0..<10_000 as Range<UInt32> {
            rows +=
                coalescer.add(
                    IKESAInitReceived(source: .v4(number)), at: Instant(nanoseconds: 1)
                ).count
        }
        #expect(rows == 2 * Coalescer.limit)
        #expect(coalescer.release().count == 10_000 - 2 * Coalescer.limit)
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
    identities: .clear, addresses: .clear, virtualAddresses: .clear,
    pseudonymiser: KeyedPseudonymiser(key: key))

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
