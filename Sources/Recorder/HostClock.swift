import Glibc
package import Vocabulary

/// Both clocks at one moment.
package struct ClockReading: Hashable, Sendable {
    /// CLOCK_BOOTTIME: never steps, and counts while the machine sleeps.
    package let instant: Instant
    /// CLOCK_REALTIME.
    package let wall: Timestamp

    package init(instant: Instant, wall: Timestamp) {
        self.instant = instant
        self.wall = wall
    }

    package static var now: ClockReading {
        ClockReading(
            instant: Instant(nanoseconds: UInt64(clamping: nanoseconds(of: CLOCK_BOOTTIME))),
            wall: Timestamp(nanoseconds: nanoseconds(of: CLOCK_REALTIME)))
    }

    /// Tells which boot an ``Instant`` belongs to; `unknown` where the kernel does not say.
    package static var bootID: String {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "unknown" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 36)
        let count = fread(&bytes, 1, bytes.count, file)
        return count == bytes.count ? escaped(bytes) : "unknown"
    }

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

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
