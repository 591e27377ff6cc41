/// A moment on a clock that never steps. The epoch is the driver's; only differences mean
/// anything. Every pure module takes time as one of these.
package struct Instant: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Saturates at both ends of the clock.
    package static func + (instant: Self, span: Duration) -> Self {
        let span = span.nanoseconds
        let (sum, overflow) =
            span >= 0
            ? instant.nanoseconds.addingReportingOverflow(span.magnitude)
            : instant.nanoseconds.subtractingReportingOverflow(span.magnitude)
        guard overflow else { return Self(nanoseconds: sum) }
        return Self(nanoseconds: span >= 0 ? .max : 0)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .nanoseconds(Int64(clamping: left.nanoseconds) - Int64(clamping: right.nanoseconds))
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at ±292 years.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return tooLarge || overflow ? (seconds < 0 ? .min : .max) : sum
    }

    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

/// Nanoseconds since 1970-01-01T00:00:00Z, on a clock that can step. For records, never for
/// timers.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
