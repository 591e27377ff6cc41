import Store
import Vocabulary

/// Steps that repeat for a seed.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

struct SomeChild {
    let session: UInt64
    var carried: UInt64 = 0
    var seen: UInt64 = 0
}

/// What random users do with a gateway, and the plain oracle: who carried how much, and when it was
/// seen.
struct History {
    var dice: Dice
    var children: [UInt64: SomeChild] = [:]
    var open: [UInt64] = []
    var nextSession: UInt64 = 1
    var nextChild: UInt64 = 1
    /// Packets by session and second, at the time when they were seen.
    var ledger: [UInt64: [Int64: UInt64]] = [:]
    /// Packets by session, at the time when they passed, whether anybody saw them or not.
    var truth: [UInt64: [(second: Int64, packets: UInt64)]] = [:]
    /// Sessions that a crash ended, with the time up to which their totals are known.
    var crashed: [UInt64: Timestamp] = [:]

    /// Packets by session and hour since 1970, when they were seen.
    var hours: [[Datum]] {
        var rows: [[Datum]] = []
        for (id, seen) in ledger.sorted(by: { $0.key < $1.key }) {
            var sums: [Int64: UInt64] = [:]
            for (second, packets) in seen {
                sums[(1_795_000_000 + second) / 3_600, default: 0] += packets
            }
            for (hour, packets) in sums.sorted(by: { $0.key < $1.key }) {
                rows.append([
                    .text(SessionID.number(id).description), .integer(hour),
                    .integer(Int64(packets)),
                ])
            }
        }
        return rows
    }

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
            children[nextChild] = SomeChild(session: id)
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
