package import Vocabulary

/// An alert as its receiver sees it: everything disclosed, nothing personal but a pseudonym.
package struct Alert: Hashable, Sendable {
    package let rule: RuleID
    package let severity: Severity
    /// The source that it is about, as the disclosure policy shows it.
    package let subject: String?
    /// What was seen and what was expected, in figures.
    package let evidence: String
    /// What the rule means, in one sentence.
    package let meaning: String
    /// What to do about it.
    package let runbook: String
    package let startsAt: Timestamp
    /// Nil while it is active.
    package var endsAt: Timestamp?

    package init(
        rule: RuleID, severity: Severity, subject: String?, evidence: String, meaning: String,
        runbook: String, startsAt: Timestamp, endsAt: Timestamp? = nil
    ) {
        self.rule = rule
        self.severity = severity
        self.subject = subject
        self.evidence = evidence
        self.meaning = meaning
        self.runbook = runbook
        self.startsAt = startsAt
        self.endsAt = endsAt
    }

    /// What tells alerts apart: Alertmanager's labels. An end must have those of its beginning.
    struct Key: Hashable, Sendable {
        let rule: RuleID
        let severity: Severity
        let subject: String?
    }

    var key: Key { Key(rule: rule, severity: severity, subject: subject) }

    /// `WeirRekeyStorm` for `rekey_storm`.
    var name: String {
        "Weir"
            + rule.rawValue.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined()
    }
}
