import Testing
import Vocabulary

@testable import Alerts

@Suite("Outbox")
struct OutboxTests {
    let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test("sends an alert at once, again each minute, and its end once")
    func lifecycle() throws {
        var outbox = Outbox()
        #expect(outbox.next(at: start) == nil)
        #expect(outbox.deadline == nil)

        #expect(put(.example(), in: &outbox, at: start))
        let first = try #require(outbox.next(at: start))
        #expect(first.alerts == [.example()])
        outbox.delivered(first, at: start)
        #expect(outbox.next(at: start + .seconds(59)) == nil)
        #expect(outbox.deadline == start + .seconds(60))

        let again = try #require(outbox.next(at: start + .seconds(60)))
        outbox.delivered(again, at: start + .seconds(60))

        #expect(put(.example(ended: true), in: &outbox, at: start + .seconds(61)))
        let end = try #require(outbox.next(at: start + .seconds(61)))
        #expect(end.alerts == [.example(ended: true)])
        outbox.delivered(end, at: start + .seconds(61))
        #expect(outbox.count == 0)
    }

    @Test("does not forget an end that came while the beginning was under way")
    func changedMeanwhile() throws {
        var outbox = Outbox()
        #expect(put(.example(), in: &outbox, at: start))
        let batch = try #require(outbox.next(at: start))
        #expect(put(.example(ended: true), in: &outbox, at: start))
        outbox.delivered(batch, at: start)
        #expect(outbox.next(at: start)?.alerts == [.example(ended: true)])
    }

    @Test("waits 1, 2, 4 … 60 s after failures, and not at all after a success")
    func backsOff() throws {
        var outbox = Outbox()
        #expect(put(.example(), in: &outbox, at: start))
        var now = start
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(outbox.next(at: now) != nil)
            outbox.failed(at: now)
            #expect(outbox.isFailing)
            #expect(outbox.deadline == now + .seconds(pause))
            #expect(outbox.next(at: now + .milliseconds(pause * 1_000 - 1)) == nil)
            #expect(outbox.next(at: now, hurry: true) != nil)
            now = now + .seconds(pause)
        }
        outbox.delivered(try #require(outbox.next(at: now)), at: now)
        #expect(!outbox.isFailing)
        #expect(put(.example(subject: "addr:other"), in: &outbox, at: now))
        #expect(outbox.next(at: now) != nil)
    }

    @Test("keeps 1,024 alerts and refuses more, but still takes the ends of those it has")
    func isBounded() throws {
        var outbox = Outbox()
        for number in 0..<Outbox.limit {
            #expect(put(.example(subject: "addr:\(number)"), in: &outbox, at: start))
        }
        #expect(!put(.example(subject: "addr:one more"), in: &outbox, at: start))
        #expect(put(.example(subject: "addr:7", ended: true), in: &outbox, at: start))
        #expect(outbox.count == Outbox.limit)

        var told: Set<String?> = []
        while let batch = outbox.next(at: start) {
            #expect(batch.alerts.count <= Outbox.batch)
            told.formUnion(batch.alerts.map(\.subject))
            outbox.delivered(batch, at: start)
        }
        #expect(told.count == Outbox.limit)
        #expect(outbox.count == Outbox.limit - 1)
    }
}

/// `#expect` can't call what mutates.
func put(_ alert: Alert, in outbox: inout Outbox, at time: Instant) -> Bool {
    outbox.put(alert, at: time)
}

extension Alert {
    static func example(subject: String? = "addr:k3v9", ended: Bool = false) -> Alert {
        Alert(
            rule: .authenticationFailures, severity: .warning, subject: subject,
            evidence: "10 failed logins in 9 s, 10 in 60 s is the limit",
            meaning: "One address fails to log in again and again.",
            runbook: "Look at the \"reasons\".\nThen act.",
            startsAt: Timestamp(nanoseconds: 1_795_000_000_250_000_000),
            endsAt: ended ? Timestamp(nanoseconds: 1_795_000_300_000_000_000) : nil)
    }
}
