import Forensics
import SQLite
import Store
import Testing
import Vocabulary

/// Every file of the queries folder, on a history whose answers are known.
@Suite("The questions")
struct QuestionsTests {
    private static let address = "10.88.0.1"
    private let alice = "id:616c696365406578616d706c652e6f7267"
    private let bob = "id:626f62406578616d706c652e6f7267"

    /// In seconds since the history's beginning.
    private static func time(_ second: Int) -> String {
        let total = 6 * 60 + 40 + second
        let text = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return "2026-11-18T11:\(text(total / 60)):\(text(total % 60))Z"
    }

    @Test("are these")
    func names() throws {
        #expect(
            try History.questions().map(\.name) == [
                "closed-why", "failures-by-source", "gaps", "most-traffic", "sessions-of-identity",
                "timeline-of-session", "who-held-address",
            ])
    }

    @Test("have complete headers that say what their SQL does")
    func headers() throws {
        let reader = try History().reader()
        for question in try History.questions() {
            #expect(question.question.hasSuffix("?"), "\(question.name)")
            #expect(!question.disclosure.isEmpty && !question.cost.isEmpty, "\(question.name)")
            let statement = try reader.connection.prepare(question.sql)
            #expect(statement.columnNames == question.columns.map(\.name), "\(question.name)")
            #expect(
                Set(statement.parameterNames) == Set(question.parameters.map { ":\($0.name)" }),
                "\(question.name)")
            for case .byDefault(let value) in question.parameters.map(\.requirement) {
                #expect(
                    Int64(value) != nil
                        || TimeText.parse(value, now: Timestamp(nanoseconds: 0)) != nil)
            }
        }
    }

    @Test(
        "who held an address: half-open, with what a crash leaves uncertain",
        arguments: [
            (at: 9, held: []),
            (at: 10, held: ["#1 alice staff 10 40 certain"]),
            (at: 39, held: ["#1 alice staff 10 40 certain"]),
            (at: 40, held: []),
            (at: 50, held: ["#2 bob staff 50 100 certain"]),
            (at: 59, held: ["#2 bob staff 50 100 certain"]),
            (at: 60, held: ["#2 bob staff 50 100 uncertain"]),
            (at: 99, held: ["#2 bob staff 50 100 uncertain"]),
            (at: 100, held: []),
            (at: 110, held: ["#3 alice staff 110 - certain"]),
            (at: 120, held: ["#3 alice staff 110 - certain"]),
            (at: 121, held: ["#3 alice staff 110 - presumed"]),
        ] as [(at: Int, held: [String])])
    func whoHeld(_ example: (at: Int, held: [String])) throws {
        let history = try History(.clear)
        let lines = try history.lines(
            "who-held-address", ["address": Self.address, "at": Self.time(example.at)])
        #expect(
            lines
                == example.held.map {
                    $0.split(separator: " ").map {
                        ["alice", "bob"].contains($0) ? "\($0)@example.org" : String($0)
                    }.joined(separator: " ")
                })
    }

    @Test(
        "a clear address finds what the store keeps of it",
        arguments: [Disclosure.Treatment.clear, .pseudonym, .prefix])
    func clearAddress(_ treatment: Disclosure.Treatment) throws {
        let history = try History(treatment)
        let answer = try history.ask(
            "who-held-address", ["address": Self.address, "at": "-90s"])
        let identity: Datum =
            switch treatment {
            case .clear: .text("alice@example.org")
            case .prefix: .text("@example.org")
            default: .text(alice)
            }
        #expect(answer.rows.map { $0[1] } == [identity])
        let other = try history.ask("who-held-address", ["address": "10.89.0.1", "at": "-90s"])
        #expect(other.rows.isEmpty)
    }

    @Test(
        "what an answer shows can be asked for",
        arguments: [
            (Disclosure.Treatment.pseudonym, "vip:0a580001"), (.prefix, "10.88.0.0/24"),
            (.clear, "10.88.0.1"),
        ])
    func copied(_ example: (treatment: Disclosure.Treatment, address: String)) throws {
        let lines = try History(example.treatment).lines(
            "who-held-address", ["address": example.address, "at": "-90s"])
        #expect(lines.count == 1)
    }

    @Test("nothing can be found by what the policy omits")
    func omitted() throws {
        let history = try History(.omit)
        for (name, parameters) in [
            ("who-held-address", ["address": Self.address]),
            ("sessions-of-identity", ["identity": "alice@example.org"]),
        ] {
            let parameter = try #require(parameters.keys.first)
            #expect(throws: ForensicsError.omitted(parameter: parameter)) {
                try history.ask(name, parameters)
            }
        }
    }

    @Test("sessions of a user, however the name is written")
    func sessionsOfIdentity() throws {
        let history = try History()
        let expected = [
            "#1 staff addr:c0000207 vip:0a580001 10 40 40 deleted_by_peer 1000 10000",
            "#3 staff addr:c0000207 vip:0a580001 110 - - - 10000 100000",
        ]
        for name in ["alice@example.org", "Alice@EXAMPLE.org", alice] {
            #expect(try history.lines("sessions-of-identity", ["identity": name]) == expected)
        }
        let window = ["since": Self.time(40), "until": Self.time(110), "identity": alice]
        #expect(try history.lines("sessions-of-identity", window) == [])
        let edges = ["since": Self.time(39), "until": Self.time(111), "identity": alice]
        #expect(try history.lines("sessions-of-identity", edges) == expected)
    }

    @Test("failures by source")
    func failures() throws {
        let history = try History()
        #expect(
            try history.lines("failures-by-source") == [
                "addr:c0000209 wrong_credential 3 2 20 22", "addr:c6336401 timeout 1 0 23 23",
            ])
        #expect(
            try history.lines("failures-by-source", ["source": "198.51.100.1"]) == [
                "addr:c6336401 timeout 1 0 23 23"
            ])
        #expect(
            try history.lines(
                "failures-by-source", ["since": Self.time(21), "until": Self.time(23)])
                == ["addr:c0000209 wrong_credential 2 2 21 22"])
    }

    @Test("the timeline of a session, in order, with all that is recorded")
    func timeline() throws {
        let history = try History()
        let session = ["session": SessionID.number(2).description]
        let rows = try history.ask("timeline-of-session", session).rows
        #expect(
            rows.map { $0[1] }
                == [
                    "session_established", "lease_granted", "child_sa_installed", "child_sa_closed",
                    "lease_released", "session_closed",
                ].map { .text($0) })
        #expect(rows.map { $0[2] } == [1, 1, 1, 2, 2, 2].map { .integer($0) })
        #expect(
            rows[4][3]
                == .text(
                    #"{"session":"\#(SessionID.number(2))","pool":"staff","uncertainty_ms":40000}"#)
        )
        #expect(throws: ForensicsError.self) {
            try history.ask("timeline-of-session", ["session": "x"])
        }
    }

    @Test("who moved the most")
    func mostTraffic() throws {
        let history = try History()
        #expect(
            try history.lines("most-traffic") == [
                "\(alice) 2 11000 110000 110 220", "\(bob) 1 700 7000 7 14",
            ])
        #expect(
            try history.lines("most-traffic", ["limit": "1"]) == ["\(alice) 2 11000 110000 110 220"]
        )
        // All of it is within an hour, which ends at 3,200.
        let early = ["since": Self.time(40), "until": Self.time(110)]
        #expect(try history.lines("most-traffic", early).count == 2)
        let later = ["since": "2026-11-18T12:00:00Z", "until": "2026-11-18T12:30:00Z"]
        #expect(try history.lines("most-traffic", later) == [])
    }

    @Test("why sessions ended")
    func closedWhy() throws {
        let history = try History()
        let first = "40 40 #1 \(alice) deleted_by_peer 30000 5"
        let second = "60 100 #2 \(bob) crash 30000 -"
        #expect(try history.lines("closed-why") == [first, second])
        #expect(try history.lines("closed-why", ["identity": "bob@example.org"]) == [second])
        #expect(try history.lines("closed-why", ["until": Self.time(100)]) == [first])
    }

    @Test("what the record lacks")
    func gaps() throws {
        let history = try History()
        let crash = "60 100 crash - 2"
        let all = try history.lines("gaps")
        #expect(
            all == [
                crash, "115 115 clock_stepped -3600000 ms 2",
                "116 116 events_lost 12 of message_dropped 2",
            ])
        #expect(
            try history.lines("gaps", ["since": Self.time(80), "until": Self.time(115)]) == [crash])
    }
}
