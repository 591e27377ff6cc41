import Presentation
import SQLite
import Store
import Testing
import Vocabulary

@testable import Capacity

@Suite("Handshakes report")
struct HandshakesReportTests {
    let hour: Int64 = 3_600

    private func login(_ fixture: Fixture, at: Int64, milliseconds: Int64) throws {
        try fixture.event(
            "session_established", at: at,
            ["session": .text("\(at)"), "total_us": .integer(milliseconds * 1_000)])
    }

    @Test("is of events and of sums alike, by day and by hour")
    func both() throws {
        let fixture = try Fixture()
        for place in 1...100 as ClosedRange<Int64> {
            try login(fixture, at: place * 20, milliseconds: place)
        }
        try login(fixture, at: 30 * hour, milliseconds: 900)
        let window = fixture.window(0, 48 * hour)
        let before = try fixture.reports().handshakes(in: window, by: .day)
        #expect(
            render(before, as: .table) == """
                Handshakes
                logins    p50    p95    p99  slowest
                   101  50 ms  95 ms  99 ms   900 ms

                Handshakes by day
                day                   logins     p50     p95     p99  slowest
                2026-03-02T00:00:00Z     100   49 ms   94 ms   98 ms   100 ms
                2026-03-03T00:00:00Z       1  900 ms  900 ms  900 ms   900 ms

                """)
        _ = try StoreCare.compact(path: fixture.path)
        let sums = try fixture.database.rows("SELECT hour, handshakes FROM handshake_hours") {
            $0.values
        }
        #expect(sums == [[492_336, 100], [492_366, 1]])
        #expect(try fixture.reports().handshakes(in: window, by: .day) == before)
        // One that comes later counts once, with those that are summed up.
        try login(fixture, at: 30 * hour + 1, milliseconds: 700)
        let byHour = try fixture.reports().handshakes(in: window, by: .hour)[1].rows
        #expect(byHour.map { $0[1] } == [.integer(100), .integer(2)])
        #expect(byHour[1].last == .integer(900_000_000))
        // A window is of whole hours.
        let part = try fixture.reports().handshakes(
            in: fixture.window(30 * hour + 5, 30 * hour + 6), by: .hour)
        #expect(part[0].rows == [byHour[1].dropFirst().map { $0 }])
        #expect(part[0].notes.count == 1)
    }

    @Test("of nothing has no figures")
    func none() throws {
        let fixture = try Fixture()
        let tables = try fixture.reports().handshakes(in: fixture.window(0, 10), by: .hour)
        #expect(tables[0].rows == [[.integer(0), .null, .null, .null, .null]])
        #expect(tables[1].rows.isEmpty)
    }
}
