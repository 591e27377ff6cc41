import Forensics
import Foundation
import Store
import TestFiles
import Testing
import Transfer
import Vocabulary

@Suite("Export, then import")
struct RoundTripTests {
    private let folder: Folder
    private var original: String { folder("original.db") }
    private var copy: String { folder("copy.db") }

    init() throws {
        folder = try Folder()
        try History.write(to: original)
        let file = try folder.write(try ndjson(original), to: "export.ndjson")
        try imported(file, into: copy)
    }

    /// One history serves them all; the last changes it.
    @Test("a store that was made of an export answers as the first one")
    func same() throws {
        try views()
        try windows()
        try questions()
        try again()
        try selections()
        try parts()
        try csv()
        types()
        try unfinished()
    }

    private func expectSame(
        _ sql: String, _ parameters: [String: Datum] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try StoreReader(path: original).sorted(sql, parameters)
        #expect(!before.isEmpty, "\(sql)", sourceLocation: sourceLocation)
        #expect(
            try StoreReader(path: copy).sorted(sql, parameters) == before, "\(sql)",
            sourceLocation: sourceLocation)
    }

    /// Views and tables of samples answer the same.
    private func views() throws {
        for view in [
            "sessions", "leases", "child_sas", "samples", "rates", "session_hours",
            "traffic_hours", "user_hours", "session_totals", "ticks", "pool_samples",
            "spans_of_runs",
        ] { try expectSame("SELECT * FROM \(view)") }
        try expectSame("SELECT run, at_ns, kind, session, fields FROM events")
        try expectSame("SELECT run, started_ns, boot_id, last_ns, last_mono_ns FROM runs")
        try expectSame("SELECT * FROM child_samples WHERE moved = 1")
    }

    /// Traffic of any window is the same.
    private func windows() throws {
        let start = History.start - 100_000_000_000
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<30 {
            let since = start + .random(in: 0...20_000_000_000_000, using: &generator)
            let until =
                since + .random(in: 2_000_000_000_000...9_000_000_000_000, using: &generator)
            let sql = "SELECT * FROM traffic_between(\(since), \(until))"
            #expect(
                try StoreReader(path: original).sorted(sql) == StoreReader(path: copy).sorted(sql))
        }
        try expectSame("SELECT * FROM traffic_between(0, \(Int64.max))")
    }

    /// The questions that come with Weir have the same answers.
    private func questions() throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let questions = try Library.load(from: source.appendingPathComponent("queries").path)
        #expect(questions.count >= 7)
        let reader = try StoreReader(path: original)
        let session = try #require(
            try reader.all("SELECT session FROM session_closed ORDER BY id LIMIT 1").first?.first)
        guard case .text(let name) = session else { return }
        let values = [
            "session": name, "address": "10.88.0.3", "identity": "user3@example.org",
            "source": "192.0.2.9", "since": "2026-11-01T00:00:00Z",
            "until": "2026-12-01T00:00:00Z", "at": "2026-11-18T11:30:00Z", "limit": "50",
        ]
        var answered = 0
        for question in questions {
            let known = Set(question.parameters.map(\.name))
            let parameters = values.filter { known.contains($0.key) }
            func answer(_ path: String) throws -> [[Datum]] {
                try Forensics.ask(
                    question, parameters: parameters, of: try StoreReader(path: path),
                    policy: policy, now: Timestamp(nanoseconds: History.start)
                ).rows
            }
            let before = try answer(original)
            #expect(try answer(copy) == before, "\(question.name)")
            if !before.isEmpty { answered += 1 }
        }
        #expect(answered >= 5)
    }

    /// What is exported again is the same, line by line.
    private func again() throws {
        let before = try ndjson(original).split(separator: "\n").sorted()
        #expect(try ndjson(copy).split(separator: "\n").sorted() == before)
        #expect(try StoreReader(path: copy).check() == [])
    }

    /// A gateway that starts on the copy closes what the original's would.
    private func unfinished() throws {
        func left(_ path: String) throws -> Unfinished {
            let store = try Store(
                path: path, version: "0.1.0", at: Timestamp(nanoseconds: History.start * 2),
                bootID: "next")
            defer { store.close() }
            return store.unfinished
        }
        let before = try left(original)
        #expect(before.sessions.count >= 1)
        let after = try left(copy)
        // The copy's samples are all in chunks, so less is known of when the last one was: never
        // a later time than it was.
        #expect(after.sessions.map(\.total) == before.sessions.map(\.total))
        #expect(after.sessions.map(\.id) == before.sessions.map(\.id))
        #expect(after.children.map(\.total) == before.children.map(\.total))
        #expect(after.children.map(\.child) == before.children.map(\.child))
        for (child, original) in zip(after.children, before.children) {
            #expect(child.lastSampled <= original.lastSampled)
            #expect(child.lastSeen == original.lastSeen)
        }
        #expect(after.leases == before.leases)
        #expect(after.gateway == before.gateway)
    }

    /// Windows, kinds and sessions select.
    private func selections() throws {
        let middle = History.start + 5_000_000_000_000
        let closed = try ndjson(
            original, ExportSelection(times: middle..<(.max), kinds: ["session_closed"]))
        #expect(closed.split(separator: "\n").count > 3)
        #expect(
            closed.split(separator: "\n").dropFirst().allSatisfy {
                $0.hasPrefix("{\"kind\":\"session_closed\",")
            })
        let reader = try StoreReader(path: original)
        guard
            case .text(let session)? = try reader.all(
                "SELECT session FROM session_closed ORDER BY id LIMIT 1"
            ).first?.first
        else { return }
        let all = try ndjson(original, ExportSelection(session: session))
        let lines = all.split(separator: "\n").dropFirst()
        #expect(lines.contains { $0.contains("\"kind\":\"child_sample\"") })
        #expect(
            lines.allSatisfy { $0.contains(session) || $0.hasPrefix("{\"kind\":\"run\"") })
    }

    /// One of the bounds is within what the clock, stepping back, has twice.
    /// Parts that follow each other make the whole.
    private func parts() throws {
        let parts = folder("parts.db")
        let bounds: [Int64] = [0, 4_490_000_000_000, 9_500_000_000_000, 12_000_000_000_000]
            .map { History.start + $0 }
        for (index, range) in zip([.min] + bounds, bounds + [.max]).enumerated() {
            let text = try ndjson(original, ExportSelection(times: range.0..<range.1))
            try imported(try folder.write(text, to: "part-\(index)"), into: parts)
        }
        for sql in [
            "SELECT run, at_ns, kind, session, fields FROM events", "SELECT * FROM child_samples",
            "SELECT * FROM session_totals",
            "SELECT * FROM traffic_between(\(bounds[0]), \(bounds[2] + 7))",
        ] {
            let found = try StoreReader(path: parts).sorted(sql)
            let before = try StoreReader(path: original).sorted(sql)
            #expect(found.filter { !before.contains($0) }.prefix(3) == [], "\(sql)")
            #expect(before.filter { !found.contains($0) }.prefix(3) == [], "\(sql)")
            #expect(found.count == before.count)
        }
    }

    /// CSV has a header, and a record for each row.
    private func csv() throws {
        let kind = try #require(RecordKind.all.first { $0.name == "tick" })
        let text = try exported(try StoreReader(path: original)) { exporter throws(TransferError) in
            try exporter.exportCSV(kind)
        }
        let lines = text.components(separatedBy: "\r\n")
        #expect(
            lines.first == "run,at_ns,mono_ns,sessions,half_open,child_sas,session_limit,"
                + "bytes_in,packets_in,bytes_out,packets_out,messages_received,messages_sent,"
                + "retransmissions_sent,active_child_sas")
        #expect(lines.count == 1_042 && lines.last == "")
    }

    /// A column has one type, whatever the kind of record.
    private func types() {
        var types: [String: Storage] = [:]
        for field in Catalogue.events.flatMap(\.fields) {
            #expect(types[field.name, default: field.storage] == field.storage, "\(field.name)")
            types[field.name] = field.storage
        }
    }
}
