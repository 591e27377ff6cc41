import Clocks
import Vocabulary

/// Tells what the wall clock showed at an instant, and when it jumps.
struct WallClock: Sendable {
    /// The wall clock less the monotonic one, in nanoseconds.
    private var offset: Int64

    init(_ reading: ClockReading) {
        offset = Self.offset(reading)
    }

    /// - Returns: how far the wall clock has jumped since the last call, if by more than a second.
    ///   Less is drift, and followed quietly.
    mutating func observe(_ reading: ClockReading) -> Duration? {
        let (step, overflow) = Self.offset(reading).subtractingReportingOverflow(offset)
        offset = Self.offset(reading)
        return overflow || step.magnitude > 1_000_000_000 ? .nanoseconds(step) : nil
    }

    /// By the offset of the last reading: a fact of the last tenth of a second before a jump is
    /// dated by the clock after it.
    func timestamp(of instant: Instant) -> Timestamp {
        Timestamp(nanoseconds: Int64(clamping: instant.nanoseconds) &+ offset)
    }

    private static func offset(_ reading: ClockReading) -> Int64 {
        reading.wall.nanoseconds &- Int64(clamping: reading.instant.nanoseconds)
    }
}
