import Foundation
import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// Sums of the gateway's figures by minute and hour.
@Suite("Rollups")
struct RollupTests {
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    /// The gateway's figures as they go, by two clocks.
    private struct Gateway {
        var dice: Dice
        /// Seconds.
        var wall: Int64 = 0
        var monotonic: UInt64 = 1_000
        var tick = Tick()

        mutating func next() -> RecordedTick {
            var step = Int64.random(in: 1...40, using: &dice)
            if Int.random(in: 0..<50, using: &dice) == 0 {
                step = .random(in: 400...9_000, using: &dice)
            }
            wall += step
            monotonic += UInt64(step)
            if Int.random(in: 0..<60, using: &dice) == 0 {
                wall += .random(in: -5_000...5_000, using: &dice)
            }
            tick.sessions = .random(in: 0...40, using: &dice)
            tick.halfOpen = .random(in: 0...9, using: &dice)
            tick.sessionLimit = 50
            tick.traffic.bytesIn += .random(in: 0...90_000, using: &dice)
            tick.traffic.packetsOut += 3
            tick.pools = [
                PoolState(name: "staff", size: 254, used: .random(in: 0...254, using: &dice)),
                PoolState(name: "guests", size: 16, used: 1),
            ]
            return RecordedTick(
                at: .seconds(wall), instant: Instant(nanoseconds: monotonic * 1_000_000_000),
                tick: tick)
        }

        mutating func restart() {
            tick = Tick()
            wall += .random(in: 0...4_000, using: &dice)
            monotonic = .random(in: 1_000...9_000, using: &dice)
        }
    }

    /// What SQL makes of the ticks themselves.
    private static func expected(_ length: Int64) -> String {
        let gauges = TickSummary.gaugeNames.map {
            "min(\($0)) AS \($0)_min, max(\($0)) AS \($0)_max, sum(\($0)) AS \($0)_sum"
        }
        let lasts = TickSummary.gaugeNames.map { name in
            """
            \(name)_min, \(name)_max, \(name)_sum,
            (SELECT l.\(name) FROM ticks l WHERE l.run = g.run AND l.at_ns = g.last_ns)
            """
        }
        let counters = TickSummary.counterNames.map {
            "min(\($0)) AS \($0)_min, max(\($0)) AS \($0)_max"
        }
        let ends = TickSummary.counterNames.map { "\($0)_min, \($0)_max" }
        return """
            WITH g AS (
                SELECT at_ns / \(length) * \(length) AS start_ns, run, count(*) AS ticks,
                       min(at_ns) AS first_ns, max(at_ns) AS last_ns,
                       min(mono_ns) AS first_mono, max(mono_ns) AS mono,
                       \(gauges.joined(separator: ", ")), \(counters.joined(separator: ", "))
                  FROM ticks t WHERE at_ns / 3600000000000 IN
                       (SELECT hour FROM rollup_hours WHERE state = 1)
                 GROUP BY 1, 2)
            SELECT start_ns, run, ticks, first_ns, last_ns, first_mono, mono,
                   \(lasts.joined(separator: ", ")), \(ends.joined(separator: ", "))
              FROM g ORDER BY start_ns, run
            """
    }

    private static let found: String = {
        let gauges = TickSummary.gaugeNames.flatMap { name in
            ["min", "max", "sum", "last"].map { "\(name)_\($0)" }
        }
        let counters = TickSummary.counterNames.flatMap { ["\($0)_min", "\($0)_max"] }
        return "SELECT start_ns, run, ticks, first_ns, last_ns, mono_first_ns, mono_ns, "
            + (gauges + counters).joined(separator: ", ")
    }()

