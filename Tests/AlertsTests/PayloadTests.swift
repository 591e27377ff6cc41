import Foundation
import Testing
import Vocabulary

@testable import Alerts

@Suite("Payload")
struct PayloadTests {
    @Test("is what Alertmanager's API v2 wants")
    func json() throws {
        let bytes = try Payload.json([
            Payload(.example(), gateway: "vpn-1", generatorURL: "http://vpn-1/")
        ])
        #expect(
            String(decoding: bytes, as: UTF8.self) == #"""
                [{"annotations":{"description":"10 failed logins in 9 s, 10 in 60 s is the limit",\#
                "runbook":"Look at the \"reasons\".\nThen act.",\#
                "summary":"One address fails to log in again and again."},\#
                "generatorURL":"http://vpn-1/",\#
                "labels":{"alertname":"WeirAuthenticationFailures","gateway":"vpn-1",\#
                "rule":"authentication_failures","severity":"warning","subject":"addr:k3v9"},\#
                "startsAt":"2026-11-18T11:06:40.250Z"}]
                """#)
    }

    @Test("has an end when the alert has, and no subject when it has none")
    func end() throws {
        let bytes = try Payload.json([
            Payload(.example(subject: nil, ended: true), gateway: "g", generatorURL: nil)
        ])
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains(#""endsAt":"2026-11-18T11:11:40.000Z""#))
        #expect(!text.contains("subject"))
        #expect(!text.contains("generatorURL"))
    }

    @Test("escapes whatever a name may hold", arguments: ["\"", "\\", "\n", "\u{1}", "é\u{2028}<"])
    func escapes(_ text: String) throws {
        let bytes = try Payload.json([
            Payload(.example(subject: text), gateway: text, generatorURL: nil)
        ])
        let read = try JSONSerialization.jsonObject(with: Data(bytes)) as? [[String: Any]]
        let labels = try #require(read?.first?["labels"] as? [String: String])
        #expect(labels["subject"] == text)
        #expect(labels["gateway"] == text)
    }

    @Test(
        "tells the time to the millisecond before",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_000_000_249_999_999, "2026-11-18T11:06:40.249Z"),
            (Int64.max, "2262-04-11T23:47:16.854Z"), (.min, "1677-09-21T00:12:43.145Z"),
        ])
    func times(_ nanoseconds: Int64, _ text: String) {
        #expect(rfc3339(Timestamp(nanoseconds: nanoseconds)) == text)
    }

    @Test("names each rule in camel case", arguments: RuleID.allCases)
    func names(_ rule: RuleID) {
        let name = Alert(
            rule: rule, severity: .info, subject: nil, evidence: "", meaning: "", runbook: "",
            startsAt: Timestamp(nanoseconds: 0)
        ).name
        #expect(name.lowercased() == "weir" + rule.rawValue.replacing("_", with: ""))
        #expect(name.hasPrefix("Weir"))
        #expect(!name.contains("_"))
    }
}

@Suite("Receiver")
struct ReceiverTests {
    @Test(
        "is where the API is",
        arguments: [
            ("http://am:9093", "http://am:9093/api/v2/alerts", "http://am:9093"),
            ("http://am:9093/", "http://am:9093/api/v2/alerts", "http://am:9093"),
            ("https://[::1]/am//", "https://[::1]/am/api/v2/alerts", "https://[::1]"),
        ])
    func accepts(_ base: String, _ url: String, _ name: String) throws {
        let receiver = try Receiver(base: base)
        #expect(receiver.url == url)
        #expect(receiver.name == name)
    }

    @Test(
        "is not",
        arguments: [
            "", "am:9093", "ftp://am", "file:///etc/passwd", "http://", "http://am/?a=b",
            "http://am/#a", "http:// am", "http://a\nm",
            "http://" + String(repeating: "a", count: 3_000),
        ])
    func refuses(_ base: String) {
        let error = #expect(throws: NotifierError.self) { try Receiver(base: base) }
        #expect(error == .notAURL(escaped(base.utf8)))
        #expect(error?.description.contains("\n") == false)
    }

    @Test("holds no password", arguments: ["http://u:pw@am", "ftp://u@am", "http://am/@"])
    func refusesCredentials(_ base: String) {
        let error = #expect(throws: NotifierError.credentialsInURL) { try Receiver(base: base) }
        #expect(error?.description.contains("u:pw") == false)
    }
}
