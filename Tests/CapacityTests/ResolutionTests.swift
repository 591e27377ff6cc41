import Presentation
import SQLite
import Store
import Testing
import Vocabulary

@testable import Capacity

/// The same report from ticks and from their sums.
@Suite("Reports of sums")
struct ResolutionTests {
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    /// A day or two with restarts, silences and a clock that is set back, summed up.
    private func history(_ seed: UInt64, _ fixture: Fixture) throws -> Int64 {
        var dice = Dice(state: seed)
        var time: Int64 = 0
        for run in Int64(1)...4 {
            try fixture.run(run, at: time)
            var bytes: Int64 = 0
            for _ in 0..<Int.random(in: 10...30, using: &dice) {
                let step: Int64 = Bool.random(using: &dice) ? 30 : 20
                let count = Int64.random(in: 1...60, using: &dice)
                let rate = Int64.random(in: 0...9_000, using: &dice)
                try fixture.ticks(
                    run: run, from: time + 1, through: time + count * step, every: step, limit: 90,
                    sessions: "(t * 7919) % 60", bytesIn: "\(bytes) + (t - \(time)) * \(rate)",
                    bytesOut: "\(bytes) + (t - \(time)) * \(rate / 3)")
                bytes += (count * step + 1) * rate
                time += count * step + 1
                if Int.random(in: 0..<12, using: &dice) == 0 {
                    time += .random(in: 250...9_000, using: &dice)
                }
            }
            time += .random(in: 0...20_000, using: &dice)
        }
        try fixture.pool("staff", size: 254, used: "(at_ns / 7000000000) % 254")
        try StoreCare.sum(path: fixture.path)
        return time
    }

    private func figures(
        _ fixture: Fixture, _ window: Window, _ way: TickHistory.Resolution
    ) throws
        -> String
    {
        var reports = try fixture.reports()
        reports.resolution = way
        return render(
            try reports.traffic(in: window, by: .hour) + reports.capacity(in: window), as: .json)
    }

    @Test("say the same by hour and tick by tick, in any window", arguments: 1...3)
    func same(_ seed: UInt64) throws {
        let fixture = try Fixture()
        let end = try history(seed, fixture)
        var dice = Dice(state: seed)
        var windows = [fixture.window(0, end + 1), fixture.window(3_600, end / 3_600 * 3_600)]
        for _ in 0..<4 {
            let since = Int64.random(in: 0...end, using: &dice)
            windows.append(fixture.window(since, .random(in: since...end + 5_000, using: &dice)))
        }
        for window in windows {
            let ticks = try figures(fixture, window, .ticks)
            #expect(try figures(fixture, window, .hours) == ticks)
            #expect(try figures(fixture, window, .minutes) == ticks)
        }
        #expect(try figures(fixture, windows[0], .ticks).contains("Gap"))
    }

    @Test("long windows are told from the sums alone when the ticks are gone")
    func ticksGone() throws {
        let fixture = try Fixture()
        let end = try history(7, fixture)
        let window = fixture.window(0, end / 3_600 * 3_600)
        let before = try figures(fixture, window, .ticks)
        try fixture.database.execute("UPDATE rollup_hours SET state = 2")
        for table in ["ticks", "pool_samples"] {
            try fixture.database.execute("DELETE FROM \(table)")
        }
        #expect(try figures(fixture, window, .hours) == before)
        #expect(try figures(fixture, window, .ticks) == before)
    }
}
