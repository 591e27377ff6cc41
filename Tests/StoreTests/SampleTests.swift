import Encoding
import Foundation
import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// Samples before and after they are folded into chunks.
@Suite("Samples")
struct SampleTests {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try folder.open()
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
                RecordedEvent(established(2), at: 1), RecordedEvent(installed(2, child: 2), at: 1),
            ],
            ticks: (1...20).map { second in
                RecordedTick(
                    at: second,
                    children: [sample(1, child: 1, UInt64(second / 3))]
                        + (second < 15 ? [sample(2, child: 2, UInt64(second * second))] : []))
            })
    }

    private func rows(_ sql: String) throws -> [[Datum]] { try folder.read().rows(sql).rows }

    private static let questions = [
        "SELECT * FROM child_samples ORDER BY at_ns, child",
        "SELECT * FROM samples ORDER BY at_ns, child", "SELECT * FROM rates ORDER BY at_ns, child",
        "SELECT * FROM child_samples WHERE child = 2 AND moved = 1 ORDER BY at_ns",
        "SELECT * FROM child_samples WHERE session = '\(SessionID.number(1))' ORDER BY at_ns",
        "SELECT * FROM samples WHERE at_ns > 1795000005000000000 AND at_ns <= 1795000009000000000"
            + " ORDER BY at_ns, child",
        "SELECT * FROM traffic_between(1795000003000000000, 1795000012000000000) ORDER BY child",
        "SELECT * FROM sessions ORDER BY session", "SELECT * FROM session_hours ORDER BY session",
        "SELECT * FROM session_totals ORDER BY session",
    ]

    @Test("are the same in the journal and in chunks", arguments: questions)
    func folding(_ sql: String) throws {
        let before = try rows(sql)
        #expect(!before.isEmpty)
        try store.fold()
        #expect(try rows(sql) == before)
        #expect(try rows("SELECT count(*) FROM chunks") == [[.integer(2)]])
        try store.fold()
        #expect(try rows(sql) == before)
    }

    @Test(
        "what passed within a time is what its samples add up to",
        arguments: [(1, 21), (3, 12), (7, 8), (15, 20), (19, 19), (30, 40), (12, 3)])
    func trafficBetween(_ from: Int64, _ to: Int64) throws {
        try store.fold()
        try store.append(
            events: [], ticks: [RecordedTick(at: 20, children: [sample(1, child: 1, 8)])])
        let times = [from, to].map { (1_795_000_000 + $0) * 1_000_000_000 }
        let columns = Tables.traffic.map { "sum(\($0)_step)" }.joined(separator: ", ")
        #expect(
            try rows(
                """
                SELECT run, session, child, \(Tables.traffic.joined(separator: ", "))
                  FROM traffic_between(\(times[0]), \(times[1])) ORDER BY child
                """)
                == rows(
                    """
                    SELECT run, session, child, \(columns) FROM child_samples
                     WHERE at_ns >= \(times[0]) AND at_ns < \(times[1]) AND moved = 1
                     GROUP BY child ORDER BY child
                    """))
    }

    @Test("a tick tells how many moved")
    func active() throws {
        #expect(
            try rows(
                """
                SELECT t.active_child_sas, (SELECT count(*) FROM child_samples s
                     WHERE s.at_ns = t.at_ns AND s.moved = 1)
                  FROM ticks t WHERE t.at_ns IN (1795000003000000000, 1795000004000000000)
                """) == [[.integer(2), .integer(2)], [.integer(1), .integer(1)]])
    }

    @Test("go on where the chunk ended")
    func goesOn() throws {
        try store.fold()
        try store.append(
            events: [], ticks: [RecordedTick(at: 21, children: [sample(1, child: 1, 8)])])
        let sql = """
            SELECT packets_in, packets_in_step FROM child_samples
             WHERE child = 1 AND at_ns >= 1795000020000000000
            """
        #expect(try rows(sql) == [[.integer(6), .integer(0)], [.integer(8), .integer(2)]])
        try store.fold()
        #expect(try rows(sql) == [[.integer(6), .integer(0)], [.integer(8), .integer(2)]])
        #expect(
            try rows("SELECT sum(packets_in_step) FROM child_samples WHERE child = 1")
                == [[.integer(8)]])
    }

    @Test("fold by themselves when there are enough")
    func automatic() throws {
        for batch in [21...Fold.rows, (Fold.rows + 1)...(Fold.rows + 5)] {
            try store.append(
                events: [],
                ticks: batch.map {
                    RecordedTick(at: Int64($0), children: [sample(1, child: 1, UInt64($0))])
                })
        }
        #expect(try rows("SELECT count(*) FROM chunks") == [[.integer(2)]])
        // One that tells where all were, and those since.
        #expect(try rows("SELECT count(*) FROM journal") == [[.integer(6)]])
        #expect(
            try rows("SELECT count(*) FROM child_samples WHERE child = 1")
                == [[.integer(Int64(Fold.rows + 5))]])
    }

    @Test("what is open is known after folding, a crash, and another start")
    func unfinished() throws {
        try store.fold()
        store.close()
        let next = try folder.open(at: 30)
        #expect(next.unfinished.children.map(\.total) == [Traffic(6), Traffic(196)])
        #expect(next.unfinished.sessions.map(\.total) == [Traffic(6), Traffic(196)])
    }

    @Test("hours add up to the totals, with what passed after the last sample")
    func accounting() throws {
        try store.append(
            events: [
                RecordedEvent(childClosed(1, child: 1, 9), at: 7_000),
                RecordedEvent(closed(1, .deletedByPeer, 9), at: 7_000),
            ], ticks: [])
        for _ in 1...2 {
            #expect(
                try rows(
                    """
                    SELECT hour_ns / 1000000000 - 1795000000, packets_in, bytes_out
                      FROM session_hours WHERE session = '\(SessionID.number(1))' ORDER BY 1
                    """) == [
                        [.integer(-400), .integer(6), .integer(6_000)],
                        [.integer(6_800), .integer(3), .integer(3_000)],
                    ])
            try store.fold()
        }
    }

    @Test("a damaged chunk is left out and told; the others are served")
    func damagedChunk() throws {
        try store.fold()
        try store.connection.execute(
            "UPDATE chunks SET data = zeroblob(40) WHERE series = 1")
        let reader = try folder.read()
        #expect(try reader.rows("SELECT DISTINCT child FROM child_samples").rows == [[.integer(2)]])
        #expect(reader.damagedChunks == 1)
        #expect(
            try reader.check() == [
                "chunk 1 of series 1: checksum; its samples are lost, the others are not"
            ])
    }

    @Test("after a damaged row of the journal nothing is made up")
    func damagedJournal() throws {
        // At 12 the counters of Child SA 1 moved; at 13 and 14 they did not.
        try store.connection.execute(
            "UPDATE journal SET data = x'01' WHERE at_ns = 1795000012000000000")
        let sql = """
            SELECT at_ns / 1000000000 - 1795000000 AS s, packets_in FROM child_samples
             WHERE child = 1 AND s BETWEEN 10 AND 16 ORDER BY s
            """
        let expected: [[Datum]] = [
            [.integer(10), .integer(3)], [.integer(11), .integer(3)],
            [.integer(15), .integer(5)], [.integer(16), .integer(5)],
        ]
        #expect(try rows(sql) == expected)
        #expect(try folder.read().check().count == 1)
        try store.fold()
        #expect(try rows(sql) == expected)
    }

    @Test("an independent reader finds the same in the file")
    func independentReader() throws {
        try store.fold()
        store.close()
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("chunk_reader.py").path, folder.file,
        ]
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        var found: [[Int64]] = []
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let chunk = try JSONDecoder().decode(ReadChunk.self, from: Data(line.utf8))
            for (at, values) in zip(chunk.times, chunk.values) {
                found.append([chunk.child, at] + values.map { Int64(clamping: $0) })
            }
        }
        let expected = try rows(
            """
            SELECT child, at_ns, packets_in, bytes_in, packets_out, bytes_out FROM child_samples
             ORDER BY child, at_ns
            """)
        #expect(found.map { $0.map { .integer($0) } } == expected)
    }

    private struct ReadChunk: Decodable {
        let child: Int64
        let times: [Int64]
        let values: [[UInt64]]
    }

    @Test("a store of format 1 keeps every sample")
    func migration() throws {
        store.close()
        let old = try Folder()
        let connection = try Connection(path: old.file, mode: .readWrite)
        chmod(old.file, 0o600)
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/format-1.sql")
        try connection.execute(script: String(contentsOf: fixture, encoding: .utf8))
        let sql = "SELECT run, at_ns, child, bytes_in FROM child_samples ORDER BY at_ns, child"
        let before = try connection.rows(sql) { $0.values }
        let sessions = try connection.rows("SELECT session, bytes_in FROM sessions") { $0.values }
        connection.close()
        #expect(before.count > 5)

        let new = try old.open(at: 5)
        #expect(try new.connection.rows(sql) { $0.values } == before)
        #expect(
            try new.connection.rows("SELECT session, bytes_in FROM sessions") { $0.values }
                == sessions)
        #expect(new.unfinished.children.count == 3)
        #expect(new.unfinished.children.allSatisfy { $0.total.bytesIn > 0 })
    }
}

