/// A rule found something.
package struct AlertFired: Event {
    package var rule: Public<RuleID>
    package var severity: Public<Severity>
    package var subject: Personal<IPAddress?>
    package var evidence: Public<String>

    package init(rule: RuleID, severity: Severity, subject: IPAddress?, evidence: String) {
        self.init(
            rule: rule, severity: severity, subject: Personal(subject), evidence: evidence)
    }

    /// - Parameter evidence: figures, never a personal value.
    package init(
        rule: RuleID, severity: Severity, subject: Personal<IPAddress?>, evidence: String
    ) {
        self.rule = Public(rule)
        self.severity = Public(severity)
        self.subject = subject
        self.evidence = Public(evidence)
    }

    package static let schema = Schema<Self>(
        "alert_fired", since: 1, "A rule found something that a person should know of.",
        fields: [
            Field("rule", \.rule, "the rule"),
            Field("severity", \.severity, "how bad"),
            Field("subject", \.subject, "the source address that it is about, if one"),
            Field("evidence", \.evidence, "what was seen and what was expected, in figures"),
        ],
        counters: [Counter("weir_alerts_fired_total", "Alerts raised.", by: "rule", \.rule)])

    package static let example = Self(
        rule: .authenticationFailures, severity: .warning, subject: .v4(0xc000_0207),
        evidence: "10 failed logins in 60 s, 10 is the limit")
}

/// What a rule found is over.
package struct AlertResolved: Event {
    package var rule: Public<RuleID>
    package var subject: Personal<IPAddress?>

    package init(rule: RuleID, subject: Personal<IPAddress?>) {
        self.rule = Public(rule)
        self.subject = subject
    }

    package static let schema = Schema<Self>(
        "alert_resolved", since: 1, "What a rule found is over.",
        fields: [
            Field("rule", \.rule, "the rule"),
            Field("subject", \.subject, "the source address that it was about, if one"),
        ],
        counters: [
            Counter("weir_alerts_resolved_total", "Alerts that ended.", by: "rule", \.rule)
        ])

    package static let example = Self(
        rule: .authenticationFailures, subject: Personal(.v4(0xc000_0207)))
}
