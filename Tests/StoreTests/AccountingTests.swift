import Store
import Testing
import Vocabulary

/// Random histories with folds, crashes and restarts, against an oracle that only writes down who
/// carried how much and when it was seen.
@Suite("Accounting")
struct AccountingTests {
    /// Steps that repeat for a seed.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private struct Child {
        let session: UInt64
        var carried: UInt64 = 0
        var seen: UInt64 = 0
    }

    private struct History {
        var dice: Dice
        var children: [UInt64: Child] = [:]
        var open: [UInt64] = []
        var nextSession: UInt64 = 1
        var nextChild: UInt64 = 1
        /// Packets by session and second, at the time when they were seen.
        var ledger: [UInt64: [Int64: UInt64]] = [:]
        /// Packets by session, at the time when they passed, whether anybody saw them or not.
        var truth: [UInt64: [(second: Int64, packets: UInt64)]] = [:]
        /// Sessions that a crash ended, with the time up to which their totals are known.
        var crashed: [UInt64: Timestamp] = [:]

        mutating func see(_ child: UInt64, at second: Int64) {
            guard let known = children[child], known.carried > known.seen else { return }
            ledger[known.session, default: [:]][second, default: 0] += known.carried - known.seen
            children[child]?.seen = known.carried
        }

        mutating func tick(at second: Int64) -> RecordedTick {
            for child in children.keys { see(child, at: second) }
            return RecordedTick(
                at: second,
                children: children.map { sample($0.value.session, child: $0.key, $0.value.carried) }
            )
        }

        /// One step of a random user.
        mutating func step(at second: Int64) -> [RecordedEvent] {
            switch (Int.random(in: 0..<9, using: &dice), open.randomElement(using: &dice)) {
            case (0, _), (_, nil):
                open.append(nextSession)
                nextSession += 1
                return [RecordedEvent(established(nextSession - 1), at: second)]
            case (1...2, let id?):
                children[nextChild] = Child(session: id)
                nextChild += 1
                return [RecordedEvent(installed(id, child: nextChild - 1), at: second)]
            case (3, let id?): return endChild(of: id, at: second)
            case (4, let id?): return end(id, at: second)
            default:
                carry(at: second)
                return []
            }
        }

        mutating func carry(at second: Int64) {
            for child in children.keys.sorted() where Bool.random(using: &dice) {
                guard let session = children[child]?.session else { continue }
                let packets = UInt64.random(in: 0...9, using: &dice)
                children[child]?.carried += packets
                truth[session, default: []].append((second, packets))
            }
        }

        private mutating func endChild(of id: UInt64, at second: Int64) -> [RecordedEvent] {
            guard let child = children.keys.sorted().first(where: { children[$0]?.session == id })
            else { return [] }
            see(child, at: second)
            let total = children.removeValue(forKey: child)?.carried ?? 0
            return [RecordedEvent(childClosed(id, child: child, total), at: second)]
        }

        mutating func end(_ id: UInt64, at second: Int64) -> [RecordedEvent] {
            var events: [RecordedEvent] = []
            while case let more = endChild(of: id, at: second), !more.isEmpty { events += more }
            open.removeAll { $0 == id }
            let total = ledger[id]?.values.reduce(0, +) ?? 0
            return events + [RecordedEvent(closed(id, .deletedByPeer, total), at: second)]
        }

        /// What was not seen is lost; the next start ends everything.
        mutating func crash(_ unfinished: Unfinished, at second: Int64) -> [RecordedEvent] {
            children = [:]
            open = []
            for session in unfinished.sessions {
                guard let id = truth.keys.first(where: { .number($0) == session.id }) else {
                    continue
                }
                crashed[id] = min(session.lastSeen, session.lastSampled)
            }
            return unfinished.children.map {
                RecordedEvent(
                    ChildSAClosed(
                        session: $0.session, child: $0.child, reason: .crash, total: $0.total),
                    at: second)
            }
                + unfinished.sessions.map {
                    RecordedEvent(
                        SessionClosed(
                            session: $0.id, reason: .crash, durationMilliseconds: 0,
                            total: $0.total), at: second)
                }
        }
    }

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
