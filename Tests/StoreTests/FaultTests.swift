import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// Files that fail under the store.
@Suite("Faults of the file system")
struct FaultTests {
    /// Batch *n* is an event and a tick at hour *n*: each sums up an hour. Figures are kept for two.
    private struct History {
        let folder: Folder
        var acknowledged: Int64 = 0

        func open() throws -> Store {
            try folder.open(retention: Retention(figures: .seconds(7_200)))
        }

        mutating func append(to store: Store) throws {
            let number = UInt64(acknowledged + 1)
            let second = (acknowledged + 1) * 3_600
            try store.append(
                events: [RecordedEvent(granted(number), at: second)],
                ticks: [
                    RecordedTick(
                        at: second, children: [sample(1, child: 1, number)],
                        pools: [PoolState(name: "staff", size: 254, used: 1)])
                ])
            acknowledged += 1
        }

        /// - Parameter extra: a batch that was not acknowledged may be there, too.
        func check(extra: Int64 = 0, _ what: String) throws {
            let reader = try folder.read()
            #expect(try reader.check() == [], "\(what)")
            let found = try reader.rows(
                """
                SELECT (SELECT count(*) FROM lease_granted),
                       (SELECT count(DISTINCT session) FROM lease_granted),
                       (SELECT count(*) FROM child_samples),
                       (SELECT max(packets_in) FROM child_samples),
                       (SELECT sum(packets_in_step) FROM child_samples),
                       (SELECT max(packets_in) FROM child_last)
                """
            ).rows
            let last = try #require(
                (acknowledged...acknowledged + extra).first {
                    found[0].first == .integer($0)
                }, "\(what): \(found) and \(acknowledged) were durable")
            let latest: Datum = last == 0 ? .null : .integer(last)
            #expect(
                found == [
                    [.integer(last), .integer(last), .integer(last), latest, latest, latest]
                ],
                "\(what)")
        }
    }

    /// Tries once more what a fault stopped.
    private func twice<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch { return try body() }
    }

    @Test(
        "each operation fails once: nothing that was recorded is lost, and the writer goes on",
        arguments: [
            FaultPlan.writes, FaultPlan.shortWrites, FaultPlan.syncs, FaultPlan.truncations,
            FaultPlan.reads,
        ])
    func eachOnce(_ fault: FaultPlan.Fault) throws {
        var number = 0
        var count = 0
        repeat {
            number += 1
            var history = History(folder: try Folder.withStore())
            let plan = try FaultPlan(fault, number...number, in: history.folder)
            let store = try twice { try history.open() }
            for batch in 1...5 {
                try twice { try history.append(to: store) }
                if batch == 3 { try twice { try store.fold() } }
            }
            store.close()
            count = plan.count
            plan.end()
            try history.check("number \(number) of \(fault)")
        } while number < count
        #expect(number > (fault.name == "truncations" ? 0 : 5))
    }

    @Test(
        "the power fails at each operation, with pages torn and others lost",
        arguments: [FaultPlan.powerAtWrite, FaultPlan.powerAtSync])
    func power(_ fault: FaultPlan.Fault) throws {
        var number = 0
        var isLost = true
        repeat {
            number += 1
            var history = History(folder: try Folder.withStore())
            let plan = try FaultPlan(
                fault, number...number, in: history.folder, seed: UInt64(number))
            isLost = false
            do {
                let store = try history.open()
                defer { store.close() }
                for batch in 1...5 {
                    try history.append(to: store)
                    if batch == 3 { try store.fold() }
                }
            } catch { isLost = true }
            isLost = isLost || plan.count >= number
            plan.end()
            let store = try history.open()
            try history.check(extra: 1, "\(fault) \(number)")
            store.close()
        } while isLost
        #expect(number > 5)
    }

    @Test(
        "a disk that is full, or read-only, for a while: each batch fails, none is lost",
        arguments: [FaultPlan.full, FaultPlan.readOnly])
    func whole(_ fault: FaultPlan.Fault) throws {
        var history = History(folder: try Folder.withStore())
        // Files take up a plan when they are opened: one that has nothing fail yet.
        let plan = try FaultPlan(fault, 40...1_000, in: history.folder)
        let store = try history.open()
        var failures = 0
        while failures < 20 {
            do { try history.append(to: store) } catch StoreError.full, StoreError.inaccessible {
                failures += 1
            }
        }
        let before = history.acknowledged
        plan.end()
        try history.append(to: store)
        store.close()
        #expect(history.acknowledged == before + 1)
        try history.check("\(fault)")
    }

    @Test("somebody else's lock fails a batch after a second, and readers go on")
    func locked() throws {
        var history = History(folder: try Folder.withStore())
        let store = try history.open()
        try history.append(to: store)
        let other = try Connection(path: history.folder.file, mode: .readWrite)
        try other.execute("BEGIN EXCLUSIVE")
        #expect(throws: StoreError.self) { try history.append(to: store) }
        try history.check("while it is locked")
        try other.execute("ROLLBACK")
        other.close()
        try history.append(to: store)
        store.close()
        try history.check("afterwards")
    }

    @Test("a reader that holds one question open lets the log grow; then it shrinks again")
    func pinned() throws {
        var history = History(folder: try Folder.withStore())
        let store = try history.open()
        try history.append(to: store)
        let reader = try folderReader(history.folder)
        var batches = 0
        let bound: UInt64 = 17 << 20
        while store.logBytes <= bound, batches < 20_000 {
            try history.append(to: store)
            batches += 1
        }
        #expect(store.logBytes > bound)
        // It still sees what was there when it asked.
        #expect(try reader.value("SELECT count(*) FROM lease_granted") == .integer(1))
        try reader.execute("COMMIT")
        for _ in 0..<3 { try history.append(to: store) }
        #expect(store.logBytes <= 16 << 20)
        try history.check("after \(batches) batches")
        store.close()
    }

    private func folderReader(_ folder: Folder) throws -> Connection {
        let reader = try Connection(path: folder.file, mode: .readOnly)
        try reader.execute("BEGIN")
        #expect(try reader.value("SELECT count(*) FROM lease_granted") == .integer(1))
        return reader
    }

    @Test("what is too old and can't be deleted is counted, and goes later")
    func retention() throws {
        var history = History(folder: try Folder.withStore())
        let store = try history.open()
        try store.connection.execute(
            "CREATE TRIGGER t BEFORE DELETE ON ticks BEGIN SELECT RAISE(ABORT, 'no'); END")
        for _ in 1...5 { try history.append(to: store) }
        #expect(store.retentionFailures.count == 2)
        #expect("\(store.retentionFailures.latest as Any)".contains("no (SQLite"))
        #expect(try store.connection.integer("SELECT count(*) FROM ticks") == 5)
        try store.connection.execute("DROP TRIGGER t")
        try history.append(to: store)
        // An hour of them goes at each tick.
        for second in 1...3 as ClosedRange<Int64> {
            try store.append(
                events: [],
                ticks: [RecordedTick(at: history.acknowledged * 3_600 + second)])
        }
        #expect(store.retentionFailures.count == 2)
        let oldest = try store.connection.integer("SELECT min(at_ns) FROM ticks")
        #expect(oldest == Timestamp.seconds(4 * 3_600).nanoseconds)
        try history.check("afterwards")
    }

    @Test("a clock that steps back and forth: sums stay exact, in all windows and hours")
    func clock() throws {
        let folder = try Folder.withStore()
        let store = try folder.open()
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
            ], ticks: [])
        // The sixth tick shows the time of the first once more.
        let times: [Int64] = [1_000, 1_015, 1_030, -7_600, -7_585, 1_000, 9_000, 8_985, 1_045]
        for (index, second) in times.enumerated() {
            let number = UInt64(index + 1)
            var tick = Tick()
            tick.children = [sample(1, child: 1, number)]
            try store.append(
                events: [],
                ticks: [
                    RecordedTick(
                        at: .seconds(second),
                        instant: Instant(nanoseconds: number * 15_000_000_000),
                        tick: tick)
                ])
            if index % 4 == 3 { try store.fold() }
        }
        let count = Int64(times.count)
        try store.append(
            events: [
                RecordedEvent(childClosed(1, child: 1, UInt64(count)), at: 1_050),
                RecordedEvent(closed(1, .deletedByPeer, UInt64(count)), at: 1_050),
            ], ticks: [])
        store.close()
        let reader = try folder.read()
        #expect(try reader.check() == [])
        let bounds: [Int64] = [-10_000, -7_590, 0, 1_010, 1_050, 8_990, 10_000]
        var sum: Int64 = 0
        for (from, to) in zip(bounds, bounds.dropFirst()) {
            let expected = Int64(times.count { (from..<to).contains($0) })
            let found = try reader.rows(
                """
                SELECT coalesce(sum(packets_in), 0) FROM traffic_between(
                       \(Timestamp.seconds(from).nanoseconds), \(Timestamp.seconds(to).nanoseconds))
                """
            ).rows
            #expect(found == [[.integer(expected)]], "\(from) to \(to)")
            sum += expected
        }
        #expect(sum == count)
        #expect(
            try reader.rows(
                """
                SELECT (SELECT sum(packets_in) FROM session_hours),
                       (SELECT count(*) FROM child_samples), (SELECT count(*) FROM ticks)
                """
            ).rows == [[.integer(count), .integer(count), .integer(count - 1)]])
    }
}
