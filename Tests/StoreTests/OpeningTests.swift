import Foundation
import Glibc
import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

@Suite("Opening a store")
struct OpeningTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    private func refusal(_ path: String? = nil) -> StoreError? {
        #expect(throws: StoreError.self) {
            try Store(
                path: path ?? folder.file, version: "0.1.0", at: .seconds(0), bootID: "boot")
        }
    }

    private func make(_ sql: String) throws {
        let connection = try Connection(path: folder.file, mode: .readWrite)
        chmod(folder.file, 0o600)
        // SQLite looks through all views when a table changes.
        let samples = try SampleTables(on: connection)
        try connection.execute(script: sql)
        withExtendedLifetime(samples) {}
        connection.close()
    }

    @Test("a file whose ids are used up is refused")
    func highestID() throws {
        let folder = try Folder()
        let store = try folder.open()
        try store.append(events: [RecordedEvent(granted(1), at: 1)], ticks: [])
        try store.connection.execute("UPDATE lease_granted SET id = \(Int64.max)")
        store.close()
        #expect(throws: StoreError.notADatabase(path: folder.file)) { try folder.open() }
        #expect(throws: StoreError.self) { try folder.read().check() }
    }

    @Test("a file that nobody can change is read without locks, whatever its name")
    func immutable() throws {
        let folder = try Folder()
        let path = folder("a?b #c%41&mode=rw.db")
        try Store(path: path, version: "0.1.0", at: .seconds(0), bootID: "boot").close()
        let connection = try Connection(path: path, mode: .immutable)
        #expect(try connection.integer("SELECT count(*) FROM runs") == 1)
        #expect(throws: SQLiteError.self) { try connection.execute("DELETE FROM runs") }
        #expect(!FileManager.default.fileExists(atPath: path + "-shm"))
    }

    @Test("makes files that only their owner can use")
    func modes() throws {
        let before = umask(0)
        defer { umask(before) }
        let store = try folder.open()
        try store.append(events: [RecordedEvent(granted(1), at: 1)], ticks: [])
        for name in ["", "-wal", "-shm", ".lock"] {
            var status = stat()
            #expect(stat(folder.file + name, &status) == 0, "\(name)")
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test("records who ran when")
    func runs() throws {
        try folder.open(at: 1).close()
        let store = try folder.open(at: 2)
        #expect(store.run == 2)
        let rows = try folder.read().rows("SELECT run, started_ns, boot_id, version FROM runs")
        let nanoseconds: [Int64] = [1_795_000_001_000_000_000, 1_795_000_002_000_000_000]
        #expect(
            rows.rows == [
                [.integer(1), .integer(nanoseconds[0]), .text("boot"), .text("0.1.0")],
                [.integer(2), .integer(nanoseconds[1]), .text("boot"), .text("0.1.0")],
            ])
    }

    @Test("is durable and logs ahead")
    func durable() throws {
        let store = try folder.open()
        #expect(try store.connection.value("PRAGMA journal_mode") == "wal")
        #expect(try store.connection.value("PRAGMA synchronous") == 2)
    }

    @Test("refuses a second writer, and names the first", arguments: ["/s.db", "/link.db"])
    func secondWriter(_ name: String) throws {
        let first = try folder.open()
        #expect(symlink("s.db", folder.path + "/link.db") == 0)
        let error = refusal(folder.path + name)
        #expect(error == .writerRunning(path: first.path, pid: getpid()))
        #expect(error?.description.contains("process \(getpid()) writes to it") == true)
        try first.append(events: [RecordedEvent(granted(1), at: 1)], ticks: [])
        first.close()
        #expect(try folder.open().run == 2)
    }

    /// As one between fork and exec does.
    @Test("is free once it is closed, though a child process has its files")
    func inherited() throws {
        let lock = try WriterLock(for: folder.file)
        let name = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").first {
            let target = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/fd/\($0)")
            return target == folder.file + ".lock"
        }
        let copy = dup(try #require(name.flatMap { Int32($0) }))
        try #require(copy >= 0)
        defer { close(copy) }
        #expect(throws: StoreError.self) { try WriterLock(for: folder.file) }
        lock.release()
        try WriterLock(for: folder.file).release()
    }

    @Test("refuses a missing directory")
    func missingDirectory() {
        #expect(refusal("/nowhere/at/all/s.db") == .directoryMissing(path: "/nowhere/at/all/s.db"))
    }

    @Test("refuses what is no file", arguments: ["", "/", "/tmp", "/tmp/"])
    func noFile(_ path: String) {
        guard case .inaccessible = refusal(path) else {
            Issue.record("\(path)")
            return
        }
    }

    @Test("refuses a file that everybody can read")
    func openToOthers() throws {
        try folder.open().close()
        chmod(folder.file, 0o604)
        #expect(refusal() == .openToOthers(path: folder.file))
        chmod(folder.file, 0o640)
        #expect(try folder.open().run == 2)
    }

    @Test("refuses what is no database, and leaves it as it is")
    func noDatabase() throws {
        let text = "# Shopping list\n" + String(repeating: "eggs\n", count: 1_000)
        let file = try #require(fopen(folder.file, "w"))
        fputs(text, file)
        fclose(file)
        chmod(folder.file, 0o600)
        #expect(refusal() == .notADatabase(path: folder.file))
        let error = #expect(throws: StoreError.self) { try folder.read() }
        #expect(error == .notADatabase(path: folder.file))
        #expect(StoreFile.size(folder.file) == UInt64(text.utf8.count))
    }

    @Test("refuses another program's database, and leaves it as it is")
    func otherProgram() throws {
        try make("CREATE TABLE books (title TEXT)")
        #expect(refusal() == .notAStore(path: folder.file))
        let error = #expect(throws: StoreError.self) { try folder.read() }
        #expect(error == .notAStore(path: folder.file))
        let connection = try Connection(path: folder.file, mode: .readOnly)
        #expect(try connection.value("SELECT group_concat(name) FROM sqlite_schema") == "books")
        #expect(try connection.value("PRAGMA journal_mode") == "delete")
    }

    @Test("refuses a newer format")
    func newer() throws {
        try folder.open().close()
        try make("PRAGMA user_version = 99")
        let expected = StoreError.newerVersion(path: folder.file, found: 99, known: Format.version)
        #expect(refusal() == expected)
        #expect(throws: expected) { try folder.read() }
    }

    @Test("adds what a newer vocabulary brings, and keeps what was recorded")
    func upgrade() throws {
        let store = try folder.open()
        try store.append(
            events: [RecordedEvent(granted(1), at: 1), RecordedEvent(PeerDead.example, at: 1)],
            ticks: [RecordedTick(at: 1)])
        store.close()
        try make(
            """
            DROP VIEW events; DROP VIEW leases; DROP VIEW gateway_metrics;
            DROP VIEW gateway_minutes; DROP VIEW gateway_hours;
            CREATE VIEW leases AS SELECT 1 AS old;
            DROP VIEW alerts; DROP VIEW sessions; DROP VIEW spans_of_runs; DROP VIEW samples;
            DROP VIEW rates; DROP VIEW child_sas; DROP VIEW session_hours;
            DROP VIEW session_totals; DROP INDEX peer_dead_by_session;
            DROP TABLE address_changed; ALTER TABLE peer_dead DROP COLUMN retransmissions;
            ALTER TABLE ticks DROP COLUMN retransmissions_sent;
            """)

        _ = try folder.open(at: 2)
        let reader = try folder.read()
        #expect(try reader.rows("SELECT pool, address FROM leases").rows.count == 1)
        #expect(try reader.rows("SELECT retransmissions FROM peer_dead").rows == [[.null]])
        #expect(
            try reader.rows("SELECT retransmissions_sent FROM ticks").rows == [[.integer(0)]])
        #expect(try reader.rows("SELECT * FROM address_changed").rows.isEmpty)
        #expect(try reader.rows("SELECT * FROM events").rows.count == 2)
    }

    @Test("an ordinary start changes nothing of the schema")
    func stable() throws {
        try folder.open().close()
        let before = try folder.read().rows("PRAGMA schema_version").rows
        try folder.open().close()
        #expect(try folder.read().rows("PRAGMA schema_version").rows == before)
    }

    @Test("closing folds the log away; the size is of both files")
    func closing() throws {
        let store = try folder.open()
        for second in 1...200 {
            try store.append(
                events: (0..<50).map { _ in RecordedEvent(granted(1), at: Int64(second)) },
                ticks: [])
        }
        let wal = StoreFile.size(folder.file + "-wal")
        #expect(wal > 0 && wal < 16_777_216)
        #expect(store.sizeBytes == StoreFile.size(folder.file) + wal)
        store.close()
        #expect(StoreFile.size(folder.file + "-wal") == 0)
        #expect(throws: StoreError.self) {
            try store.append(events: [RecordedEvent(granted(1), at: 1)], ticks: [])
        }
    }
}