@Suite("Care of a store")
struct CareTests {
    private func filled() throws -> (Folder, Store) {
        let folder = try Folder()
        let store = try folder.open()
        try store.append(
            events: (0..<500).map { RecordedEvent(granted($0), at: 1) },
            ticks: (1...5).map { RecordedTick(at: $0, children: [sample(1, child: 1, UInt64($0))]) }
        )
        return (folder, store)
    }

    @Test("a copy taken while it is open holds the same, and only its owner may read it")
    func backup() throws {
        let (folder, store) = try filled()
        let target = folder.path + "/t.db"
        let reader = try folder.read()
        try reader.backup(to: target)
        try store.append(events: [RecordedEvent(granted(7), at: 9)], ticks: [])
        let copy = try StoreReader(path: target)
        #expect(try copy.rows("SELECT count(*) FROM lease_granted").rows == [[.integer(500)]])
        #expect(try copy.rows("SELECT max(packets_in) FROM samples").rows == [[.integer(5)]])
        #expect(try copy.check().isEmpty)
        var status = stat()
        #expect(stat(target, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(throws: StoreError.self) { try reader.backup(to: target) }
    }

    @Test("a copy that can't be finished leaves no file")
    func brokenBackup() throws {
        let (folder, store) = try filled()
        store.close()
        let reader = try folder.read()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file))
        // Every page but the first, which tells what the file is.
        bytes.replaceSubrange(4_096..., with: Data(repeating: 0xa5, count: bytes.count - 4_096))
        try bytes.write(to: URL(fileURLWithPath: folder.file))
        #expect(throws: StoreError.self) { try reader.backup(to: folder("t.db")) }
        #expect(!FileManager.default.fileExists(atPath: folder("t.db")))
    }

    @Test("closing gives space back")
    func closing() throws {
        let (folder, store) = try filled()
        try store.connection.execute("DELETE FROM lease_granted WHERE id > 20")
        #expect(try store.connection.value("PRAGMA freelist_count") != 0)
        store.close()
        #expect(try folder.read().statistics().contains { $0 == ("free_bytes", 0) })
    }

    @Test("compacting gives space back and changes nothing; not while somebody writes")
    func compact() throws {
        let (folder, store) = try filled()
        #expect(throws: StoreError.self) { try StoreCare.compact(path: folder.file) }
        store.close()
        // As older versions made them.
        let connection = try Connection(path: folder.file, mode: .readWrite)
        _ = try connection.value("PRAGMA auto_vacuum = NONE")
        try connection.execute("VACUUM")
        try connection.execute("DELETE FROM lease_granted WHERE id > 20")
        connection.close()
        let sizes = try StoreCare.compact(path: folder.file)
        #expect(sizes.after < sizes.before)
        let reader = try folder.read()
        #expect(try reader.rows("PRAGMA auto_vacuum").rows == [[.integer(2)]])
        #expect(try reader.rows("SELECT max(packets_in) FROM samples").rows == [[.integer(5)]])
        #expect(try reader.rows("SELECT count(*) FROM chunks").rows == [[.integer(1)]])
        #expect(try reader.statistics().contains { $0 == ("free_bytes", 0) })
    }

    @Test(
        "SQL of strangers may read and nothing else",
        arguments: [
            "ATTACH '/tmp/x.db' AS x", "PRAGMA journal_mode", "DELETE FROM runs",
            "SELECT load_extension('x')", "CREATE TEMP TABLE t (a)", "VACUUM",
        ])
    func strangers(_ sql: String) throws {
        let (folder, _) = try filled()
        #expect(throws: StoreError.self) {
            try folder.read().restrictedRows(sql, seconds: 5, memoryBytes: 1 << 28)
        }
    }

    @Test("SQL of strangers reads samples and views, and is stopped in time")
    func limits() throws {
        let (folder, _) = try filled()
        let rows = try folder.read().restrictedRows(
            "SELECT count(*) FROM rates", seconds: 5, memoryBytes: 1 << 28)
        #expect(rows.rows == [[.integer(5)]])
        #expect(throws: StoreError.self) {
            try folder.read().restrictedRows(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
                seconds: 0.2, memoryBytes: 1 << 28)
        }
    }
}
