import Store
import TestFiles
import Testing
import Vocabulary

/// Random histories, with crashes, against a model that only adds up.
@Suite("Any history")
struct ModelTests {
    /// Steps that repeat for a seed.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private struct Session {
        var over = false
        var closedChildren: UInt64 = 0
        /// Running Child SAs: what they carried, and what of that was sampled.
        var running: [UInt64: (carried: UInt64, sampled: UInt64)] = [:]
        var known: UInt64 { closedChildren + running.values.reduce(0) { $0 + $1.sampled } }
    }

    @Test("adds up, and what is open is known", arguments: 1...6)
    func addsUp(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        let folder = try Folder()
        var store = try folder.open()
        var sessions: [UInt64: Session] = [:]
        var nextSession: UInt64 = 1
        var nextChild: UInt64 = 1
        var second: Int64 = 0

        for _ in 0..<60 {
            var events: [RecordedEvent] = []
            var ticks: [RecordedTick] = []
            for _ in 0..<Int.random(in: 1...8, using: &dice) {
                second += 1
                let open = sessions.filter { !$0.value.over }.keys.sorted()
                switch (Int.random(in: 0..<10, using: &dice), open.randomElement(using: &dice)) {
                case (0...1, _), (_, nil):
                    events.append(RecordedEvent(established(nextSession), at: second))
                    sessions[nextSession] = Session()
                    nextSession += 1
                case (2...3, let id?):
                    events.append(RecordedEvent(installed(id, child: nextChild), at: second))
                    sessions[id]?.running[nextChild] = (0, 0)
                    nextChild += 1
                case (4...5, let id?):
                    for child in sessions[id]?.running.keys.sorted() ?? [] {
                        sessions[id]?.running[child]?.carried += .random(in: 0...3, using: &dice)
                    }
                case (6, let id?):
                    guard let (child, counts) = sessions[id]?.running.first else { break }
                    events.append(
                        RecordedEvent(childClosed(id, child: child, counts.carried), at: second))
                    sessions[id]?.running[child] = nil
                    sessions[id]?.closedChildren += counts.carried
                case (7, let id?):
                    guard let session = sessions[id], session.running.isEmpty else { break }
                    events.append(
                        RecordedEvent(
                            closed(id, .deletedByPeer, session.closedChildren), at: second))
                    sessions[id]?.over = true
                default:
                    var samples: [ChildSample] = []
                    for id in open {
                        for (child, counts) in sessions[id]?.running ?? [:] {
                            samples.append(sample(id, child: child, counts.carried))
                            sessions[id]?.running[child]?.sampled = counts.carried
                        }
                    }
                    ticks.append(RecordedTick(at: second, children: samples))
                }
            }
            try store.append(events: events, ticks: ticks)
            try check(sessions, folder)
            if Int.random(in: 0..<7, using: &dice) == 0 { try store.fold() }
            if Int.random(in: 0..<15, using: &dice) == 0 {
                store.close()
                store = try folder.open(at: second)
                check(sessions, store.unfinished)
                sessions = sessions.filter(\.value.over)
                try recover(store, at: second)
            }
        }
    }

    private func check(_ sessions: [UInt64: Session], _ folder: Folder) throws {
        let rows = try folder.read().rows(
            """
            SELECT session, packets_in, ended_ns IS NOT NULL FROM sessions
             WHERE reason IS NOT 'crash' ORDER BY session
            """
        ).rows
        #expect(
            rows
                == sessions.sorted { $0.key < $1.key }.map { id, session in
                    [
                        .text(SessionID.number(id).description),
                        .integer(Int64(session.known)), .integer(session.over ? 1 : 0),
                    ]
                })
    }

    private func check(_ sessions: [UInt64: Session], _ unfinished: Unfinished) {
        let open = sessions.filter { !$0.value.over }.sorted { $0.key < $1.key }
        #expect(unfinished.sessions.map(\.id) == open.map { .number($0.key) })
        #expect(unfinished.sessions.map(\.total.packetsIn) == open.map(\.value.known))
        let children = open.flatMap { id, session in
            session.running.map { (ChildID($0.key), $0.value.sampled) }
        }.sorted { $0.0.number < $1.0.number }
        #expect(unfinished.children.map(\.child) == children.map(\.0))
        #expect(unfinished.children.map(\.total.packetsIn) == children.map(\.1))
    }

    /// As the recorder does it.
    private func recover(_ store: Store, at second: Int64) throws {
        let children = store.unfinished.children.map {
            RecordedEvent(
                ChildSAClosed(
                    session: $0.session, child: $0.child, reason: .crash, total: $0.total),
                at: second)
        }
        let sessions = store.unfinished.sessions.map {
            RecordedEvent(
                SessionClosed(
                    session: $0.id, reason: .crash, durationMilliseconds: 0, total: $0.total),
                at: second)
        }
        try store.append(events: children + sessions, ticks: [])
    }
}