    private func check(_ folder: Folder) throws {
        let reader = try folder.read()
        for (kind, length) in [("minutes", MinuteFold.minute), ("hours", MinuteFold.hour)] {
            let expected = try reader.rows(Self.expected(length)).rows
            let found = try reader.rows(
                "\(Self.found) FROM tick_\(kind) ORDER BY start_ns, run"
            ).rows
            #expect(found == expected, "tick_\(kind)")
            let pools = try reader.rows(
                """
                WITH g AS (
                    SELECT at_ns / \(length) * \(length) AS start_ns, run, pool,
                           count(*) AS samples, max(at_ns) AS last_ns, max(size) AS size,
                           min(used) AS least, max(used) AS most, sum(used) AS total
                      FROM pool_samples t WHERE at_ns / 3600000000000 IN
                           (SELECT hour FROM rollup_hours WHERE state = 1)
                     GROUP BY 1, 2, 3)
                SELECT start_ns, run, pool, samples, last_ns, size, least, most, total,
                       (SELECT l.used FROM pool_samples l WHERE l.run = g.run
                           AND l.pool = g.pool AND l.at_ns = g.last_ns)
                  FROM g ORDER BY start_ns, run, pool
                """
            ).rows
            let poolSums = try reader.rows(
                """
                SELECT start_ns, run, pool, samples, last_ns, size, used_min, used_max, used_sum,
                       used_last FROM pool_\(kind) ORDER BY start_ns, run, pool
                """
            ).rows
            #expect(poolSums == pools, "pool_\(kind)")
        }
        #expect(try reader.check().isEmpty)
    }

