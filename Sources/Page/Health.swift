import Presentation
package import Vocabulary

/// What the page's section on health judges: the gateway's own parts, and the RADIUS servers and
/// certificates that are configured. Thresholds are those of the alerts that are shipped.
package struct Health: Sendable {
    package struct RadiusServer: Sendable {
        package let state: RadiusServerState
        /// Median of how long its answers took, in seconds; nil before the first one.
        package let median: Double?

        package init(state: RadiusServerState, median: Double?) {
            self.state = state
            self.median = median
        }
    }

    package struct Certificate: Sendable {
        package let role: CertificateRole
        /// Seconds since the Unix epoch.
        package let expiry: Double

        package init(role: CertificateRole, expiry: Double) {
            self.role = role
            self.expiry = expiry
        }
    }

    /// It answers, and so does its inner network.
    package var isUp = false
    package var isRecording = false
    /// Facts that wait for the recorder.
    package var waiting = 0.0
    package var failedWrites = 0.0
    package var lostFacts = 0.0
    package var activeAlerts = 0
    package var radius: [RadiusServer] = []
    /// Accounting records that no server has taken yet.
    package var accountingWaiting = 0.0
    package var accountingLost = 0.0
    package var certificates: [Certificate] = []

    package init() {}

    /// As in WeirCertificateExpiring and WeirCertificateLastWeek.
    static let daysToWarn = 30
    static let daysToAct = 7
    /// Seconds. Nanoseconds since the epoch end soon after.
    private static let century = 100 * 365 * 86_400.0

    package func checks(at now: Timestamp) -> [PageState.Check] {
        [
            .init(
                id: "c-gateway", name: "Gateway", condition: isUp ? .good : .bad,
                value: isUp ? "serves" : "does not answer, or its inner network is down"),
            .init(
                id: "c-recorder", name: "Recorder", condition: isRecording ? .good : .bad,
                value: isRecording
                    ? "\(count(waiting, "fact")) \(waiting == 1 ? "waits" : "wait")"
                    : "records nothing"),
            .init(
                id: "c-store", name: "Store", condition: failedWrites == 0 ? .good : .bad,
                value: count(failedWrites, "failed write")),
            .init(
                id: "c-lost", name: "Facts", condition: lostFacts == 0 ? .good : .bad,
                value: "\(number(lostFacts)) lost"),
            .init(
                id: "c-alerts", name: "Alerts", condition: activeAlerts == 0 ? .good : .bad,
                value: "\(activeAlerts) active"),
        ] + radiusChecks + certificates.map { check($0, at: now) }
    }

    /// What of the outside world nobody watches, since it is not configured.
    package var remark: String? {
        switch (radius.isEmpty, certificates.isEmpty) {
        case (true, true): "No RADIUS server and no certificate is configured."
        case (true, false): "No RADIUS server is configured."
        case (false, true): "No certificate is configured."
        case (false, false): nil
        }
    }

    /// One server that is down is a warning while another one takes its place.
    private var radiusChecks: [PageState.Check] {
        guard !radius.isEmpty else { return [] }
        let isServed = radius.contains(where: \.state.isUp)
        let servers = radius.enumerated().map { place, server in
            PageState.Check(
                id: "c-radius-\(place)", name: "RADIUS server \(server.state.name)",
                condition: server.state.isUp ? .good : isServed ? .warning : .bad,
                value: words(for: server))
        }
        let accounting = PageState.Check(
            id: "c-accounting", name: "RADIUS accounting",
            condition: accountingLost > 0 ? .bad : isServed ? .good : .warning,
            value: "\(count(accountingWaiting, "record")) "
                + "\(accountingWaiting == 1 ? "waits" : "wait"), \(number(accountingLost)) lost")
        return servers + [accounting]
    }

    private func words(for server: RadiusServer) -> String {
        var words = [server.state.isUp ? "answers" : "does not answer"]
        if let median = server.median {
            words.append("median \(human(.real((median * 1e9).rounded()), .duration))")
        }
        let unanswered = server.state.count(of: RadiusResult.unanswered)
        if unanswered > 0 { words.append("\(count(Double(unanswered), "request")) unanswered") }
        let dropped = RadiusDrop.allCases.map { Double(server.state.count(of: $0)) }.reduce(0, +)
        if dropped > 0 { words.append("\(count(dropped, "answer")) dropped") }
        return words.joined(separator: ", ")
    }

    private func check(_ certificate: Certificate, at now: Timestamp) -> PageState.Check {
        let left = certificate.expiry - Double(now.nanoseconds) / 1e9
        guard left < Self.century else {
            return PageState.Check(
                id: "c-\(certificate.role.rawValue)", name: certificate.role.title,
                condition: .good, value: "expires in more than a hundred years")
        }
        let day = human(.real(certificate.expiry * 1e9), .date)
        let span = human(.real(left.magnitude * 1e9), .duration)
        return PageState.Check(
            id: "c-\(certificate.role.rawValue)", name: certificate.role.title,
            condition: left < Double(Self.daysToAct) * 86_400
                ? .bad : left < Double(Self.daysToWarn) * 86_400 ? .warning : .good,
            value: left < 0 ? "expired \(span) ago, on \(day)" : "expires in \(span), on \(day)")
    }
}

extension CertificateRole {
    fileprivate var title: String {
        switch self {
        case .metricsServer: "Certificate of this server"
        case .metricsClientAuthority: "Authorities of its clients"
        }
    }
}

private func number(_ value: Double) -> String { human(.real(value), .count) }

private func count(_ value: Double, _ noun: String) -> String {
    "\(number(value)) \(noun)\(value == 1 ? "" : "s")"
}
