import ArgumentParser
import Clocks
import Forensics
import Foundation
import Presentation
import Recorder
import Store
import Vocabulary

struct Query: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the store one of the questions that come with Weir.",
        discussion: """
            A user name or address may be given clear; it is looked up in the form in which the \
            store holds it.
            Examples:
              weir query --list
              weir query who-held-address --address 10.88.0.7 --at 2026-11-23T03:12:00Z
              weir query timeline-of-session --session 019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071
              weir query failures-by-source --since -7d --format csv
              weir query --sql "SELECT identity, sum(bytes_in + bytes_out) AS bytes FROM sessions
                WHERE started_ns > unixepoch('now', '-1 day') * 1000000000 GROUP BY 1 ORDER BY 2 DESC"
            """)

    @Argument(help: "The question; --list shows all.")
    var name: String?

    @Option(help: "SQL of your own, read-only.") var sql: String?
    @Option(help: "Seconds that --sql may take.") var seconds = 30.0
    @Option(help: "Megabytes of memory that --sql may take.") var megabytes: Int64 = 256

    @Flag(help: "List the questions and what each needs.")
    var list = false

    @Option(help: "A virtual address.") var address: String?
    @Option(help: "A user.") var identity: String?
    @Option(help: "A source address.") var source: String?
    @Option(help: "A session.") var session: String?
    @Option(parsing: .unconditional, help: "A moment: RFC 3339, or such as -2h.")
    var at: String?
    @Option(parsing: .unconditional, help: "The window's start: RFC 3339, or such as -24h.")
    var since: String?
    @Option(parsing: .unconditional, help: "The window's end, excluded.")
    var until: String?
    @Option(help: "List at most so many.") var limit: String?
    @Option(help: "A folder of questions. Default: those installed with Weir.")
    var queries: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        if let sql { return try show(sql) }
        do {
            let questions = try Library.load(from: try folder())
            guard let name, !list else { return output.show(Self.table(of: questions)) }
            guard let question = questions.first(where: { $0.name == name }) else {
                throw Failure.misuse(
                    "no question \(visible(name)); there are: "
                        + questions.map(\.name).joined(separator: ", "))
            }
            let answer = try ask(
                question, parameters: parameters, of: try store.open(),
                policy: try store.policy(), now: ClockReading.now.wall)
            output.show(Table(columns: answer.columns.map(Column.init), rows: answer.rows))
        } catch let error as ForensicsError {
            throw Failure.misuse(error)
        }
    }

    private func show(_ sql: String) throws {
        guard name == nil else { throw Failure.misuse("a question's name or --sql, not both") }
        guard seconds > 0, seconds <= 86_400, (1...1_000_000).contains(megabytes) else {
            throw Failure.misuse("--seconds 1 to 86400, --megabytes 1 to 1000000")
        }
        let reader = try store.open()
        do {
            let answer = try reader.restrictedRows(
                sql, seconds: seconds, memoryBytes: megabytes << 20)
            output.show(Table(columns: answer.columns.map { Column($0, .text) }, rows: answer.rows))
            if reader.damagedChunks > 0 {
                complain(
                    "weir: \(reader.damagedChunks) chunks of samples are damaged and left out;"
                        + " run: weir store check")
            }
        } catch { throw Failure.trouble(error) }
    }

    private var parameters: [String: String] {
        let given = [
            "address": address, "identity": identity, "source": source, "session": session,
            "at": at, "since": since, "until": until, "limit": limit,
        ]
        return given.compactMapValues { $0 }
    }

    /// `--queries`, else beside the binary as installed, else of a checkout.
    private func folder() throws(Failure) -> String {
        if let queries { return queries }
        let binary = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var candidates = [
            binary.deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("share/weir/queries").path
        ]
        var parent = binary.deletingLastPathComponent()
        for _ in 0..<4 {
            candidates.append(parent.appendingPathComponent("queries").path)
            parent = parent.deletingLastPathComponent()
        }
        let found = candidates.first { FileManager.default.fileExists(atPath: $0) }
        guard let found else {
            throw .misuse("the questions are not installed; name their folder with --queries")
        }
        return found
    }

    private static func table(of questions: [Question]) -> Table {
        Table(
            columns: [
                Column("name", .text), Column("question", .text), Column("options", .text),
            ],
            rows: questions.map { question in
                let options = question.parameters.map { parameter in
                    parameter.requirement == .required
                        ? "--\(parameter.name)" : "[--\(parameter.name)]"
                }
                return [
                    .text(question.name), .text(question.question),
                    .text(options.joined(separator: " ")),
                ]
            })
    }
}

extension Column {
    init(_ column: Question.Column) {
        let kind: Kind =
            switch column.unit {
            case .text, .json: .text
            case .count, .packets, .milliseconds: .count
            case .bytes: .bytes
            case .timestamp: .timestamp
            }
        // The key for machines gets its unit back from the kind.
        let isTime = kind == .timestamp && column.name.hasSuffix("_ns")
        self.init(isTime ? String(column.name.dropLast(3)) : column.name, kind)
    }
}
