package import Vocabulary

/// Ten failed logins from one source within a minute.
///
/// Only sources that completed a key exchange count: the others may be spoofed, and an alert
/// would name a bystander. A source is compared and grouped but never read.
package struct AuthenticationFailures: Rule {
    package static let id = RuleID.authenticationFailures
    package static let meaning =
        "One address fails to log in again and again: somebody guesses credentials, or a client "
        + "has the wrong ones."
    package static let runbook =
        "List the failures of this source by reason and identity. One identity with "
        + "wrong_credential is usually a client with an old secret: correct it there. Many "
        + "identities, or unknown_identity, are guesses: block the address before the gateway, "
        + "and change the secret of any identity that logged in from it."

    private typealias Source = Personal<IPAddress>

    static let limit = 10
    static let window = Duration.seconds(60)
    static let calm = Duration.seconds(300)
    static let trackedLimit = 4_096
    static let activeLimit = 256

    /// The failures within the window, oldest first, fewer than `limit`, by source.
    private var recent: [Source: [Instant]] = [:]
    /// The last failure of each source that an alert is about.
    private var active: [Source: Instant] = [:]
    /// The last failure that would have raised an alert when `active` was full.
    private var crowd: Instant?

    package init() {}

    /// How many sources it remembers.
    var tracked: Int { recent.count }

    package mutating func observe(_ event: any Event, at time: Instant) -> [Verdict] {
        guard let failure = event as? IKEAuthFailed, isProven(failure.proof.clear) else {
            return []
        }
        let source = failure.source
        guard active[source] == nil else {
            active[source] = time
            return []
        }
        makeRoom(for: source, at: time)
        var times = recent.removeValue(forKey: source) ?? []
        times.removeAll { time - $0 >= Self.window }
        times.append(time)
        guard times.count >= Self.limit, let first = times.first else {
            recent[source] = times
            return []
        }
        return raise(source, at: time, after: time - first)
    }

    package mutating func tick(_ tick: Tick, at time: Instant) -> [Verdict] {
        let over = active.filter { time - $0.value >= Self.calm }.sorted { $0.value < $1.value }
        var verdicts: [Verdict] = []
        for (source, _) in over {
            active[source] = nil
            verdicts.append(.resolves(rule: Self.id, subject: source.optional))
        }
        if let last = crowd, time - last >= Self.calm {
            crowd = nil
            verdicts.append(.resolves(rule: Self.id, subject: Personal(nil)))
        }
        return verdicts
    }

    private mutating func raise(
        _ source: Source, at time: Instant, after span: Duration
    ) -> [Verdict] {
        guard active.count >= Self.activeLimit else {
            active[source] = time
            let evidence =
                "\(Self.limit) failed logins in \(max(span.components.seconds, 0)) s, "
                + "\(Self.limit) in \(Self.window.components.seconds) s is the limit"
            return [
                .fires(
                    Finding(
                        rule: Self.id, severity: .warning, subject: source.optional,
                        evidence: evidence))
            ]
        }
        defer { crowd = time }
        guard crowd == nil else { return [] }
        let evidence =
            "more than \(Self.activeLimit) sources with \(Self.limit) failed logins in "
            + "\(Self.window.components.seconds) s each; further ones are not told apart"
        return [
            .fires(
                Finding(
                    rule: Self.id, severity: .critical, subject: Personal(nil), evidence: evidence))
        ]
    }

    /// Before a newcomer when memory is full: forgets sources whose failures are all too old,
    /// then the least recently seen. An eighth goes at once, so that a flood of sources costs
    /// one sort for each 512 of them.
    private mutating func makeRoom(for source: Source, at time: Instant) {
        guard recent.count >= Self.trackedLimit, recent[source] == nil else { return }
        recent = recent.filter { entry in
            entry.value.last.map { time - $0 < Self.window } ?? false
        }
        let room = Self.trackedLimit - Self.trackedLimit / 8
        guard recent.count > room else { return }
        let stalest = recent.sorted { ($0.value.last ?? time) < ($1.value.last ?? time) }
        for (source, _) in stalest.prefix(recent.count - room) { recent[source] = nil }
    }

    private func isProven(_ level: ProofLevel) -> Bool {
        switch level {
        case .spoofable, .cookie: false
        case .keyExchange, .identity, .authenticated: true
        }
    }
}