    @Test("are what the ticks add up to, whatever clocks and crashes do", arguments: 1...6)
    func anyHistory(_ seed: UInt64) throws {
        let folder = try Folder()
        var gateway = Gateway(dice: Dice(state: seed))
        var store = try folder.open()
        for _ in 0..<12 {
            for _ in 0..<60 { try store.append(events: [], ticks: [gateway.next()]) }
            if Bool.random(using: &gateway.dice) { try check(folder) }
            guard Int.random(in: 0..<3, using: &gateway.dice) == 0 else { continue }
            // Nothing is in memory only: an end is as good as a crash.
            store.close()
            gateway.restart()
            store = try folder.open(at: gateway.wall)
        }
        try check(folder)
        #expect(
            try store.connection.integer("SELECT count(*) FROM rollup_hours WHERE state = 1") > 3)
        #expect(
            try store.connection.integer("SELECT count(*) FROM rollup_hours WHERE state = 0") <= 2)
    }

    private func recorded(_ second: Int64, _ bytes: UInt64, sessions: UInt64 = 1) -> RecordedTick {
        var tick = Tick()
        tick.sessions = sessions
        tick.traffic.bytesIn = bytes
        return RecordedTick(tick, at: second)
    }

    // 1,795,000,000 s is 400 s after an hour began, and 40 s after a minute.

    @Test(
        "a minute's rate is from the last tick of the one before to its own; an hour has the most")
    func rates() throws {
        let folder = try Folder()
        let store = try folder.open()
        try store.append(
            events: [],
            ticks: [
                recorded(5, 1_000, sessions: 7), recorded(25, 4_000, sessions: 9),
                recorded(75, 4_200, sessions: 9), recorded(120, 90_000), recorded(3_300, 90_000),
            ])
        let rows = try folder.read().rows(
            "SELECT receive_peak, receive_peak_ns / 1000000000 - 1795000000 FROM tick_minutes")
        // The first has nothing before it; the second is 70 s after, the third 45 s.
        let most = Datum.real(85_800 * 8 / 45.0)
        let minutes: [[Datum]] = [
            [.null, .null], [.real(3_200 * 8 / 70.0), .integer(75)], [most, .integer(120)],
        ]
        #expect(rows.rows == minutes)
        let hours = try folder.read().rows(
            """
            SELECT receive_peak, receive_peak_ns / 1000000000 - 1795000000, sessions_max,
                   sessions_peak_ns / 1000000000 - 1795000000, silence_ns / 1000000000
              FROM tick_hours
            """)
        let hour: [Datum] = [most, .integer(120), .integer(9), .integer(25), .integer(50)]
        #expect(hours.rows == [hour])
    }

    @Test("a tick that comes late opens its hour again, and nothing counts twice")
    func late() throws {
        let folder = try Folder()
        let store = try folder.open()
        try store.append(events: [], ticks: [recorded(5, 1), recorded(900, 2), recorded(8_000, 3)])
        #expect(try store.connection.integer("SELECT sum(ticks) FROM tick_hours") == 2)
        // Behind the store's back, as an import does.
        let other = try Connection(path: folder.file, mode: .readWrite)
        try other.execute(
            "INSERT INTO ticks SELECT 9, at_ns - 1, mono_ns, sessions, half_open, child_sas,"
                + " session_limit, bytes_in, packets_in, bytes_out, packets_out,"
                + " messages_received, messages_sent, retransmissions_sent, active_child_sas"
                + " FROM ticks WHERE bytes_in = 1")
        other.close()
        let sums = "SELECT sum(ticks) FROM gateway_hours"
        #expect(try folder.read().rows(sums).rows == [[.integer(4)]])
        try store.append(events: [], ticks: [recorded(8_001, 4)])
        #expect(try folder.read().rows(sums).rows == [[.integer(5)]])
        try check(folder)
    }

    @Test("sums that are not of their ticks are told")
    func checked() throws {
        let folder = try Folder()
        let store = try folder.open()
        try store.append(events: [], ticks: [recorded(5, 1), recorded(900, 2), recorded(8_000, 3)])
        #expect(try folder.read().check().isEmpty)
        try store.connection.execute("UPDATE tick_minutes SET ticks = 7 WHERE ticks = 1")
        #expect(
            try folder.read().check() == [
                "hour from 1794999600000000000 ns: its sums are not of its 2 ticks"
            ])
    }

    @Test("a store of ticks alone is summed up, a part at each tick; compacting does all")
    func adopting() throws {
        let folder = try Folder()
        let store = try folder.open()
        let ticks = (0..<100).map { recorded($0 * 1_800, UInt64($0)) }
        try store.append(events: [], ticks: ticks)
        try store.connection.execute("DELETE FROM rollup_hours")
        for table in ["tick_minutes", "tick_hours"] {
            try store.connection.execute("DELETE FROM \(table)")
        }
        store.close()
        let next = try folder.open(at: 200_000)
        #expect(try next.connection.integer("SELECT count(*) FROM rollup_hours") == 50)
        try next.append(events: [], ticks: [recorded(200_001, 1)])
        #expect(try next.connection.integer("SELECT count(*) FROM tick_hours") == 32)
        next.close()
        _ = try StoreCare.compact(path: folder.file)
        #expect(try folder.read().rows("SELECT count(*) FROM tick_hours").rows == [[.integer(51)]])
        try check(folder)
    }

    @Test("a store of format 2 keeps every sample, and its figures are summed up")
    func migration() throws {
        let folder = try Folder()
        let connection = try Connection(path: folder.file, mode: .readWrite)
        chmod(folder.file, 0o600)
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/format-2.sql")
        try connection.execute(script: String(contentsOf: fixture, encoding: .utf8))
        for second in 1...500 {
            try connection.execute(
                "INSERT OR IGNORE INTO ticks SELECT run, ?, ?, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"
                    + " FROM ticks WHERE at_ns = 0",
                [.integer(Int64(second) * 15_000_000_000), .integer(Int64(second))])
        }
        let journal = try connection.integer("SELECT count(*) FROM journal")
        connection.close()

        let store = try folder.open(at: 0)
        #expect(try store.connection.integer("PRAGMA user_version") == Format.version)
        #expect(store.unfinished.sessions.count == 3)
        #expect(try store.connection.integer("SELECT count(*) FROM journal") == journal)
        #expect(try store.connection.integer("SELECT count(*) FROM child_samples") > 0)
        try store.append(events: [], ticks: [recorded(1, 1)])
        #expect(try store.connection.integer("SELECT sum(ticks) FROM tick_hours") == 501)
        try check(folder)
    }
}
