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
        ClockReading(instant: SystemClock.now, wall: SystemClock.wall)
    }

    /// Tells which boot an ``Instant`` belongs to; `unknown` where the kernel does not say.
    package static var bootID: String {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "unknown" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 36)
        let count = fread(&bytes, 1, bytes.count, file)
        return count == bytes.count ? escaped(bytes) : "unknown"
    }
}
