import Presentation
import SQLite
import Store
import Testing
import Vocabulary

@testable import Capacity

@Suite("Traffic report")
struct TrafficReportTests {
    let hour: Int64 = 3600

    @Test("by identity, the most first, in the whole hours of the window")
    func byIdentity() throws {
        let fixture = try Fixture()
        try fixture.session("1", identity: "id:a", from: 0, to: 10, bytesIn: 100, bytesOut: 200)
        try fixture.session("2", identity: "id:b", from: 0, to: 10, bytesIn: 600)
        try fixture.session("3", identity: "id:a", from: -5, to: 10, bytesOut: 100)
        try fixture.session("4", identity: "id:c", from: hour, to: hour + 200, bytesIn: 5)
        let window = fixture.window(0, 50)
        #expect(
            render(try fixture.reports().traffic(in: window, by: .identity), as: .table) == """
                Traffic by identity
                identity  sessions  bytes in  packets in  bytes out  packets out   share
                id:b             1     600 B           6        0 B            0  60.0 %
                id:a             2     100 B           1      300 B            3  40.0 %

                Counted by whole hours: from 2026-03-02T00:00:00Z to 2026-03-02T01:00:00Z.

                """)
        let one = try fixture.reports().traffic(in: window, by: .identity, limit: 1)[0]
        #expect(one.rows.count == 1)
        #expect(one.rows[0].last == .real(0.6))
        #expect(one.notes.first == "Not listed: 1 more.")
    }

    @Test("by connection")
    func byConnection() throws {
        let fixture = try Fixture()
        try fixture.session("1", identity: "a", connection: "x", from: 0, to: 1, bytesIn: 1)
        try fixture.session("2", identity: "b", connection: "y", from: 0, to: 1, bytesIn: 3)
        try fixture.session("3", identity: "c", connection: "y", from: 0, to: 1)
        let table = try fixture.reports().traffic(in: fixture.window(0, hour), by: .connection)[0]
        #expect(table.rows.map(\.first) == [.text("y"), .text("x")])
        #expect(table.rows.map(\.last) == [.real(0.75), .real(0.25)])
        #expect(table.notes.isEmpty)
    }

    @Test("by hour, across a crash, never negative, never counted twice")
    func byHour() throws {
        let fixture = try Fixture()
        try fixture.run(1, at: -7 * hour)
        try fixture.tick(at: -30, bytesIn: 5000)
        try fixture.tick(at: 30, bytesIn: 5600)
        try fixture.tick(at: 90, bytesIn: 6000, bytesOut: 100)
        // Crash; the new run counts from 0.
        try fixture.run(2, at: hour + 10)
        try fixture.tick(run: 2, at: hour + 40, bytesIn: 300)
        try fixture.tick(run: 2, at: hour + 100, bytesIn: 300, bytesOut: 50)
        try fixture.tick(run: 2, at: 3 * hour + 5, bytesIn: 900)
        try fixture.event(
            "gateway_stopped", at: hour + 10, ["cause": "crash", "uncertainty_ms": 3_520_000])
        try fixture.event("events_lost", at: 60, ["kind": "tick", "count": 3])
        try fixture.event("events_lost", at: 61, ["kind": "tick", "count": 4])
        try fixture.event("clock_stepped", at: 62, ["step_ms": 5])
        let tables = try fixture.reports().traffic(in: fixture.window(0, 3 * hour), by: .hour)
        #expect(
            render(tables, as: .table) == """
                Traffic by hour
                hour                  observed  bytes in  packets in  bytes out  packets out   share
                2026-03-02T00:00:00Z    2m 00s   1.00 kB          10      100 B            1  75.9 %
                2026-03-02T01:00:00Z    1m 30s     300 B           3       50 B            0  24.1 %

                in   █▃
                out  █▅

                Observed 3m 30s of 3h 00m (1.9 %).
                Gap: no samples from 2026-03-02T00:01:30Z to 2026-03-02T01:00:40Z (the gateway was started anew).
                Crash: found at 2026-03-02T01:00:10Z; the gateway had ended up to 58m 40s earlier.
                Lost: 7 events of kind tick without a record.
                Clock: stepped 1 time; hours near a step may be wrong.

                """)
    }
}

