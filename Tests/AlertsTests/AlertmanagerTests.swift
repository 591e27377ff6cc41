import Foundation
import FoundationNetworking
import Logging
import Testing
import Vocabulary

@testable import Alerts

/// The real receiver. It takes about five seconds to start and to end.
@Suite("Alertmanager", .serialized)
struct AlertmanagerTests {
    @Test("shows an alert, and no more of it after its end", .timeLimit(.minutes(1)))
    func tells() throws {
        let alertmanager = try Alertmanager()
        defer { alertmanager.stop() }
        let notifier = try AlertmanagerNotifier(
            urls: [alertmanager.url], gateway: "vpn \"1\"", log: Logger(label: "test"))
        defer { notifier.stop() }

        var alert = Alert(
            rule: .rekeyStorm, severity: .critical, subject: "addr:k3v9",
            evidence: "96 rekeys in 300 s, 2.4 expected of 12 Child SAs", meaning: "Too many.",
            runbook: "Look.", startsAt: .now)
        notifier.post(alert)
        #expect(eventually { alertmanager.alerts().count == 1 })
        let shown = try #require(alertmanager.alerts().first)
        #expect(
            shown.labels == [
                "alertname": "WeirRekeyStorm", "rule": "rekey_storm", "severity": "critical",
                "gateway": "vpn \"1\"", "subject": "addr:k3v9",
            ])
        #expect(shown.annotations["description"] == alert.evidence)

        alert.endsAt = .now
        notifier.post(alert)
        #expect(eventually { alertmanager.alerts().isEmpty })
        #expect(notifier.failures == 0)
    }
}

extension Timestamp {
    static var now: Timestamp {
        Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
    }
}

/// An Alertmanager of this test's own, on a free port of loopback.
private final class Alertmanager {
    struct Shown: Decodable {
        let labels: [String: String]
        let annotations: [String: String]
    }

    let url: String
    private let process = Process()
    private let folder: URL

    init() throws {
        let program = "/usr/bin/prometheus-alertmanager"
        try #require(
            FileManager.default.isExecutableFile(atPath: program),
            "prometheus-alertmanager is missing: apt-get install prometheus-alertmanager")
        folder = FileManager.default.temporaryDirectory
            .appending(path: "weir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let config = folder.appending(path: "alertmanager.yml")
        try Data("route: {receiver: none}\nreceivers: [{name: none}]\n".utf8).write(to: config)
        // Somebody else could take the port before it does; then this test fails and says why.
        let port = try TinyServer(answering: nil).freedPort()
        url = "http://127.0.0.1:\(port)"
        process.executableURL = URL(filePath: program)
        process.arguments = [
            "--config.file=\(config.path)", "--storage.path=\(folder.path)/data",
            "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
        ]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let answers = eventually { get("/-/ready") != nil }
        try #require(answers, "prometheus-alertmanager did not start on \(url)")
    }

    func alerts() -> [Shown] {
        get("/api/v2/alerts").flatMap { try? JSONDecoder().decode([Shown].self, from: $0) } ?? []
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    private func get(_ path: String) -> Data? {
        URL(string: url + path).flatMap { try? Data(contentsOf: $0) }
    }
}
