/// The gateway is up.
package struct GatewayStarted: Event {
    package var version: Public<String>

    package init(version: String) { self.version = Public(version) }

    package static let schema = Schema<Self>(
        "gateway_started", since: 1, "The gateway listens.",
        fields: [Field("version", \.version, "Weir's version")])

    package static let example = Self(version: "0.1.0")
}

/// The gateway is down.
package struct GatewayStopped: Event {
    package var cause: Public<StopCause>
    package var uncertaintyMilliseconds: Public<UInt64>

    package init(cause: StopCause, uncertaintyMilliseconds: UInt64 = 0) {
        self.cause = Public(cause)
        self.uncertaintyMilliseconds = Public(uncertaintyMilliseconds)
    }

    package static let schema = Schema<Self>(
        "gateway_stopped", since: 1, "The gateway ended, or was found to have ended.",
        fields: [
            Field("cause", \.cause, "why"),
            Field(
                "uncertainty_ms", \.uncertaintyMilliseconds, in: .milliseconds,
                "it may have ended up to this much earlier"),
        ])

    package static let example = Self(cause: .signal)
}

/// Facts were lost, and this is how many.
package struct EventsLost: Event {
    package var kind: Public<String>
    package var count: Public<UInt64>

    package init(kind: String, count: UInt64) {
        self.kind = Public(kind)
        self.count = Public(count)
    }

    package static let schema = Schema<Self>(
        "events_lost", since: 1,
        "The recorder's queue was full; these events have no record but this one.",
        fields: [
            Field("kind", \.kind, "the kind of event, or `tick` for a sampling of the counters"),
            Field("count", \.count, in: .count, "how many since the last such record"),
        ],
        counters: [
            Counter(
                "weir_events_lost_total", "Events that the recorder's queue had no room for.",
                adding: { $0.count.clear })
        ])

    package static let example = Self(kind: "message_dropped", count: 12)
}

/// The wall clock jumped.
package struct ClockStepped: Event {
    package var stepMilliseconds: Public<Int64>

    package init(stepMilliseconds: Int64) { self.stepMilliseconds = Public(stepMilliseconds) }

    package static let schema = Schema<Self>(
        "clock_stepped", since: 1,
        "The wall clock jumped against the monotonic one; times before and after don't compare.",
        fields: [
            Field(
                "step_ms", \.stepMilliseconds, in: .milliseconds,
                "how far, positive if the clock went forward")
        ],
        counters: [Counter("weir_clock_steps_total", "Jumps of the wall clock.")])

    package static let example = Self(stepMilliseconds: -3_600_000)
}

/// A reader keeps the store's write-ahead log from being folded into the store.
package struct StoreLogPinned: Event {
    package var logBytes: Public<UInt64>

    package init(logBytes: UInt64) { self.logBytes = Public(logBytes) }

    package static let schema = Schema<Self>(
        "store_log_pinned", since: 1,
        "A reader holds one question open, so that the store's write-ahead log can only grow.",
        fields: [Field("log_bytes", \.logBytes, in: .bytes, "how long the log is by now")])

    package static let example = Self(logBytes: 67_108_864)
}
