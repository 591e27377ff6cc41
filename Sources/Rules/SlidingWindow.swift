import Vocabulary

/// Sums over the last 300 seconds, in slots of one second: a fixed amount of memory.
struct SlidingWindow: Sendable {
    static let seconds: UInt64 = 300

    struct Slot: Sendable {
        var rekeys: UInt64 = 0
        var expected = 0.0
    }

    private var slots = [Slot](repeating: Slot(), count: Int(seconds))
    /// The second that the newest slot stands for.
    private var newest: UInt64 = 0

    /// Forgets what is too old by now.
    mutating func advance(to time: Instant) {
        let second = time.nanoseconds / 1_000_000_000
        guard second > newest else { return }
        for step in 1...min(second - newest, Self.seconds) {
            slots[place(second - (step - 1))] = Slot()
        }
        newest = second
    }

    mutating func add(rekeys: UInt64 = 0, expected: Double = 0) {
        slots[place(newest)].rekeys += rekeys
        slots[place(newest)].expected += expected
    }

    var rekeys: UInt64 { slots.reduce(0) { $0 + $1.rekeys } }
    var expected: Double { slots.reduce(0) { $0 + $1.expected } }

    private func place(_ second: UInt64) -> Int { Int(second % Self.seconds) }
}
