import Foundation
import Presentation
import Testing
import Vocabulary

@testable import Page

@Suite("Health")
struct HealthTests {
    /// 2026-11-18T11:06:40Z
    private static let now = Timestamp(nanoseconds: 1_795_000_000_000_000_000)

    private func rows(_ health: Health) -> [String] {
        health.checks(at: Self.now).map { "\($0.condition.mark) \($0.name): \($0.value)" }
    }

    private func server(
        _ name: String, isUp: Bool, unanswered: Int = 0, forged: Int = 0, median: Double? = nil
    ) -> Health.RadiusServer {
        var state = RadiusServerState(name: name)
        state.isUp = isUp
        for _ in 0..<unanswered { state.count(.unanswered) }
        for _ in 0..<forged { state.count(.authenticator) }
        return .init(state: state, median: median)
    }

    @Test("of a gateway by itself, and of one that fails in every way")
    func gateway() {
        var health = Health()
        health.isUp = true
        health.isRecording = true
        health.waiting = 1
        #expect(
            rows(health) == [
                "OK Gateway: serves", "OK Recorder: 1 fact waits", "OK Store: 0 failed writes",
                "OK Facts: 0 lost", "OK Alerts: 0 active",
            ])
        #expect(health.remark == "No RADIUS server and no certificate is configured.")
        health = Health()
        health.failedWrites = 1
        health.lostFacts = 12_000
        health.activeAlerts = 2
        #expect(
            rows(health) == [
                "Problem Gateway: does not answer, or its inner network is down",
                "Problem Recorder: records nothing", "Problem Store: 1 failed write",
                "Problem Facts: 12000 lost", "Problem Alerts: 2 active",
            ])
    }

    @Test("of RADIUS servers: a warning while one answers, a problem if none does")
    func radius() {
        var health = Health()
        health.radius = [
            server("radius1", isUp: false, unanswered: 3), server("radius2", isUp: true),
        ]
        #expect(
            rows(health).dropFirst(5) == [
                "Warning RADIUS server radius1: does not answer, 3 requests unanswered",
                "OK RADIUS server radius2: answers",
                "OK RADIUS accounting: 0 records wait, 0 lost",
            ])
        #expect(health.remark == "No certificate is configured.")
        health.radius = [server("radius1", isUp: false, unanswered: 1, forged: 2, median: 0.0042)]
        health.accountingWaiting = 1
        #expect(
            rows(health).dropFirst(5) == [
                "Problem RADIUS server radius1: does not answer, median 4 ms, 1 request unanswered,"
                    + " 2 answers dropped",
                "Warning RADIUS accounting: 1 record waits, 0 lost",
            ])
        health.radius = [server("radius1", isUp: true)]
        health.accountingLost = 7
        #expect(rows(health).last == "Problem RADIUS accounting: 1 record waits, 7 lost")
    }

    @Test(
        "of certificates, by the days that are left",
        arguments: [
            (400.0, "OK", "expires in 400d 00h, on 2027-12-23"),
            (30, "OK", "expires in 30d 00h, on 2026-12-18"),
            (29.99, "Warning", "expires in 29d 23h, on 2026-12-18"),
            (7, "Warning", "expires in 7d 00h, on 2026-11-25"),
            (6.99, "Problem", "expires in 6d 23h, on 2026-11-25"),
            (0.5, "Problem", "expires in 12h 00m, on 2026-11-18"),
            (-2, "Problem", "expired 2d 00h ago, on 2026-11-16"),
        ])
    func certificates(_ days: Double, _ mark: String, _ words: String) {
        var health = Health()
        health.certificates = [
            .init(role: .metricsServer, expiry: 1_795_000_000 + days * 86_400),
            .init(role: .metricsClientAuthority, expiry: 1e300),
        ]
        #expect(rows(health)[5] == "\(mark) Certificate of this server: \(words)")
        #expect(
            rows(health)[6]
                == "OK Authorities of its clients: expires in more than a hundred years")
        #expect(health.remark == "No RADIUS server is configured.")
    }

    @Test("has the thresholds of the alerts")
    func thresholds() throws {
        let rules = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../dashboards/prometheus/weir.rules.yml"), encoding: .utf8)
        for (name, days) in [
            ("WeirCertificateExpiring", Health.daysToWarn),
            ("WeirCertificateLastWeek", Health.daysToAct),
        ] {
            let rule = try #require(rules.components(separatedBy: "- alert: \(name)\n").last)
            #expect(rule.prefix(200).contains(" - time() < \(days) * 86400\n"))
        }
    }

    @Test("has no row twice, and every condition a style and a word")
    func styles() {
        var health = Health()
        health.radius = [server("a", isUp: false), server("b", isUp: true)]
        health.certificates = CertificateRole.allCases.map { .init(role: $0, expiry: 0) }
        let ids = health.checks(at: Self.now).map(\.id)
        #expect(Set(ids).count == ids.count)
        for condition in [PageState.Condition.good, .warning, .bad] {
            #expect(Asset.style.text.contains(".\(condition.rawValue) .mark {"))
        }
    }
}
