package import Vocabulary

/// An event after the redaction policy, with its two times.
package struct RecordedEvent: Hashable, Sendable {
    /// The wall clock's; can step.
    package let at: Timestamp
    /// The monotonic clock's; comparable within one boot.
    package let instant: Instant
    package let event: DisclosedEvent

    package init(at: Timestamp, instant: Instant, event: DisclosedEvent) {
        self.at = at
        self.instant = instant
        self.event = event
    }
}

/// A sampling of the gateway, with its two times.
package struct RecordedTick: Sendable {
    /// The wall clock's; can step.
    package let at: Timestamp
    /// The monotonic clock's; comparable within one boot.
    package let instant: Instant
    package let tick: Tick

    package init(at: Timestamp, instant: Instant, tick: Tick) {
        self.at = at
        self.instant = instant
        self.tick = tick
    }
}
