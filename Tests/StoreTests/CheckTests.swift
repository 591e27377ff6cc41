import Encoding
import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// Sums that are not of what they say they are of, and those of which nobody can tell.
@Suite("Checking sums")
struct CheckTests {
    private static let hour: Int64 = 3_600
    /// Of the history's first tick.
    private static let first = 1_795_000_000 / hour

    /// Sessions 1 to 3 for three hours, a tick every minute, folded once an hour, pools and logins.
    /// The last hour is not over.
    private func history(retention: Retention = Retention()) throws -> (Folder, Store) {
        let folder = try Folder()
        let store = try folder.open(retention: retention)
        try store.append(
            events: (1...3).flatMap {
                [
                    RecordedEvent(established($0), at: 0),
                    RecordedEvent(installed($0, child: $0), at: 0),
                ]
            }, ticks: [])
        for minute: Int64 in 0..<170 {
            try store.append(
                events: minute % 50 == 49 ? [RecordedEvent(established(10), at: minute * 60)] : [],
                ticks: [
                    RecordedTick(
                        at: minute * 60,
                        children: (1...3).map { sample($0, child: $0, UInt64(minute) * $0) },
                        pools: [PoolState(name: "staff", size: 254, used: UInt64(minute))])
                ])
            if minute % 60 == 59 { try store.fold() }
        }
        try store.append(
            events: [RecordedEvent(childClosed(2, child: 2, 400), at: 10_201)], ticks: [])
        return (folder, store)
    }

    private func check(_ folder: Folder) throws -> (problems: [String], notes: [String]) {
        var notes: [String] = []
        let problems = try folder.read().check { notes.append($0) }
        return (problems, notes)
    }

    /// - Returns: what the check says of a store that was changed behind its writer's back.
    private func problems(after change: String) throws -> [String] {
        let (folder, store) = try history()
        store.close()
        #expect(try check(folder) == ([], []))
        let other = try Connection(path: folder.file, mode: .readWrite)
        try other.execute(change)
        #expect(other.changes == 1, "\(change)")
        other.close()
        return try folder.read().check()
    }

    @Test(
        "what a session carried in an hour",
        arguments: [
            (
                "UPDATE session_traffic SET bytes_out = bytes_out + 1 WHERE session = 2 AND hour = ",
                1
            ),
            ("UPDATE session_traffic SET packets_in = 0 WHERE session = 1 AND hour = ", 0),
            ("DELETE FROM session_traffic WHERE session = 3 AND hour = ", 1),
            (
                "INSERT INTO session_traffic SELECT hour + 90, 1, 5, 6, 7, 8 FROM session_traffic"
                    + " WHERE session = 3 AND hour = ", 0
            ),
        ])
    func traffic(_ change: String, hour: Int64) throws {
        let found = try problems(after: change + "\(Self.first + hour)")
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix(
                "traffic of session \(SessionID.number(1).description.prefix(8))")
                == true, "\(found)")
    }

    @Test("says what the sum is and what it should be")
    func line() throws {
        let hour = Self.first + 1
        let found = try problems(
            after: "UPDATE session_traffic SET bytes_out = 7 WHERE session = 2 AND hour = \(hour)")
        #expect(
            found == [
                "traffic of session \(SessionID.number(2).description) in hour \(hour): summed up as"
                    + " 7 bytes out, samples say 120000"
            ])
    }

    @Test(
        "figures",
        arguments: [
            "UPDATE tick_minutes SET sessions_max = 9 WHERE start_ns ="
                + " (SELECT max(start_ns) FROM tick_minutes)",
            "UPDATE tick_hours SET silence_ns = 1 WHERE start_ns = (SELECT max(start_ns) FROM tick_hours)",
            "DELETE FROM tick_minutes WHERE start_ns = (SELECT max(start_ns) FROM tick_minutes)",
            "UPDATE pool_minutes SET used_last = 0 WHERE start_ns = (SELECT max(start_ns) FROM pool_minutes)",
            "UPDATE pool_hours SET used_sum = used_sum - 1"
                + " WHERE start_ns = (SELECT max(start_ns) FROM pool_hours)",
        ])
    func figures(_ change: String) throws {
        let found = try problems(after: change)
        #expect(
            found.count == 1 && found[0].hasSuffix("its sums are not of its 60 ticks"), "\(found)")
    }

    @Test("handshakes that were not")
    func handshakes() throws {
        var other = Sketch()
        // As many logins as the first hour has.
        for _ in 0..<4 { other.add(1) }
        let text = hex(other.encoded)
        let found = try problems(
            after:
                "UPDATE handshake_hours SET handshakes = 4, sketch = x'\(text)' WHERE hour = \(Self.first)"
        )
        #expect(
            found == [
                "handshakes of hour \(Self.first): 4 are summed up, and not as the events of 4 have them"
            ])
    }

    @Test("what retention has taken can't be compared, and that is told; the rest is")
    func retained() throws {
        let (folder, old) = try history()
        old.close()
        // So much later the first fold is too old, and the first two hours of ticks.
        let store = try folder.open(
            at: 4 * Self.hour,
            retention: Retention(samples: .seconds(8_000), figures: .seconds(2 * Self.hour))
        )
        for tick in 0..<5 as Range<Int64> {
            try store.append(events: [], ticks: [RecordedTick(at: 4 * Self.hour + tick)])
        }
        #expect(try store.connection.integer("SELECT count(*) FROM chunks") == 3)
        #expect(
            try store.connection.integer("SELECT count(*) FROM rollup_hours WHERE state = 2") > 0)
        let (problems, notes) = try check(folder)
        #expect(problems == [])
        #expect(
            notes == ["6 sums of traffic by hour: not compared, their samples were deleted"],
            "\(notes)")
        try store.connection.execute(
            "UPDATE tick_hours SET sessions_sum = 77 WHERE start_ns = (SELECT min(start_ns) FROM tick_hours)"
        )
        try store.connection.execute(
            "UPDATE session_traffic SET bytes_in = 1 WHERE session = 2 AND hour = \(Self.first + 2)"
        )
        let found = try folder.read().check()
        #expect(found.count == 2, "\(found)")
        #expect(found.first?.hasSuffix("its sums are not those of its minutes") == true)
        #expect(found.last?.hasPrefix("traffic of session") == true)
    }

    @Test("any history is as its sums say, and each sum that is off is found", arguments: 1...3)
    func anyHistory(_ seed: UInt64) throws {
        var history = History(dice: Dice(state: seed))
        let folder = try Folder()
        let store = try folder.open()
        var second: Int64 = 0
        for step in 0..<60 {
            second += .random(in: 20...900, using: &history.dice)
            var events: [RecordedEvent] = []
            for _ in 0..<4 { events += history.step(at: second) }
            try store.append(events: events, ticks: [history.tick(at: second + 1)])
            if step % 9 == 8 { try store.fold() }
            if step % 20 == 17 { #expect(try folder.read().check() == []) }
        }
        store.close()
        let before = try check(folder)
        #expect(before.problems == [])
        let unknown =
            before.notes.first.flatMap { $0.split(separator: " ").first }
            .flatMap { Int64($0) } ?? 0
        let other = try Connection(path: folder.file, mode: .readWrite)
        let sums = try other.integer("SELECT count(*) FROM session_traffic")
        try other.execute("UPDATE session_traffic SET packets_out = packets_out + 1")
        other.close()
        #expect(sums >= 10 && unknown * 5 < sums)
        #expect(try folder.read().check().count == min(100, sums - unknown))
    }
}
