import Foundation
import Vocabulary

/// The body of Alertmanager's `POST /api/v2/alerts`.
struct Payload: Encodable {
    private let labels: [String: String]
    private let annotations: [String: String]
    private let startsAt: String
    private let endsAt: String?
    private let generatorURL: String?

    init(_ alert: Alert, gateway: String, generatorURL: String?) {
        var labels = [
            "alertname": alert.name, "rule": alert.rule.rawValue,
            "severity": alert.severity.rawValue, "gateway": gateway,
        ]
        labels["subject"] = alert.subject
        self.labels = labels
        annotations = [
            "summary": alert.meaning, "description": alert.evidence, "runbook": alert.runbook,
        ]
        startsAt = rfc3339(alert.startsAt)
        endsAt = alert.endsAt.map(rfc3339)
        self.generatorURL = generatorURL
    }

    static func json(_ payloads: [Payload]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try Array(encoder.encode(payloads))
    }
}

/// `2026-11-23T14:05:09.250Z`, to the millisecond before.
func rfc3339(_ time: Timestamp) -> String {
    let (seconds, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let whole = rest < 0 ? seconds - 1 : seconds
    let milliseconds = (rest < 0 ? rest + 1_000_000_000 : rest) / 1_000_000
    let date = Date(timeIntervalSince1970: Double(whole))
    let digits = String(1_000 + milliseconds).dropFirst()
    return date.formatted(Date.ISO8601FormatStyle()).dropLast() + ".\(digits)Z"
}
