import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

@Suite("Writing and reading")
struct WritingTests {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try folder.open()
    }

    private static let traffic = "bytes_in, packets_in, bytes_out, packets_out"

    private func rows(_ sql: String) throws -> [[Datum]] { try folder.read().rows(sql).rows }

    @Test("a tick is stored with its pools and its Child SAs")
    func tick() throws {
        var tick = Tick()
        tick.sessions = 1
        tick.halfOpen = 2
        tick.childSAs = 3
        tick.sessionLimit = 4
        tick.traffic = Traffic(5)
        for _ in 0..<6 { tick.received.count([]) }
        for _ in 0..<7 { tick.sent.count([]) }
        tick.retransmissionsSent = .max
        tick.pools = [PoolState(name: "staff", size: 254, used: 1)]
        tick.children = [sample(1, child: 41, 9)]
        try store.append(events: [], ticks: [RecordedTick(tick, at: 10)])

        let at = Datum.integer(1_795_000_010_000_000_000)
        let numbers: [Int64] = [10_000_000_000, 1, 2, 3, 4, 500, 5, 5_000, 10, 6, 7, .max, 1]
        #expect(
            try rows("SELECT * FROM ticks") == [[.integer(1), at] + numbers.map { .integer($0) }])
        #expect(
            try rows("SELECT * FROM pool_samples")
                == [[.integer(1), at, .text("staff"), .integer(254), .integer(1)]])
        let counters: [Datum] = [900, 9, 9_000, 18].map { .integer($0) }
        #expect(
            try rows("SELECT run, at_ns, child, \(Self.traffic) FROM child_samples")
                == [[.integer(1), at, .integer(41)] + counters])
    }

    @Test("a Child SA that carries nothing takes no room, and its counters stay right")
    func idle() throws {
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
            ],
            ticks: [
                RecordedTick(at: 1, children: [sample(1, child: 1, 0)]),
                RecordedTick(at: 2, children: [sample(1, child: 1, 5)]),
            ])
        try store.append(
            events: [],
            ticks: (3...9).map { RecordedTick(at: $0, children: [sample(1, child: 1, 5)]) })
        try store.append(
            events: [], ticks: [RecordedTick(at: 10, children: [sample(1, child: 1, 6)])])

        #expect(
            try rows(
                """
                SELECT at_ns / 1000000000 - 1795000000, bytes_in FROM child_samples
                 WHERE bytes_in_step > 0
                """) == [[.integer(2), .integer(500)], [.integer(10), .integer(600)]])
        #expect(try rows("SELECT count(*) FROM child_samples") == [[.integer(10)]])
        #expect(try rows("SELECT bytes_in FROM sessions") == [[.integer(600)]])
    }

    @Test("two ticks of one time are two samples, and one state of the gateway: the later")
    func sameTime() throws {
        for total in [1, 2] as [UInt64] {
            try store.append(
                events: [], ticks: [RecordedTick(at: 1, children: [sample(1, child: 1, total)])])
        }
        #expect(
            try rows("SELECT bytes_in FROM child_samples") == [[.integer(100)], [.integer(200)]])
        #expect(try rows("SELECT count(*) FROM ticks") == [[.integer(1)]])
    }

    @Test("a full disk loses the batch and nothing else")
    func full() throws {
        try store.append(events: [RecordedEvent(granted(1), at: 1)], ticks: [])
        let pages = try store.connection.integer("PRAGMA page_count")
        _ = try store.connection.value("PRAGMA max_page_count = \(pages)")
        let batch = (0..<2_000).map { RecordedEvent(granted($0), at: 2) }
        let tick = RecordedTick(at: 2, children: [sample(1, child: 1, 1)])
        #expect(throws: StoreError.full(path: folder.file)) {
            try store.append(events: batch, ticks: [tick])
        }
        #expect(try rows("SELECT max(id) FROM lease_granted") == [[.integer(1)]])

        _ = try store.connection.value("PRAGMA max_page_count = 1000000")
        try store.append(events: batch, ticks: [tick])
        #expect(
            try rows("SELECT max(id), count(*) FROM lease_granted")
                == [[.integer(2_001), .integer(2_001)]])
        #expect(try rows("SELECT bytes_in FROM child_samples") == [[.integer(100)]])
    }

    @Test("an empty batch is nothing")
    func empty() throws {
        try store.append(events: [], ticks: [])
        #expect(try rows("SELECT last_mono_ns FROM runs") == [[.integer(0)]])
    }

    @Test("a reader sees what is committed, while the writer writes")
    func concurrentReader() throws {
        let reader = try folder.read()
        for second in 1...20 as ClosedRange<Int64> {
            try store.append(events: [RecordedEvent(granted(1), at: second)], ticks: [])
            #expect(
                try reader.rows("SELECT count(*) FROM lease_granted").rows == [[.integer(second)]])
        }
    }

    @Test(
        "a reader changes nothing",
        arguments: [
            "DELETE FROM runs", "CREATE TABLE t (a)", "UPDATE runs SET run = 7", "VACUUM",
            "PRAGMA user_version = 7",
        ])
    func readOnly(_ sql: String) throws {
        let reader = try folder.read()
        #expect(throws: StoreError.self) { try reader.rows(sql) }
        #expect(throws: SQLiteError.self) { try reader.connection.execute(sql) }
    }

    @Test("a reader takes parameters by name and refuses to guess them")
    func parameters() throws {
        let reader = try folder.read()
        let answer = try reader.rows(
            "SELECT :a + :b AS sum, :a AS a", ["a": .integer(2), "b": .integer(3), "c": .null])
        #expect(answer.columns == ["sum", "a"])
        #expect(answer.rows == [[.integer(5), .integer(2)]])
        #expect(throws: StoreError.self) { try reader.rows("SELECT :a", ["b": .null]) }
        #expect(throws: StoreError.self) { try reader.rows("SELECT 1; SELECT 2") }
        #expect(try reader.rows("SELECT x'00ff'").rows == [[.text("00ff")]])
    }

    @Test("there is nothing to read where there is no file")
    func missing() {
        #expect(throws: StoreError.missing(path: "/tmp/weir-no-such.db")) {
            try StoreReader(path: "/tmp/weir-no-such.db")
        }
    }
}
