import Presentation
import Store
import Testing
import Vocabulary

@testable import Capacity

@Suite("Sessions report")
struct SessionsReportTests {
    let hour: Int64 = 3600

    func fixture() throws -> Fixture {
        let fixture = try Fixture()
        try fixture.session("s0", identity: "id:old", from: -2 * hour, to: 0)
        try fixture.session(
            "s1", identity: "id:a", from: -hour, to: hour, bytesIn: 1_500_000, bytesOut: 12_000)
        try fixture.session(
            "s2", identity: "id:b", from: hour, to: hour + 90, reason: .crash, bytesIn: 1000)
        try fixture.session("s3", identity: "id:a", connection: "guests", from: 2 * hour, to: nil)
        try fixture.session("s4", identity: "id:new", from: 24 * hour, to: nil)
        try fixture.tick(at: 2 * hour + 30)
        return fixture
    }

    func tables(_ fixture: Fixture, limit: Int = 100) throws -> [Table] {
        try fixture.reports().sessions(
            in: fixture.window(0, 24 * hour), limit: limit, now: fixture.moment(3 * hour))
    }

    @Test("table")
    func table() throws {
        #expect(
            render(try tables(fixture()), as: .table) == """
                Sessions
                identity  connection  address  started               ended                 duration  bytes in  packets in  bytes out  packets out  reason           session
                id:a      guests      vip:1    2026-03-02T02:00:00Z  open                    1h 00m       0 B           0        0 B            0  -                s3
                id:b      staff       vip:1    2026-03-02T01:00:00Z  2026-03-02T01:01:30Z    1m 30s   1.00 kB          10        0 B            0  crash            s2
                id:a      staff       vip:1    2026-03-01T23:00:00Z  2026-03-02T01:00:00Z    2h 00m   1.50 MB       15000    12.0 kB          120  deleted_by_peer  s1

                3 sessions of 2 identities, 1h 00m on average.
                Open sessions last until now; the latest sample is of 2026-03-02T02:00:30Z.

                Sessions by end
                end              sessions  mean duration  bytes in  bytes out
                crash                   1         1m 30s   1.00 kB        0 B
                deleted_by_peer         1         2h 00m   1.50 MB    12.0 kB
                open                    1         1h 00m       0 B        0 B

                """)
    }

    @Test("csv and json hold raw values")
    func machine() throws {
        let tables = try tables(fixture())
        #expect(
            render(tables[0], as: .csv).split(separator: "\r\n").dropFirst().first
                == "id:a,guests,vip:1,1772416800000000000,,3600000000000,0,0,0,0,,s3")
        #expect(
            render(tables[1], as: .json).contains(
                """
                {"end": "crash", "sessions": 1, "mean_duration_ns": 90000000000, \
                "bytes_in": 1000, "bytes_out": 0}
                """))
    }

    @Test("lists the newest and sums up all")
    func limit() throws {
        let tables = try tables(fixture(), limit: 1)
        #expect(tables[0].rows.count == 1)
        #expect(tables[0].rows[0].last == .text("s3"))
        #expect(tables[0].notes.contains("Only the newest 1 listed."))
        #expect(tables[1].rows.count == 3)
        #expect(try self.tables(fixture(), limit: -1)[0].rows.isEmpty)
    }

    @Test("a session without duration counts where it began, windows are half-open")
    func halfOpen() throws {
        let fixture = try Fixture()
        try fixture.session("s", identity: "id:a", from: 100, to: 100)
        func count(_ since: Int64, _ until: Int64) throws -> Int {
            try fixture.reports().sessions(
                in: fixture.window(since, until), now: fixture.moment(0))[0].rows.count
        }
        #expect(try count(100, 101) == 1)
        #expect(try count(0, 100) == 0)
        #expect(try count(101, 200) == 0)
        #expect(try count(200, 0) == 0)
    }

    @Test("nothing is said plainly")
    func empty() throws {
        let fixture = try Fixture()
        let tables = try fixture.reports().sessions(
            in: fixture.window(0, 1), now: fixture.moment(0))
        #expect(tables[0].rows.isEmpty)
        #expect(tables[0].notes == ["No session overlaps this time."])
    }

    @Test("what the store was given is what is reported, while its writer has it open")
    func endToEnd() throws {
        let fixture = try Fixture()
        let store = try Store(
            path: fixture.path, version: "test", at: fixture.moment(0), bootID: "boot")
        defer { store.close() }
        func recorded(_ event: some Event, at seconds: Int64) -> RecordedEvent {
            RecordedEvent(
                at: fixture.moment(seconds), instant: Instant(nanoseconds: UInt64(seconds)),
                event: event.disclosed(under: Disclosure(pseudonymiser: Initials())))
        }
        var tick = Tick()
        tick.sessions = 1
        tick.sessionLimit = 500
        tick.pools = [PoolState(name: "staff", size: 254, used: 1)]
        try store.append(
            events: [
                recorded(SessionEstablished.example, at: 10),
                recorded(SessionClosed.example, at: 3522), recorded(IKEAuthFailed.example, at: 20),
            ],
            ticks: [
                RecordedTick(at: fixture.moment(90), instant: Instant(nanoseconds: 90), tick: tick)
            ])

        let reports = try fixture.reports()
        let window = fixture.window(0, hour)
        let sessions = try reports.sessions(in: window, now: fixture.moment(hour))[0]
        #expect(sessions.rows.count == 1)
        #expect(sessions.rows[0][0] == .text("id:a"))
        #expect(sessions.rows[0][6] == .integer(1_200_000))
        #expect(sessions.rows[0][10] == .text("deleted_by_peer"))
        let capacity = try reports.capacity(in: window)
        let resources = ["sessions", "pool staff", "logins", "receive", "transmit"]
        #expect(capacity[0].rows.map(\.first) == resources.map { .text($0) })
        #expect(capacity[0].rows[2][2] == .real(2 / 60.0))
        #expect(capacity[1].rows[0][2] == .integer(500))
        #expect(capacity[1].rows[1][2] == .integer(254))
    }
}

/// The first letter stands for a name: enough for a test, and for nothing else.
private struct Initials: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "\(purpose.rawValue):\(String(decoding: canonicalBytes.prefix(1), as: UTF8.self))"
    }
}
