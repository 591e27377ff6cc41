import Store
import TestFiles
import Testing
import Vocabulary

/// Random histories with folds, crashes and restarts, against an oracle that only writes down who
/// carried how much and when it was seen.
@Suite("Accounting")
struct AccountingTests {
    @Test("nothing is lost and nothing counts twice, in any window", arguments: 1...4)
    func windows(_ seed: UInt64) throws {
        var folder = try Folder()
        var store = try folder.open()
        var history = History(dice: Dice(state: seed))
        var second: Int64 = 0
        for _ in 0..<80 {
            second += 40
            var events: [RecordedEvent] = []
            for _ in 0..<4 { events += history.step(at: second) }
            try store.append(events: events, ticks: [history.tick(at: second + 1)])
            switch Int.random(in: 0..<16, using: &history.dice) {
            case 0...1: try store.fold()
            case 2:
                // What passes now nobody sees, though the gateway is seen to live.
                history.carry(at: second + 2)
                try store.append(
                    events: [RecordedEvent(PeerDead.example, at: second + 3)], ticks: [])
                let old = store
                folder = try folder.afterCrash()
                old.close()
                store = try folder.open(at: second + 4)
                let ends = history.crash(store.unfinished, at: second + 4)
                try store.append(events: ends, ticks: [])
            default: break
            }
        }
        for id in history.open {
            try store.append(events: history.end(id, at: second + 3), ticks: [])
        }
        for _ in 0..<12 {
            let from = Int64.random(in: 0...second, using: &history.dice)
            try check(history, from, .random(in: from...second + 10, using: &history.dice), folder)
        }
        try check(history, 0, second + 10, folder)
        try checkTotals(history, folder)
        try checkTruth(history, folder)
    }

    /// A total is what passed; after a crash it is at least what had passed by the time up to which
    /// it is known, and at most what had passed in all.
    private func checkTruth(_ history: History, _ folder: Folder) throws {
        let rows = try folder.read().rows("SELECT session, packets_in FROM session_totals").rows
        var known: [Datum: Int64] = [:]
        for row in rows {
            if case .integer(let packets)? = row.last { known[row[0]] = packets }
        }
        var isShort = false
        for (id, passed) in history.truth {
            let all = passed.reduce(0) { $0 + Int64($1.packets) }
            let total = known[.text(SessionID.number(id).description)] ?? 0
            guard let until = history.crashed[id] else {
                #expect(total == all, "session \(id)")
                continue
            }
            let least = passed.filter { .seconds($0.second) <= until }.reduce(0) {
                $0 + Int64($1.packets)
            }
            #expect((least...all).contains(total), "session \(id)")
            isShort = isShort || total < all
        }
        #expect(isShort || history.crashed.isEmpty)
    }

    private func check(_ history: History, _ from: Int64, _ to: Int64, _ folder: Folder) throws {
        let times = [from, to].map { (1_795_000_000 + $0) * 1_000_000_000 }
        let found = try folder.read().rows(
            """
            SELECT session, sum(packets_in) FROM traffic_between(\(times[0]), \(times[1]))
             GROUP BY session ORDER BY session
            """
        ).rows
        let expected = history.ledger.sorted { $0.key < $1.key }.compactMap {
            id, seen -> [Datum]? in
            let sum = seen.filter { (from..<to).contains($0.key) }.values.reduce(0, +)
            return sum == 0
                ? nil : [.text(SessionID.number(id).description), .integer(Int64(sum))]
        }
        #expect(found == expected, "\(from) to \(to)")
    }

    /// Sessions, their hours, and all windows together say the same.
    private func checkTotals(_ history: History, _ folder: Folder) throws {
        let expected = history.ledger.sorted { $0.key < $1.key }.map { id, seen -> [Datum] in
            [
                .text(SessionID.number(id).description),
                .integer(Int64(seen.values.reduce(0, +))),
            ]
        }.filter { $0[1] != .integer(0) }
        for view in ["session_totals", "session_hours"] {
            let found = try folder.read().rows(
                """
                SELECT session, sum(packets_in) AS packets FROM \(view) GROUP BY session
                HAVING packets > 0 ORDER BY session
                """
            ).rows
            #expect(found == expected, "\(view)")
        }
    }
}
