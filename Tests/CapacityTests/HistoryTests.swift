import SQLite
import Testing
import Vocabulary

@testable import Capacity

@Suite("History in bins")
struct HistoryTests {
    @Test("has the most of each gauge, rates within a run, and nil where nothing was sampled")
    func bins() throws {
        let fixture = try Fixture()
        try fixture.run(1, at: -100)
        try fixture.tick(at: -10, sessions: 99, bytesIn: 1)
        try fixture.tick(at: 0, sessions: 3, bytesIn: 1_000)
        try fixture.tick(at: 5, sessions: 7, bytesIn: 2_000, bytesOut: 100)
        try fixture.tick(at: 15, sessions: 2, bytesIn: 4_000, bytesOut: 100)
        // Nothing from 20 to 30. The next run counts from 0.
        try fixture.run(2, at: 31)
        try fixture.tick(run: 2, at: 32, sessions: 1, bytesIn: 50)
        try fixture.tick(run: 2, at: 36, sessions: 1, bytesIn: 450)
        try fixture.event("session_established", at: 1, ["session": "a"])
        try fixture.event("session_established", at: 2, ["session": "b"])
        try fixture.event("ike_auth_failed", run: 2, at: 33)
        try fixture.event("ike_auth_failed", at: 25)
        let history = try fixture.reports().history(in: fixture.window(0, 40), bins: 4)
        #expect(history.sessions == [7, 2, nil, 1])
        #expect(history.halfOpen == [0, 0, nil, 0])
        // 1,000 bytes in 5 s; 2,000 more until 10 s later; 400 in 4 s.
        #expect(history.receive == [1_600, 1_600, nil, 800])
        #expect(history.transmit == [160, 0, nil, 0])
        #expect(history.logins == [2, 0, nil, 0])
        // What happened is known, whether anything was sampled there or not.
        #expect(history.failures == [0, 0, 1, 1])
    }

    @Test("is empty for a store without samples, and for windows that are none")
    func empty() throws {
        let fixture = try Fixture()
        let reports = try fixture.reports()
        for (since, until) in [(0, 40), (40, 0), (0, 0)] as [(Int64, Int64)] {
            let history = try reports.history(in: fixture.window(since, until), bins: 3)
            for line in [history.sessions, history.receive, history.logins] {
                #expect(line == [nil, nil, nil])
            }
        }
        #expect(try reports.history(in: fixture.window(0, 1), bins: 0).sessions == [nil])
    }
}
