import Foundation
import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// What sessions carried by hour: the sums in the file, and the plain oracle.
@Suite("Traffic by hour")
struct TrafficHourTests {
    /// From samples and ends alone, as a person would ask for it.
    private static let raw: String = {
        let steps = Tables.traffic.map { "\($0)_step AS \($0)" }.joined(separator: ", ")
        let rests = Tables.traffic.map { "c.\($0) - coalesce(l.\($0), 0) AS \($0)" }
            .joined(separator: ", ")
        let last = Tables.traffic.map { "max(\($0)) AS \($0)" }.joined(separator: ", ")
        let sums = Tables.traffic.map { "sum(\($0)) AS \($0)" }.joined(separator: ", ")
        return """
            WITH last AS (SELECT session, child, \(last) FROM child_samples GROUP BY session, child),
            steps AS (
                SELECT session, at_ns, \(steps) FROM child_samples WHERE moved = 1
                UNION ALL
                SELECT c.session, c.at_ns, \(rests)
                  FROM child_sa_closed c
                  LEFT JOIN last l ON l.session = c.session AND l.child = c.child
                 WHERE c.id = (SELECT min(id) FROM child_sa_closed
                                WHERE session = c.session AND child = c.child))
            SELECT session, at_ns / 3600000000000 AS hour, \(sums) FROM steps
             GROUP BY session, hour HAVING sum(packets_in) > 0 ORDER BY session, hour
            """
    }()

    private static func hours(_ view: String) -> String {
        "SELECT session, hour, \(Tables.traffic.joined(separator: ", ")) FROM \(view)"
            + " ORDER BY session, hour"
    }

    private static let packets =
        "SELECT session, hour, packets_in FROM traffic_hours ORDER BY session, hour"

    /// Many hours with rekeys, folds, crashes and restarts.
    ///
    /// - Returns: the folder of the store, which is open, and its last second.
    private func write(
        _ history: inout History
    ) throws -> (folder: Folder, store: Store, second: Int64) {
        var folder = try Folder()
        var store = try folder.open()
        var second: Int64 = 0
        for _ in 0..<80 {
            second += .random(in: 20...900, using: &history.dice)
            var events: [RecordedEvent] = []
            for _ in 0..<4 { events += history.step(at: second) }
            try store.append(events: events, ticks: [history.tick(at: second + 1)])
            switch Int.random(in: 0..<16, using: &history.dice) {
            case 0...1: try store.fold()
            case 2:
                history.carry(at: second + 2)
                let old = store
                folder = try folder.afterCrash()
                old.close()
                store = try folder.open(at: second + 4)
                try store.append(
                    events: history.crash(store.unfinished, at: second + 4), ticks: [])
            case 3:
                // What has no record is lost; all else is in the sums of the file that is left.
                store.close()
                store = try folder.open(at: second + 4)
                try store.append(
                    events: history.crash(store.unfinished, at: second + 4), ticks: [])
            case 4...5:
                let reader = try folder.read()
                #expect(try reader.rows(Self.hours("session_hours")) == reader.rows(Self.raw))
            default: break
            }
        }
        for id in history.open {
            try store.append(events: history.end(id, at: second + 3), ticks: [])
        }
        return (folder, store, second)
    }

