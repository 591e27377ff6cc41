package import Vocabulary

/// Something that a person should know of, found by a rule.
package struct Finding: Sendable, Hashable {
    package let rule: RuleID
    package let severity: Severity
    /// The source address that it is about; none if it is about the gateway.
    package let subject: Personal<IPAddress?>
    /// What was seen and what was expected. Figures only, never a personal value.
    package let evidence: String

    package init(
        rule: RuleID, severity: Severity, subject: Personal<IPAddress?>, evidence: String
    ) {
        self.rule = rule
        self.severity = severity
        self.subject = subject
        self.evidence = evidence
    }
}

/// What a rule has to say. A rule that fired says nothing more of the same subject until it
/// resolves; one whose severity rises resolves first and fires anew.
package enum Verdict: Sendable, Hashable {
    case fires(Finding)
    case resolves(rule: RuleID, subject: Personal<IPAddress?>)
}

/// Watches facts for one kind of trouble. Its memory is bounded whatever a peer sends.
///
/// Instants may come slightly out of order; a rule takes an earlier one as now.
package protocol Rule: Sendable {
    static var id: RuleID { get }
    /// What it means when it fires, in one sentence.
    static var meaning: String { get }
    /// What to do about it.
    static var runbook: String { get }
    /// Timelines at which it fires and at which it stays quiet.
    static var examples: [Example] { get }

    init()
    mutating func observe(_ event: any Event, at time: Instant) -> [Verdict]
    mutating func tick(_ tick: Tick, at time: Instant) -> [Verdict]
}

/// What happened, and when, in seconds after the timeline's start.
package struct Moment: Sendable {
    package enum Fact: Sendable {
        case event(any Event)
        case tick(Tick)
    }

    package let at: Instant
    package let fact: Fact

    package static func event(_ event: any Event, at seconds: Double) -> Moment {
        Moment(at: instant(seconds), fact: .event(event))
    }

    package static func tick(at seconds: Double) -> Moment {
        Moment(at: instant(seconds), fact: .tick(Tick()))
    }

    private static func instant(_ seconds: Double) -> Instant {
        Instant(nanoseconds: 0) + .seconds(seconds)
    }
}

/// A timeline, and whether the rule fires somewhere along it.
package struct Example: Sendable {
    package let name: String
    package let fires: Bool
    package let timeline: [Moment]

    package static func fires(_ name: String, _ timeline: [Moment]) -> Example {
        Example(name: name, fires: true, timeline: timeline)
    }

    package static func staysQuiet(_ name: String, _ timeline: [Moment]) -> Example {
        Example(name: name, fires: false, timeline: timeline)
    }
}