@Suite("Ticks")
struct TickFoldTests {
    func tick(_ run: Int64, _ at: Int64, _ bytes: UInt64, mono: Int64? = nil) -> TickSummary {
        TickSummary(
            tick: at * Span.second, run: run, instant: (mono ?? at) * Span.second,
            counters: [Int64(bytes)])
    }

    @Test("a run whose beginning is not in the store counts from its first tick")
    func unknownBeginning() {
        var fold = TickFold(started: [1: 0])
        fold.add(tick(1, 100_000, 1_000_000))
        fold.add(tick(1, 100_060, 1_000_100))
        #expect(fold.hours.values.map(\.traffic.bytesIn).reduce(0, +) == 100)
    }

    @Test("rates are of a minute, and its highest is kept")
    func rates() throws {
        var fold = TickFold()
        var minutes = MinuteFold()
        for step in 0..<240 {
            let bytes = UInt64(step) * 1000 + (step > 120 ? 60_000 : 0)
            minutes.add(tick(1, Int64(step) * 15, bytes)) { fold.add($0) }
        }
        minutes.finish { fold.add($0) }
        let hour = try #require(fold.hours[0])
        // 4,000 bytes a minute, and 60,000 at once.
        #expect(hour.receive.value == 64_000 * 8 / 60.0)
        #expect(hour.receive.at == (30 * 60 + 45) * Span.second)
        #expect(fold.rates?.receive == 4000 * 8 / 60.0)
    }

    @Test("what runs counted is what the hours hold, whatever the clock did", arguments: 0..<40)
    func conservation(seed: Int) {
        var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        func below(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        var rows: [TickSummary] = []
        var expected: UInt64 = 0
        var wall: Int64 = 1_000_000
        var started: [Int64: Int64] = [:]
        for run in Int64(1)...5 {
            started[run] = wall * Span.second
            var bytes: UInt64 = 0
            var mono: Int64 = 50_000
            for _ in 0..<below(200) + 1 {
                let step = Int64(below(300)) + 1
                mono += step
                // The wall clock is set back a little now and then.
                wall += below(10) == 0 ? -Int64(below(600)) : step
                wall = max(wall, started[run, default: 0] / Span.second + 1)
                bytes += below(1000)
                rows.append(tick(run, wall, bytes, mono: mono))
            }
            expected += bytes
            wall += 10_000
        }
        rows.sort { $0.first < $1.first }
        var fold = TickFold(started: started)
        for row in rows { fold.add(row) }
        let total = fold.hours.values.map(\.traffic.bytesIn).reduce(0, +)
        #expect(total == expected)
        #expect(fold.hours.values.allSatisfy { $0.observed >= 0 })
    }

    @Test("an interval that is long by configuration is not a gap")
    func intervals() {
        var fold = TickFold()
        for step in 0..<10 { fold.add(tick(1, Int64(step) * 600, 0)) }
        #expect(fold.gaps.isEmpty)
        fold.add(tick(1, 9 * 600 + 1801, 0))
        #expect(fold.gaps.count == 1)
    }

    @Test("a file that lies does not trap")
    func hostile() throws {
        let fixture = try Fixture()
        for (at, bytes) in [(Int64.min, Int64.max), (-5, -1), (0, .min), (.max, .max)] {
            try fixture.insert(
                "ticks",
                [
                    "run": .integer(at), "at_ns": .integer(at), "mono_ns": .integer(bytes),
                    "sessions": .integer(bytes), "half_open": 0, "child_sas": 0,
                    "session_limit": .integer(bytes), "bytes_in": .integer(bytes),
                    "packets_in": 0, "bytes_out": .integer(bytes), "packets_out": 0,
                    "messages_received": 0, "messages_sent": 0, "retransmissions_sent": 0,
                ])
            try fixture.insert(
                "pool_samples",
                [
                    "run": 1, "at_ns": .integer(at), "pool": "\u{1b}", "size": .integer(bytes),
                    "used": .integer(bytes),
                ])
            try fixture.event("ike_auth_failed", at: 0)
        }
        let all = Window(since: Timestamp(nanoseconds: .min), until: Timestamp(nanoseconds: .max))
        let reports = try fixture.reports()
        let tables =
            try reports.capacity(in: all) + reports.traffic(in: all, by: .hour)
            + reports.sessions(in: all, now: Timestamp(nanoseconds: .min))
        for format in Format.allCases { #expect(!render(tables, as: format).contains("\u{1b}")) }
    }
}