    @Test("is what the oracle has, with its samples and without", arguments: 1...6)
    func anyHistory(_ seed: UInt64) throws {
        var history = History(dice: Dice(state: seed))
        let (folder, store, second) = try write(&history)
        let expected = history.hours
        var reader = try folder.read()
        #expect(try reader.rows(Self.hours("session_hours")) == reader.rows(Self.raw))
        // The hour is over.
        try store.append(events: [], ticks: [RecordedTick(at: second + 3_700)])
        reader = try folder.read()
        #expect(try reader.rows(Self.packets).rows == expected)
        #expect(try reader.rows("SELECT count(*) FROM traffic_unsummed").rows == [[.integer(0)]])
        store.close()

        let late = try folder.open(
            at: second + 900_000, retention: Retention(samples: .seconds(3_600)))
        try late.fold()
        for tick in 0..<60 as Range<Int64> {
            try late.append(events: [], ticks: [RecordedTick(at: second + 900_000 + tick)])
        }
        #expect(try late.connection.integer("SELECT count(*) FROM chunks") == 0)
        #expect(try folder.read().rows(Self.packets).rows == expected)
        #expect(
            try folder.read().rows("SELECT session, hour, packets_in FROM session_hours").rows
                == expected)
    }

    @Test("a store that is summed up from the beginning has the same", arguments: 1...3)
    func adopted(_ seed: UInt64) throws {
        var history = History(dice: Dice(state: seed))
        let (folder, store, second) = try write(&history)
        store.close()
        let other = try Connection(path: folder.file, mode: .readWrite)
        try other.execute(
            script: """
                DELETE FROM session_traffic; DELETE FROM summed;
                UPDATE sampled_sessions SET last_hour = -8388608; PRAGMA user_version = 3
                """)
        other.close()
        let next = try folder.open(at: second + 10)
        try next.append(events: [], ticks: [RecordedTick(at: second + 10)])
        #expect(try folder.read().rows(Self.packets).rows == history.hours)
    }

    @Test("a store of format 3 is summed up, from its chunks and ends")
    func migration() throws {
        let folder = try Folder()
        let connection = try Connection(path: folder.file, mode: .readWrite)
        chmod(folder.file, 0o600)
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/format-3.sql")
        try connection.execute(script: String(contentsOf: fixture, encoding: .utf8))
        connection.close()
        let store = try folder.open(at: 9_000)
        #expect(try store.connection.integer("PRAGMA user_version") == 4)
        try store.append(events: [], ticks: [RecordedTick(at: 9_000)])
        let hours: [[Int64]] = [[0, 7], [0, 14], [1, 2], [1, 4], [2, 16], [2, 22]]
        #expect(
            try folder.read().rows(
                """
                SELECT hour - 498611, packets_in FROM traffic_hours ORDER BY hour, packets_in
                """
            ).rows == hours.map { $0.map { .integer($0) } })
        #expect(try folder.read().rows(Self.hours("session_hours")) == folder.read().rows(Self.raw))
        #expect(
            try folder.read().rows("SELECT hour - 498611, handshakes, max_us FROM handshake_hours")
                .rows == [[.integer(0), .integer(2), .integer(40_000)]])
    }

    @Test("users and connections have theirs, and pools")
    func grouped() throws {
        let folder = try Folder()
        let store = try folder.open()
        var alice = established(1)
        alice.identity = Personal(Identity("alice"))
        var bob = established(2)
        bob.identity = Personal(Identity("bob"))
        bob.connection = Public("guests")
        var again = established(3)
        again.identity = Personal(Identity("alice"))
        try store.append(
            events: [alice, bob, again].map { RecordedEvent($0, at: 1) }
                + [RecordedEvent(granted(2), at: 1)],
            ticks: [
                RecordedTick(
                    at: 2,
                    children: [
                        sample(1, child: 1, 5), sample(2, child: 2, 7), sample(3, child: 3, 9),
                    ]), RecordedTick(at: 4_000),
            ])
        let reader = try folder.read()
        func rows(_ sql: String) throws -> [[Datum]] { try reader.rows(sql).rows }
        #expect(
            try rows("SELECT sessions, packets_in, bytes_in FROM user_hours ORDER BY packets_in")
                == [
                    [.integer(1), .integer(7), .integer(700)], [2, 14, 1_400].map { .integer($0) },
                ])
        #expect(
            try rows("SELECT connection, packets_in FROM connection_hours ORDER BY 1")
                == [[.text("guests"), .integer(7)], [.text("staff"), .integer(14)]])
        #expect(
            try rows("SELECT pool, sum(packets_in) FROM traffic_hours GROUP BY 1 ORDER BY 1")
                == [[.null, .integer(14)], [.text("staff"), .integer(7)]])
    }

    @Test("a sample that comes after its Child SA's end was summed up counts nothing twice")
    func late() throws {
        let folder = try Folder()
        let store = try folder.open()
        try store.append(
            events: [RecordedEvent(installed(1, child: 1), at: 1)],
            ticks: [RecordedTick(at: 2, children: [sample(1, child: 1, 5)])])
        try store.append(
            events: [RecordedEvent(childClosed(1, child: 1, 9), at: 3_100)], ticks: [])
        try store.fold()
        try store.append(
            events: [], ticks: [RecordedTick(at: 3_101, children: [sample(1, child: 1, 7)])])
        try store.append(events: [], ticks: [RecordedTick(at: 8_000)])
        #expect(
            try folder.read().rows("SELECT packets_in FROM traffic_hours").rows == [[.integer(9)]])
        #expect(try folder.read().rows(Self.hours("session_hours")) == folder.read().rows(Self.raw))
    }

    @Test("a Child SA that is not in some ticks, while the journal is folded, goes on where it was")
    func back() throws {
        let folder = try Folder()
        let store = try folder.open()
        func tick(_ second: Int64, _ packets: UInt64?) throws {
            var children = (2...9).map { sample($0, child: $0, UInt64(second)) }
            if let packets { children.append(sample(1, child: 1, packets)) }
            try store.append(events: [], ticks: [RecordedTick(at: second, children: children)])
        }
        func check(_ expected: Int64) throws {
            let rows = try folder.read().rows(
                """
                SELECT sum(packets_in_step), count(DISTINCT child), max(packets_in)
                  FROM child_samples WHERE session = '\(SessionID.number(1))'
                """
            ).rows
            #expect(rows == [[.integer(expected), .integer(1), .integer(expected)]])
            #expect(
                try folder.read().rows(Self.hours("session_hours")) == folder.read().rows(Self.raw))
        }
        try tick(1, 5)
        try tick(2, nil)
        try store.fold()
        try tick(3, nil)
        try store.fold()
        #expect(try store.connection.integer("SELECT count(*) FROM series_last") == 9)
        try check(5)
        try tick(4, 5)
        try check(5)
        try tick(5, 9)
        try check(9)
        try store.fold()
        try check(9)
        try tick(4_000, 11)
        try check(11)
    }

    @Test("samples that are imported after the end of their Child SA take their part of it")
    func imported() throws {
        let folder = try Folder()
        let importer = try StoreImporter(path: folder.file)
        var state = try importer.makeState(name: "events")
        let session = SessionID.number(1).description
        func sample(_ at: Int64, _ packets: Int64) throws {
            var members: [String: Datum] = [
                "run": .integer(1), "at_ns": .integer(Timestamp.seconds(at).nanoseconds),
                "session": .text(session), "child": .integer(1),
            ]
            for name in Tables.traffic { members[name] = .integer(packets) }
            try importer.take(childSample: members)
        }
        func check() throws {
            #expect(
                try folder.read().rows(Self.hours("session_hours")) == folder.read().rows(Self.raw))
        }
        try importer.beginBatch(of: state)
        let end = childClosed(1, child: 1, 9).disclosed(under: policy)
        try importer.take(
            end, ImportedTime(run: 1, at: Timestamp.seconds(9_000).nanoseconds, instant: 9_000))
        state.isFinished = true
        try importer.commit(state)
        #expect(
            try folder.read().rows("SELECT packets_in FROM traffic_hours").rows == [[.integer(9)]])
        for part in [[(1, 2), (4_000, 4)], [(8_000, 5)], [(8_950, 9)]] as [[(Int64, Int64)]] {
            state.isFinished = part.count == 1
            try importer.beginBatch(of: state)
            for (at, packets) in part { try sample(at, packets) }
            try importer.commit(state)
            try check()
        }
        importer.close()
        #expect(
            try folder.read().rows("SELECT packets_in FROM traffic_hours ORDER BY hour").rows
                == [[.integer(2)], [.integer(2)], [.integer(5)]])
        // The one in which, after all, nothing passed after the last sample has no row of its own.
    }

    @Test("goes by its age, after its samples; a held session's stays until it is released")
    func retention() throws {
        let folder = try Folder()
        let store = try folder.open(
            retention: Retention(samples: .seconds(3_600), hours: .seconds(7_200)))
        try store.append(
            events: [],
            ticks: [
                RecordedTick(at: 1, children: [sample(1, child: 1, 5), sample(2, child: 2, 7)])
            ])
        try store.append(
            events: [1, 2].map { RecordedEvent(childClosed($0, child: $0, 8), at: 2) },
            ticks: [RecordedTick(at: 2)])
        try store.fold()
        let hold = try Holds.place(
            path: folder.file, .session(SessionID.number(2).description), since: nil, until: nil,
            reason: "case", at: .seconds(3))
        func left(at second: Int64) throws -> [Int64] {
            for tick in 0..<3 {
                try store.append(events: [], ticks: [RecordedTick(at: second + Int64(tick))])
            }
            return try ["chunks", "session_traffic", "sampled_sessions"].map {
                try store.connection.integer("SELECT count(*) FROM \($0)")
            }
        }
        #expect(try left(at: 3_500) == [2, 2, 2])
        #expect(try left(at: 3_700) == [1, 2, 2])
        // The hour is over at 3,200.
        #expect(try left(at: 10_300) == [1, 2, 2])
        #expect(try left(at: 10_500) == [1, 1, 1])
        #expect(
            try folder.read().rows("SELECT session, packets_in FROM traffic_hours").rows
                == [[.text(SessionID.number(2).description), .integer(8)]])
        try Holds.release(path: folder.file, number: hold, at: .seconds(10_510))
        #expect(try left(at: 10_520) == [0, 0, 0])
    }

    @Test("sums of no session, and sketches that can't be read, are told")
    func checked() throws {
        let folder = try Folder()
        let store = try folder.open()
        try store.append(
            events: [RecordedEvent(established(1), at: 1)],
            ticks: [RecordedTick(at: 2, children: [sample(1, child: 1, 5)])])
        try store.append(events: [], ticks: [RecordedTick(at: 4_000)])
        #expect(try folder.read().check().isEmpty)
        try store.connection.execute(
            script: """
                INSERT INTO session_traffic VALUES (1, 99, 1, 1, 1, 1);
                UPDATE handshake_hours SET handshakes = 7;
                """)
        #expect(
            try folder.read().check() == [
                "1 hours of traffic of no known session",
                "handshakes of hour 498611: their sketch is damaged",
            ])
    }

    @Test("sums that a file claims to be without bounds stay within 64 bits")
    func saturated() throws {
        let folder = try Folder()
        let store = try folder.open()
        var entries = TrafficEntries()
        entries.add(Counters(Traffic(bytesIn: 1 << 62)), hour: 3, unsampled: "a")
        for _ in 1...5 {
            try store.connection.transaction { () throws(SQLiteError) in
                try entries.store(store.connection)
            }
        }
        #expect(
            try folder.read().rows("SELECT bytes_in FROM traffic_hours").rows
                == [[.integer(.max)]])
    }
}
