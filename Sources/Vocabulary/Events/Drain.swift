/// No new sessions, and those that there are are to leave.
package struct GatewayDraining: Event {
    package var sessions: Public<UInt64>
    package var redirected: Public<UInt64>
    package var deadlineMilliseconds: Public<UInt64>
    package var targets: Public<String?>

    package init(
        sessions: UInt64, redirected: UInt64, deadlineMilliseconds: UInt64, targets: String?
    ) {
        self.sessions = Public(sessions)
        self.redirected = Public(redirected)
        self.deadlineMilliseconds = Public(deadlineMilliseconds)
        self.targets = Public(targets)
    }

    package static let schema = Schema<Self>(
        "gateway_draining", since: 1, rfc: "5685 §3",
        "The gateway lets nobody in any more, and its users are to leave.",
        fields: [
            Field("sessions", \.sessions, in: .count, "sessions that were up"),
            Field(
                "redirected", \.redirected, in: .count,
                "of these, sessions whose peer can follow to another gateway"),
            Field(
                "deadline_ms", \.deadlineMilliseconds, in: .milliseconds,
                "what is left after so long is deleted"),
            Field("targets", \.targets, "the other gateways"),
        ])

    package static let example = Self(
        sessions: 120, redirected: 87, deadlineMilliseconds: 600_000, targets: "gw2.example.net")
}

/// A drain is over.
package struct GatewayDrainEnded: Event {
    package var cause: Public<DrainEnd>
    package var left: Public<UInt64>

    package init(cause: DrainEnd, left: UInt64) {
        self.cause = Public(cause)
        self.left = Public(left)
    }

    package static let schema = Schema<Self>(
        "gateway_drain_ended", since: 1,
        "Nobody is left of those who were to leave, or the gateway lets users in again.",
        fields: [
            Field("cause", \.cause, "which of the two"),
            Field("left", \.left, in: .count, "sessions that are up"),
        ])

    package static let example = Self(cause: .finished, left: 0)
}
