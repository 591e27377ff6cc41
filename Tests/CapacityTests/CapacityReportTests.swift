import Forecast
import Presentation
import SQLite
import Store
import Testing
import Vocabulary

@testable import Capacity

@Suite("Capacity report")
struct CapacityReportTests {
    let day: Int64 = 86_400

    /// `days` of two-minute ticks. From 9 to 10 UTC there are 100 sessions and 10 more with each
    /// week, otherwise 10. 1,000 bytes a second come in, half as many go out.
    func fixture(days: Int64) throws -> Fixture {
        let fixture = try Fixture()
        try fixture.run(1, at: -60)
        try fixture.ticks(
            from: 0, through: days * day - 120, every: 120, limit: 200,
            sessions: "CASE WHEN t / 3600 % 24 = 9 THEN 100 + 10 * (t / 604800) ELSE 10 END",
            bytesIn: "t * 1000", bytesOut: "t * 500")
        try fixture.pool("staff", size: 254, used: "sessions")
        return fixture
    }

    func tables(_ fixture: Fixture, days: Int64) throws -> [Table] {
        try fixture.reports().capacity(in: fixture.window(0, days * day))
    }

    @Test("four weeks, growing")
    func golden() throws {
        let fixture = try fixture(days: 28)
        // A minute of 30 logins, some of which failed.
        for second in Int64(0)..<20 {
            try fixture.session(
                "s\(second)", identity: "id:a", from: 9 * 3600 + second, to: 10 * 3600)
        }
        for second in Int64(20)..<30 { try fixture.event("ike_auth_failed", at: 9 * 3600 + second) }
        let tables = try tables(fixture, days: 28)
        #expect(
            render(tables, as: .table) == """
                Load
                resource            now  busy hour utc  busy hour mean          p95         peak  peak at
                sessions             10          09:00             115           10          130  2026-03-23T09:00:00Z
                pool staff           10          09:00             115           10          130  2026-03-23T09:00:00Z
                logins              0/s          09:00        <0.001/s          0/s      0.500/s  2026-03-02T09:00:00Z
                receive     8.00 kbit/s          01:00     8.00 kbit/s  8.00 kbit/s  8.00 kbit/s  2026-03-02T00:02:00Z
                transmit    4.00 kbit/s          01:00     4.00 kbit/s  4.00 kbit/s  4.00 kbit/s  2026-03-02T00:02:00Z

                Now is 2026-03-29T23:58:00Z, the latest sample.
                Observed 27d 23h of 28d 00h (100.0 %).

                Limits
                resource      limit  free now  headroom  growth per week  exhausted earliest  exhausted by  exhausted latest  outlook
                sessions        200    95.0 %    35.0 %               10  2026-05-18          2026-05-18    2026-05-18        trend of 4 weeks
                pool staff      254    96.1 %    48.8 %               10  2026-06-24          2026-06-24    2026-06-24        trend of 4 weeks
                logins      not set         -         -              0/s  -                   -             -                 trend of 4 weeks, no limit
                receive     not set         -         -          0 bit/s  -                   -             -                 trend of 4 weeks, no limit
                transmit    not set         -         -          0 bit/s  -                   -             -                 trend of 4 weeks, no limit

                Headroom is what the peak left of the limit. Growth is of the second-highest hour of each week; the dates are when its trend reaches the limit, by the 90th percentile, the median and the 10th percentile of the slopes between weeks: a range, not a confidence interval.

                """)
        let csv = render(tables[0], as: .csv)
        #expect(
            csv.hasPrefix(
                """
                resource,unit,now,busy_hour_utc,busy_hour_mean,p95,peak,peak_at_ns\r
                sessions,count,10,9,115,10,130,1774256400000000000\r

                """))
        let json = render(tables, as: .ndjson)
        #expect(
            json.contains(
                """
                {"table": "Limits", "resource": "logins", "unit": "per_second", "limit": null, \
                "free_now_ratio": null, "headroom_ratio": null, "growth_per_week": 0, "exhausted_earliest_ns": null, \
                "exhausted_by_ns": null, "exhausted_latest_ns": null, \
                "outlook": "trend of 4 weeks, no limit"}
                """))
    }

    @Test("no trend and no date before 14 days", arguments: [1, 7, 13] as [Int64])
    func shortHistory(days: Int64) throws {
        let limits = try tables(fixture(days: days), days: days)[1]
        for row in limits.rows {
            #expect(row[5...8].allSatisfy { $0 == .null })
        }
        #expect(
            limits.rows[0].last
                == .text("insufficient history (have \(days) days, need 14)"))
    }

    @Test("two weeks have a trend and no date yet")
    func twoWeeks() throws {
        let row = try tables(fixture(days: 14), days: 14)[1].rows[0]
        #expect(row[5] == .integer(10))
        #expect(row[6...8].allSatisfy { $0 == .null })
        #expect(row.last == .text("no date yet (have 2 weeks, need 3)"))
    }

    @Test("less than an hour has a present and nothing else")
    func minutes() throws {
        let fixture = try Fixture()
        try fixture.run(1, at: 0)
        try fixture.ticks(
            from: 60, through: 3540, every: 60, limit: 0, sessions: "t / 60", bytesIn: "t")
        let tables = try fixture.reports().capacity(in: fixture.window(0, 3600))
        #expect(
            render(tables, as: .table).hasPrefix(
                """
                Load
                resource      now  busy hour utc  busy hour mean           p95          peak  peak at
                sessions       59   insufficient    insufficient  insufficient  insufficient  -
                logins        0/s   insufficient    insufficient  insufficient  insufficient  -
                receive   8 bit/s   insufficient    insufficient  insufficient  insufficient  -
                transmit  0 bit/s   insufficient    insufficient  insufficient  insufficient  -

                Now is 2026-03-02T00:59:00Z, the latest sample.
                Insufficient: a peak needs 1h of samples, there are 59m 00s.
                Insufficient: a busy hour needs each hour of the day once, 1 of 24 were seen.
                """))
        #expect(tables[1].rows[0][2] == .null)
        #expect(render(tables[1], as: .table).contains("not set"))
    }

    @Test("a store without samples says so")
    func empty() throws {
        let fixture = try Fixture()
        let tables = try fixture.reports().capacity(in: fixture.window(0, day))
        #expect(tables[0].notes.first == "There are no samples of this time.")
        #expect(tables[0].rows.allSatisfy { $0[2...].allSatisfy { $0 == .null } })
    }

    @Test("the window is half-open, and only the latest pools are shown")
    func window() throws {
        let fixture = try fixture(days: 2)
        try fixture.database.execute(
            "UPDATE pool_samples SET pool = 'old' WHERE at_ns < ?",
            [.integer(fixture.moment(day).nanoseconds)])
        let now = try fixture.reports().capacity(in: fixture.window(0, 2 * day))[0]
        #expect(now.rows.map(\.first).contains(.text("pool staff")))
        #expect(!now.rows.map(\.first).contains(.text("pool old")))
        let before = try fixture.reports().capacity(in: fixture.window(0, day))[0]
        #expect(before.rows.map(\.first).contains(.text("pool old")))
        #expect(before.notes.first == "Now is 2026-03-02T23:58:00Z, the latest sample.")
    }

    @Test("beyond the limit, headroom is negative and the outlook is: reached")
    func reached() throws {
        let fixture = try fixture(days: 28)
        try fixture.database.execute("UPDATE ticks SET session_limit = 100")
        let row = try tables(fixture, days: 28)[1].rows[0]
        #expect(row[4] == .real(1 - 1.3))
        #expect(row.last == .text("reached"))
    }

    @Test("what SQLite refuses is told with the file, and the next report is made")
    func refused() throws {
        let fixture = try fixture(days: 1)
        let reports = try fixture.reports()
        // Views that name tables of samples must not stop the renaming.
        try fixture.database.execute("PRAGMA legacy_alter_table = ON")
        try fixture.database.execute("ALTER TABLE events_lost RENAME TO elsewhere")
        #expect {
            try reports.capacity(in: fixture.window(0, 1))
        } throws: { error in
            guard case StoreError.database(let path, _) = error else { return false }
            return path.hasSuffix("weir.db")
        }
        try fixture.database.execute("ALTER TABLE elsewhere RENAME TO events_lost")
        #expect(try reports.capacity(in: fixture.window(0, 1)).count == 2)
    }
}

