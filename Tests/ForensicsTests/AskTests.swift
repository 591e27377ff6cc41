import Foundation
import Store
import TestFiles
import Testing
import Vocabulary

@testable import Forensics

@Suite("Asking")
struct AskTests {
    private static let good = """
        -- question:    How many?
        -- parameters:  :since   time     default=-24h  the start
        --              :limit   count    optional      how many
        --              :source  address  optional      from there
        -- columns:     n  public  count  the number
        -- disclosure:  nothing
        -- cost:        none
        --              at all
        SELECT count(*) AS n FROM ticks
         WHERE at_ns >= :since AND :limit IS NULL AND :source IS NULL
        """

    private func question(_ text: String = good) throws(ForensicsError) -> Question {
        try Question.parse(name: "q", text: text)
    }

    @Test("a header is read")
    func header() throws {
        let question = try question()
        #expect(question.question == "How many?")
        #expect(question.cost == "none at all")
        #expect(
            question.parameters == [
                Question.Parameter(
                    name: "since", kind: .time, requirement: .byDefault("-24h"),
                    meaning: "the start"),
                Question.Parameter(
                    name: "limit", kind: .count, requirement: .optional, meaning: "how many"),
                Question.Parameter(
                    name: "source", kind: .address, requirement: .optional, meaning: "from there"),
            ])
        #expect(
            question.columns == [
                Question.Column(name: "n", isPersonal: false, unit: .count, meaning: "the number")
            ])
        #expect(question.sql.hasPrefix("SELECT"))
        let none = Self.good.replacing(/:since[^\n]*/, with: "none").replacing(
            /--  *:.*\n/, with: "")
        #expect(try Question.parse(name: "q", text: none).parameters.isEmpty)
    }

    @Test(
        "a header that lacks something is refused, with its line",
        arguments: [
            ("-- question:", "-- qestion:", 1), ("How many?", "", 1),
            ("-- cost:        none\n--              at all\n", "", 1),
            ("time     default", "tme     default", 2), (":since", "since", 2),
            ("default=-24h", "perhaps", 2), ("optional      how many", "optional", 3),
            ("public  count", "secret  count", 5), ("count  the", "furlongs  the", 5),
            ("-- disclosure:", "-- columns:", 6), ("SELECT count(*)", "-- more\n-- cost: x", 9),
        ])
    func refusesHeaders(_ example: (part: String, instead: String, line: Int)) throws {
        let text = Self.good.replacing(example.part, with: example.instead)
        #expect(text != Self.good)
        let error = #expect(throws: ForensicsError.self) { try question(text) }
        guard case .malformed("q", let line, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // Lines after the header's last are counted from where the fault shows.
        #expect(line == example.line || example.line == 9)
    }

    @Test(
        "an empty file and a file of comments are refused",
        arguments: ["", "\n", "-- question: x?"])
    func refusesEmpty(_ text: String) {
        #expect(throws: ForensicsError.self) { try question(text) }
    }

    @Test(
        "a parameter that makes no sense is refused, in words",
        arguments: [
            (
                ["sinse": "now"],
                "question q: no parameter --sinse; it takes --since, --limit, --source"
            ),
            (["since": "then"], "--since then: not \(TimeText.expected)"),
            (["limit": "-1"], "--limit -1: not a whole number"),
            (["limit": "99999999999999999999"], "--limit 99999999999999999999: not a whole number"),
            (["source": "nowhere"], "--source nowhere: not an IP address"),
            (["source": "\u{1b}[31m"], "--source \\x1b[31m: not an IP address"),
        ])
    func refusesParameters(_ example: (parameters: [String: String], words: String)) throws {
        let history = try History()
        let question = try question()
        let error = #expect(throws: ForensicsError.self) {
            try ask(
                question, parameters: example.parameters, of: history.reader(),
                policy: history.policy, now: history.now)
        }
        #expect(error.map { "\($0)" } == example.words)
    }

    @Test("a required parameter has to be given")
    func missing() throws {
        let error = #expect(throws: ForensicsError.self) {
            try History().ask("who-held-address")
        }
        #expect(error == .missing(parameter: "address", question: "who-held-address"))
    }

    @Test("SQL that is wrong, writes, or gives other columns is refused")
    func refusesSQL() throws {
        let history = try History()
        for (part, instead) in [
            ("AS n", "AS m"), ("FROM ticks", "FROM ticcs"),
            (
                Self.good.split(separator: "\n").suffix(2).joined(separator: "\n"),
                "DELETE FROM ticks"
            ),
        ] {
            let question = try question(Self.good.replacing(part, with: instead))
            #expect(throws: ForensicsError.self) {
                try ask(
                    question, parameters: [:], of: history.reader(), policy: history.policy,
                    now: history.now)
            }
        }
        #expect(try history.reader().rows("SELECT count(*) FROM ticks").rows == [[.integer(2)]])
    }

    @Test("a folder that is not there, and a file that is no question, are refused by name")
    func library() throws {
        let error = #expect(throws: ForensicsError.self) { try Library.load(from: "/nowhere") }
        #expect(error?.description.contains("/nowhere: No such file or directory") == true)

        let folder = try Folder()
        for (file, text) in [
            ("big.sql", String(repeating: "-- x\n", count: 20_000)), ("bad.sql", "SELECT 1"),
        ] {
            let path = try folder.write(text, to: file)
            let error = #expect(throws: ForensicsError.self) { try Library.load(from: folder.path) }
            #expect(error?.description.contains(String(file.dropLast(4))) == true)
            try FileManager.default.removeItem(atPath: path)
        }
        #expect(try Library.load(from: folder.path).isEmpty)
    }
}
