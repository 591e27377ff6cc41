import Glibc
import SQLite
import Testing
import Vocabulary

@testable import Store

@Suite("A reader that pins the write-ahead log")
struct LogLimitTests {
    /// Some 40 pages each.
    private func append(_ number: Int64, to store: Store) throws {
        try store.append(
            events: (0..<100).map {
                RecordedEvent(established(UInt64(number * 100 + $0)), at: number)
            },
            ticks: [RecordedTick(at: number)])
    }

    @Test("has it grow to the limit, and no further; when it ends, recording goes on")
    func limit() throws {
        let folder = try Folder()
        let limit: UInt64 = 1 << 20
        // More than one batch writes.
        let batch: UInt64 = 512 << 10
        let store = try folder.open(logLimit: limit)
        try append(0, to: store)

        let reader = try folder.read()
        try reader.connection.execute("BEGIN")
        _ = try reader.rows("SELECT count(*) FROM events")
        var accepted: Int64 = 1
        var refusal: StoreError?
        while refusal == nil, accepted < 1_000 {
            do {
                try append(accepted, to: store)
                accepted += 1
            } catch let error as StoreError { refusal = error }
        }
        // What it names is this process: the reader is in it.
        guard case .logPinned(_, limit, let readers)? = refusal else {
            Issue.record("refused as \(refusal.map { "\($0)" } ?? "nothing")")
            return
        }
        #expect(readers.count == 1 && readers[0].hasPrefix("process \(getpid()) ("))
        let size = store.logBytes
        #expect(size >= limit && size < limit + batch)
        for _ in 0..<50 {
            #expect(throws: StoreError.self) { try append(accepted, to: store) }
        }
        #expect(store.logBytes == size)
        // It still sees what it began with, and others all that was accepted.
        #expect(
            try reader.rows("SELECT count(*) FROM session_established").rows == [[.integer(100)]])
        #expect(
            try folder.read().rows("SELECT count(*) FROM session_established").rows
                == [[.integer(accepted * 100)]])

        try reader.connection.execute("COMMIT")
        try append(accepted, to: store)
        #expect(store.logBytes < batch)
        for number in accepted + 1..<accepted + 20 { try append(number, to: store) }
        #expect(
            try folder.read().rows(
                "SELECT count(*), count(DISTINCT session) FROM session_established"
            )
            .rows == [[.integer((accepted + 20) * 100), .integer((accepted + 20) * 100)]])
        #expect(try folder.read().check() == [])
        store.close()
    }

    @Test("does not keep the store from being closed and opened")
    func closing() throws {
        let folder = try Folder()
        let store = try folder.open(logLimit: 1 << 18)
        let reader = try folder.read()
        try append(0, to: store)
        try reader.connection.execute("BEGIN")
        _ = try reader.rows("SELECT count(*) FROM events")
        #expect(throws: StoreError.self) {
            for number: Int64 in 1..<100 { try append(number, to: store) }
        }
        let size = store.logBytes
        store.close()
        let next = try folder.open(at: 200, logLimit: 1 << 18)
        #expect(throws: StoreError.self) { try append(200, to: next) }
        #expect(next.logBytes < size + 65_536)
        try reader.connection.execute("COMMIT")
        try append(200, to: next)
        next.close()
        #expect(try folder.read().check() == [])
    }

    @Test("is found by its lock on the right bytes of the right file")
    func readers() {
        let file = LogReaders.File(major: 0xfd, minor: 0x1, inode: 4_711)
        let locks = """
            1: POSIX  ADVISORY  READ 300 fd:01:4711 124 124
            2: POSIX  ADVISORY  READ 300 fd:01:4711 128 128
            3: POSIX  ADVISORY  READ 20 fd:01:4711 127 127
            4: POSIX  ADVISORY  READ 21 fd:01:4711 128 128
            5: POSIX  ADVISORY  WRITE 22 fd:01:4711 124 124
            6: POSIX  ADVISORY  READ 23 fd:01:4712 124 124
            7: POSIX  ADVISORY  READ 24 fd:02:4711 124 124
            8: FLOCK  ADVISORY  READ 25 fd:01:4711 124 124
            9: POSIX  ADVISORY  READ 0 fd:01:4711 124 124
            10: OFDLCK ADVISORY  READ -1 fd:01:4711 124 124
            11: -> POSIX  ADVISORY  READ 26 fd:01:4711 124 124
            12: POSIX  ADVISORY  READ 27 fd:01:4711 0 EOF
            13: POSIX  ADVISORY  READ 28 : 124 124
            14: POSIX

            """
        #expect(LogReaders.processes(reading: file, in: Array(locks.utf8)) == [20, 300])
    }

    @Test("is named with what to do, if it can be found")
    func message() {
        func told(_ readers: [String]) -> String {
            StoreError.logPinned(path: "/w/weir.db", limit: 1_024, readers: readers).description
        }
        let start =
            "store /w/weir.db: a reader keeps its write-ahead log from being folded into it, and that is"
            + " as long as it may be (1024 bytes); end "
        #expect(
            told(["process 7 (sqlite3)", "process 9"])
                == start + "process 7 (sqlite3), process 9, recording goes on by itself")
        #expect(
            told([])
                == start
                + "the one that this names: fuser -v /w/weir.db-wal, recording goes on by itself")
    }
}