@Suite("Logins and pools")
struct FoldTests {
    @Test("the best minute of each hour, and the last whole one")
    func logins() {
        let minute = Span.minute
        var fold = LoginFold(latest: 61 * minute + 5)
        for at in [3, 3, 3, 4, 59, 60, 60, 61] as [Int64] { fold.add(at: at * minute + 1) }
        fold.finish()
        fold.finish()
        #expect(fold.hours[0]?.logins == 5)
        #expect(fold.hours[0]?.rate.value == 0.05)
        #expect(fold.hours[0]?.rate.at == 3 * minute)
        #expect(fold.hours[1]?.logins == 3)
        #expect(fold.now == 2 / 60.0)
    }

    @Test("no login in the last whole minute")
    func idle() {
        var fold = LoginFold(latest: 100 * Span.minute)
        fold.add(at: 98 * Span.minute)
        fold.finish()
        #expect(fold.now == 0)
    }

    @Test("pools keep apart, hours too")
    func pools() {
        var fold = PoolFold()
        func add(_ pool: String, _ used: Int64, minute: Int64) {
            fold.add(
                PoolSummary(
                    sample: minute * Span.minute, run: 1, pool: pool, size: 254, used: used))
        }
        for (minute, used) in [(0, 4), (1, 8), (2, 6)] as [(Int64, Int64)] {
            add("a", used, minute: minute)
            add("b", 1, minute: minute)
        }
        #expect(fold.latest.count == 2)
        add("a", 2, minute: 60)
        #expect(fold.latest.mapValues(\.used.last) == ["a": 2])
        let hours = fold.hours(of: "a")
        #expect(hours.map(\.hour) == [0, 1])
        #expect(hours.map(\.mean) == [6, 2])
        #expect(hours.map(\.peak.value) == [8, 2])
        #expect(hours[0].peak.at == Span.minute)
        #expect(fold.hours(of: "b").count == 1)
        #expect(fold.hours(of: "c").isEmpty)
    }
}
