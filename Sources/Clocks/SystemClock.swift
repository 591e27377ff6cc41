import Glibc
package import Vocabulary

/// The clocks of this machine.
package enum SystemClock {
    /// Time since boot, suspended time included (CLOCK_BOOTTIME). Never steps.
    package static var now: Instant {
        Instant(nanoseconds: UInt64(clamping: nanoseconds(of: CLOCK_BOOTTIME)))
    }

    /// The time of day (CLOCK_REALTIME). Can step; for records, never for timers.
    package static var wall: Timestamp {
        Timestamp(nanoseconds: nanoseconds(of: CLOCK_REALTIME))
    }

    /// What to add to an ``Instant`` of ``now`` to get a ``Timestamp``, in nanoseconds.
    package static var wallOffset: Int64 {
        wall.nanoseconds &- Int64(clamping: now.nanoseconds)
    }

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
