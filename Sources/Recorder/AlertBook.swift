package import Alerts
import Rules
package import Vocabulary

/// An alert that has not ended, as people may see it.
package struct ActiveAlert: Hashable, Sendable {
    package let rule: RuleID
    package let severity: Severity
    /// The source that it is about, disclosed; nil if it is about the gateway.
    package let subject: String?
    /// Figures.
    package let evidence: String
    package let since: Timestamp

    /// For the notifier.
    ///
    /// - Parameter end: nil while it is active.
    package func notice(endedAt end: Timestamp? = nil) -> Alert {
        let rule = RuleBook.rule(self.rule)
        return Alert(
            rule: self.rule, severity: severity, subject: subject, evidence: evidence,
            meaning: rule?.meaning ?? "", runbook: rule?.runbook ?? "", startsAt: since,
            endsAt: end)
    }
}

/// The alerts that are active. As large as the rules let it be: they bound what they watch.
struct AlertBook: Sendable {
    private struct Key: Hashable {
        let rule: RuleID
        let subject: Personal<IPAddress?>
    }

    private var alerts: [Key: ActiveAlert] = [:]

    /// Oldest first.
    var active: [ActiveAlert] {
        alerts.values.sorted { ($0.since, $0.evidence) < ($1.since, $1.evidence) }
    }

    func count(of rule: RuleID) -> Int { alerts.values.count { $0.rule == rule } }

    mutating func add(_ finding: Finding, shownAs subject: Datum, at time: Timestamp) -> ActiveAlert
    {
        var text: String?
        if case .text(let shown) = subject { text = shown }
        let alert = ActiveAlert(
            rule: finding.rule, severity: finding.severity, subject: text,
            evidence: finding.evidence, since: time)
        alerts[Key(rule: finding.rule, subject: finding.subject)] = alert
        return alert
    }

    /// - Returns: what the receivers should be told has ended: nothing if there was no such
    ///   alert, or if another one looks the same to them (two sources within one prefix).
    mutating func remove(_ rule: RuleID, _ subject: Personal<IPAddress?>) -> ActiveAlert? {
        guard let ended = alerts.removeValue(forKey: Key(rule: rule, subject: subject)) else {
            return nil
        }
        let looksTheSame = alerts.values.contains {
            $0.rule == ended.rule && $0.severity == ended.severity && $0.subject == ended.subject
        }
        return looksTheSame ? nil : ended
    }
}
