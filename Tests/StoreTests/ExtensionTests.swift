import Foundation
import Store
import TestFiles
import Testing
import Vocabulary

/// What programs that know nothing of Weir read.
@Suite("The sqlite3 shell")
struct ExtensionTests {
    let folder: Folder

    init() throws {
        folder = try Folder()
        let store = try folder.open()
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
            ],
            ticks: (1...9).map { RecordedTick(at: $0, children: [sample(1, child: 1, UInt64($0))]) }
        )
        try store.fold()
        try store.append(
            events: [], ticks: [RecordedTick(at: 10, children: [sample(1, child: 1, 12)])])
        store.close()
    }

    private static let alice: String = {
        guard case .text(let name) = policy.disclose(Identity("alice@example.org")) else {
            return ""
        }
        return name
    }()

    /// - Returns: what it prints, and what it complains of.
    private func shell(_ commands: String...) throws -> (output: String, errors: String) {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-readonly", "-batch", folder.file] + commands
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            String(decoding: text, as: UTF8.self), String(decoding: complaints, as: UTF8.self)
        )
    }

    @Test(
        "reads all but samples by itself",
        arguments: [
            ("SELECT packets_in, bytes_out FROM sessions", "12|12000\n"),
            ("SELECT child, packets_in FROM child_sas", "1|12\n"),
            ("SELECT child, packets_in, run FROM child_last", "1|12|1\n"),
            ("SELECT packets_in FROM session_totals", "12\n"),
            ("SELECT hour, packets_in FROM traffic_hours", "498611|12\n"),
            ("SELECT identity, sessions, packets_in FROM user_hours", "\(Self.alice)|1|12\n"),
            ("SELECT connection, bytes_out FROM connection_hours", "staff|12000\n"),
            ("SELECT handshakes, p50_us, max_us FROM handshake_hours", "1|24500|24500\n"),
            ("SELECT count(*) FROM ticks", "10\n"), ("PRAGMA integrity_check", "ok\n"),
        ])
    func plain(_ sql: String, _ expected: String) throws {
        #expect(try shell(sql) == (expected, ""))
    }

    @Test("reads samples with the extension, and says what it lacks without")
    func samples() throws {
        let library = try #require(
            URL(string: "libweir_store.so", relativeTo: Bundle.main.executableURL)?.path)
        let sql = "SELECT count(*), max(packets_in), sum(packets_in_step) FROM child_samples"
        #expect(try shell(".load \(library)", sql) == ("10|12|12\n", ""))
        let rates = "SELECT packets_in_per_second FROM rates ORDER BY at_ns DESC LIMIT 1"
        #expect(try shell(".load \(library)", rates) == ("3.0\n", ""))
        let hours = "SELECT packets_in FROM session_hours"
        #expect(try shell(".load \(library)", hours) == ("12\n", ""))
        let sketches = """
            SELECT sketch_quantile(sketch_merge(sketch), 0.95), sketch_quantile(sketch, 1.5),
                   sketch_quantile('nonsense', 0.5),
                   (SELECT sketch_quantile(sketch_merge(sketch), 0.5) FROM handshake_hours WHERE 0)
              FROM handshake_hours
            """
        #expect(try shell(".load \(library)", sketches) == ("24500|||\n", ""))
        #expect(try shell(sql).errors.contains("no such table: child_samples"))
    }
}
