import Vocabulary

/// How long things are kept; nil is for good. Alerts and when the gateway ran are kept for good,
/// and what sessions' accounts rest on as long as the sessions.
package struct Retention: Hashable, Sendable {
    /// Samples of Child SAs.
    package var samples: Duration?
    /// The gateway's own figures and its pools', tick by tick.
    package var figures: Duration?
    /// Their sums by minute; kept as long as the ticks at least.
    package var minutes: Duration?
    /// Sums by hour: of these, kept as long as those by minute at least; and of what sessions
    /// carried, kept as long as the samples at least.
    package var hours: Duration?
    /// Events that belong to no session.
    package var events: Duration?
    /// Events of these kinds, by name; goes before ``events``.
    package var kinds: [String: Duration]
    /// All events of sessions that ended; kept as long as the samples at least.
    package var sessions: Duration?

    package init(
        samples: Duration? = nil, figures: Duration? = nil, minutes: Duration? = nil,
        hours: Duration? = nil, events: Duration? = nil, kinds: [String: Duration] = [:],
        sessions: Duration? = nil
    ) {
        self.samples = samples
        self.figures = figures
        self.minutes = minutes
        self.hours = hours
        self.events = events
        self.kinds = kinds
        self.sessions = sessions
    }

    /// Nil is for good.
    func age(of kind: EventKind) -> Duration? {
        guard !Catalogue.keptForGood.contains(kind.name) else { return nil }
        return kinds[kind.name] ?? (kind.hasSession ? nil : events)
    }

    /// Sums outlive what they are of.
    var figureAges: (ticks: Duration?, minutes: Duration?, hours: Duration?) {
        let minutes = longer(figures, minutes)
        return (figures, minutes, longer(minutes, hours))
    }

    var sessionAge: Duration? { longer(samples, sessions) }

    /// Of what sessions carried by hour.
    var trafficAge: Duration? { longer(samples, hours) }

    private func longer(_ left: Duration?, _ right: Duration?) -> Duration? {
        guard let left, let right else { return nil }
        return max(left, right)
    }
}
