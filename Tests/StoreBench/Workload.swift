import Glibc

/// The workload "SA counters", from a fixed seed: `slots` sessions, each always with one Child SA,
/// four counters every 15 s, idle seven times in ten, rekeyed after 54 to 60 minutes. The same
/// numbers as a generator in C that every peer was measured with: the digest tells.
struct Workload {
    struct ChildSA {
        var slot: Int
        var number: UInt64
        var end: Int
        /// Bytes in, bytes out, packets in, packets out.
        var counters: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        fileprivate var random: Random
    }

    static let start: Int64 = 1_767_225_600
    static let step: Int64 = 15
    let ticks: Int
    private(set) var tick = -1
    private(set) var children: [ChildSA] = []
    private(set) var nextNumber: UInt64 = 0

    init(slots: Int, hours: Double) {
        ticks = Int(hours * 3_600 / Double(Self.step))
        for slot in 0..<slots {
            var seed = Random(state: 0xC0_FFEE_1234 ^ (UInt64(slot) &* 0xD134_2543_DE82_EF95))
            var random = Random(state: 0)
            let first = seed.next()
            random.state = first ^ (seed.next() << 1)
            let end = 1 + Int(random.uniform() * 228)
            children.append(ChildSA(slot: slot, number: nextNumber, end: end, random: random))
            nextNumber += 1
        }
    }

    var seconds: Int64 { Self.start + Int64(tick) * Self.step }

    /// - Returns: the slots whose Child SA was replaced; nil at the end.
    mutating func advance() -> [Int]? {
        tick += 1
        guard tick < ticks else { return nil }
        var replaced: [Int] = []
        for slot in children.indices where advance(slot) { replaced.append(slot) }
        return replaced
    }

    private mutating func advance(_ slot: Int) -> Bool {
        let isReplaced = tick == children[slot].end
        if isReplaced {
            children[slot].number = nextNumber
            nextNumber += 1
            children[slot].end = tick + 216 + Int(children[slot].random.uniform() * 25)
            children[slot].counters = (0, 0, 0, 0)
        }
        guard children[slot].random.uniform() < 0.3 else { return isReplaced }
        let packetsIn = floor(exp(5.010635294 + 1.5 * children[slot].random.normal())) + 1
        let packetsOut = floor(packetsIn * exp(0.4 * children[slot].random.normal())) + 1
        let sizeIn = min(max(exp(5.521460918 + 0.6 * children[slot].random.normal()), 60), 1_400)
        let sizeOut = min(max(exp(6.551080335 + 0.6 * children[slot].random.normal()), 60), 1_400)
        children[slot].counters.0 += UInt64(packetsIn * sizeIn)
        children[slot].counters.1 += UInt64(packetsOut * sizeOut)
        children[slot].counters.2 += UInt64(packetsIn)
        children[slot].counters.3 += UInt64(packetsOut)
        return isReplaced
    }
}

/// SplitMix64, with a normal deviate by Box and Muller.
private struct Random {
    var state: UInt64
    private var spare: Double?

    init(state: UInt64) { self.state = state }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform() -> Double {
        (Double(next() >> 11) + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    mutating func normal() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        let first = uniform()
        let second = uniform()
        let radius = sqrt(-2 * log(first))
        let angle = 6.283185307179586 * second
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
