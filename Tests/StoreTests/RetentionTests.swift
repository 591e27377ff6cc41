import Glibc
import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// What is kept, and for how long.
@Suite("Retention")
struct RetentionTests {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try folder.open(
            retention: Retention(
                samples: .seconds(3_600), figures: .seconds(7_200), events: .seconds(10_800)))
    }

    private static let staff = PoolState(name: "staff", size: 254, used: 1)

    /// Sessions 1 to `count`, each with a Child SA that is sampled twice and folded; all end.
    private func history(_ count: UInt64, from second: Int64) throws {
        let numbers = Array(1...count)
        try store.append(
            events: numbers.flatMap {
                [
                    RecordedEvent(established($0), at: second),
                    RecordedEvent(installed($0, child: $0), at: second),
                ]
            },
            ticks: (1...2).map { tick in
                RecordedTick(
                    at: second + tick,
                    children: numbers.map { sample($0, child: $0, UInt64(tick)) },
                    pools: [Self.staff])
            })
        try store.append(
            events: numbers.flatMap {
                [
                    RecordedEvent(childClosed($0, child: $0, 2), at: second + 3),
                    RecordedEvent(closed($0, .deletedByPeer, 2), at: second + 3),
                ]
            }, ticks: [])
        try store.append(events: [], ticks: [RecordedTick(at: second + 4)])
        try store.fold()
    }

    private func count(_ table: String) throws -> Int64 {
        try store.connection.integer("SELECT count(*) FROM \(table)")
    }

    @Test("samples go, a part at each tick, with all that only they needed; sessions stay")
    func samples() throws {
        try history(700, from: 1)
        try store.append(events: [], ticks: [RecordedTick(at: 3_600)])
        #expect(try count("chunks") == 700)

        try store.append(events: [], ticks: [RecordedTick(at: 3_700)])
        #expect(try count("chunks") == 200)
        #expect(try count("child_samples") == 400)
        #expect(try folder.read().check().isEmpty)
        try store.append(events: [], ticks: [RecordedTick(at: 3_701)])
        for table in ["chunks", "folds", "series", "series_last"] {
            #expect(try count(table) == 0, "\(table)")
        }
        // What they carried by hour stays, and so do their names.
        #expect(try count("traffic_hours") == 700)
        #expect(try count("sessions") == 700)
        #expect(
            try folder.read().rows("SELECT sum(packets_in) FROM session_totals").rows
                == [[.integer(1_400)]])
    }

    @Test("a Child SA that runs keeps its samples' owner, and goes on exactly")
    func running() throws {
        for second: Int64 in 1...3 {
            try store.append(
                events: [],
                ticks: [RecordedTick(at: second, children: [sample(1, child: 1, 5)])])
        }
        try store.fold()
        for second: Int64 in [3_700, 3_701] {
            try store.append(
                events: [],
                ticks: [RecordedTick(at: second, children: [sample(1, child: 1, 9)])])
        }
        #expect(try count("chunks") == 0)
        #expect(
            try folder.read().rows("SELECT packets_in, packets_in_step FROM child_samples").rows
                == [[.integer(9), .integer(4)], [.integer(9), .integer(0)]])
    }

    @Test("figures and events go by their age; what belongs to a session, and alerts, stay")
    func others() throws {
        let lost = EventsLost.example
        try store.append(
            events: [
                RecordedEvent(lost, at: 1), RecordedEvent(lost, at: 2),
                RecordedEvent(granted(1), at: 2), RecordedEvent(AlertFired.example, at: 2),
            ],
            ticks: [RecordedTick(at: 1, pools: [Self.staff])])
        try store.append(events: [], ticks: [RecordedTick(at: 7_190, pools: [Self.staff])])
        #expect(try count("ticks") == 2)
        // They go by whole hours; the first one ends at 3,200.
        try store.append(events: [], ticks: [RecordedTick(at: 7_202, pools: [Self.staff])])
        #expect(try count("ticks") == 3)
        #expect(try count("events_lost") == 2)
        try store.append(events: [], ticks: [RecordedTick(at: 10_900)])
        #expect(try count("ticks") == 3)
        #expect(try count("pool_samples") == 2)
        // What they added up to stays.
        #expect(try store.connection.integer("SELECT sum(ticks) FROM tick_hours") == 3)
        #expect(try store.connection.integer("SELECT sum(samples) FROM pool_minutes") == 3)
        // The newest of a kind stays.
        #expect(try count("events_lost") == 1)
        #expect(try count("lease_granted") == 1)
        #expect(try count("alert_fired") == 1)
    }

    @Test("whole sessions go some at each tick, after their samples; what they carried stays")
    func sessions() throws {
        try history(120, from: 1)
        store.close()
        let store = try folder.open(
            at: 10, retention: Retention(samples: .seconds(3_600), sessions: .seconds(7_200)))
        func count(_ table: String) throws -> Int64 {
            try store.connection.integer("SELECT count(*) FROM \(table)")
        }
        let hold = try Holds.place(
            path: folder.file, .session(SessionID.number(7).description), since: nil, until: nil,
            reason: "case", at: .seconds(20))
        for second: Int64 in [3_300, 7_200] {
            try store.append(events: [], ticks: [RecordedTick(at: second)])
        }
        #expect(try count("sessions") == 120)
        try store.append(events: [], ticks: [RecordedTick(at: 7_210)])
        #expect(try count("sessions") == 71)
        for second in 0..<3 as Range<Int64> {
            try store.append(events: [], ticks: [RecordedTick(at: 7_211 + second)])
        }
        for table in ["session_established", "session_closed", "child_sa_closed"] {
            #expect(try count(table) == 1, "\(table)")
        }
        try Holds.release(path: folder.file, number: hold, at: .seconds(7_220))
        for second in 0..<3 as Range<Int64> {
            try store.append(events: [], ticks: [RecordedTick(at: 7_221 + second)])
        }
        #expect(try count("sessions") == 0)
        #expect(try count("child_sa_installed") == 0)
        #expect(
            try folder.read().rows(
                "SELECT sum(packets_in), count(identity) FROM traffic_hours"
            ).rows == [[.integer(240), .integer(0)]])
        #expect(try count("handshake_hours") == 1)
        #expect(try folder.read().check().isEmpty)
    }

    @Test("the session of the newest event stays: ids are never used again")
    func newestSession() throws {
        store.close()
        let store = try folder.open(
            retention: Retention(samples: .seconds(3_600), sessions: .seconds(3_600)))
        try store.append(
            events: [1, 2].flatMap {
                [RecordedEvent(established($0), at: 1), RecordedEvent(closed($0), at: 2)]
            }, ticks: [])
        for second: Int64 in [4_000, 4_001] {
            try store.append(events: [], ticks: [RecordedTick(at: second)])
        }
        #expect(
            try folder.read().rows("SELECT session FROM sessions").rows
                == [[.text(SessionID.number(2).description)]])
        #expect(try Writer.nextID(on: store.connection) == 5)
        try store.append(events: [RecordedEvent(EventsLost.example, at: 4_002)], ticks: [])
        try store.append(events: [], ticks: [RecordedTick(at: 4_003)])
        #expect(try store.connection.integer("SELECT count(*) FROM sessions") == 0)
    }

    @Test("a session stays while the journal tells of it")
    func journalledSession() throws {
        store.close()
        let store = try folder.open(
            retention: Retention(samples: .seconds(3_600), sessions: .seconds(3_600)))
        try store.append(
            events: [RecordedEvent(established(1), at: 1)],
            ticks: [RecordedTick(at: 2, children: [sample(1, child: 1, 0)])])
        try store.append(
            events: [
                RecordedEvent(childClosed(1, child: 1, 0), at: 3), RecordedEvent(closed(1), at: 3),
                RecordedEvent(EventsLost.example, at: 3),
            ], ticks: [RecordedTick(at: 4)])
        try store.append(events: [], ticks: [RecordedTick(at: 4_000)])
        #expect(try store.connection.integer("SELECT count(*) FROM sessions") == 1)
        try store.fold()
        try store.append(events: [], ticks: [RecordedTick(at: 4_001)])
        #expect(try store.connection.integer("SELECT count(*) FROM sessions") == 0)
        #expect(try store.connection.integer("SELECT count(*) FROM journal") == 0)
    }

    @Test("a clock that leaps ahead deletes nothing for a day; then it is right")
    func leap() throws {
        try history(3, from: 1)
        store.close()
        let day: Int64 = 86_400
        let next = try folder.open(
            at: 10, retention: Retention(samples: .seconds(Double(10 * day))))
        /// - Parameter ahead: of the monotonic clock, in seconds.
        func tick(at second: Int64, ahead: Int64) throws {
            let instant = Instant(nanoseconds: UInt64(second) * 1_000_000_000)
            let at = Timestamp.seconds(second + ahead)
            try next.append(
                events: [], ticks: [RecordedTick(at: at, instant: instant, tick: Tick())])
        }
        func chunks() throws -> Int64 {
            try next.connection.integer("SELECT count(*) FROM chunks")
        }
        // A little ahead for most of a day, which is no excuse for the leap after it.
        try tick(at: 10, ahead: 0)
        for hour: Int64 in 0..<23 { try tick(at: 20 + hour * 3_600, ahead: 1) }
        for hour: Int64 in 23..<46 { try tick(at: 20 + hour * 3_600, ahead: 11 * day) }
        #expect(try chunks() == 3)
        // Back, and ahead again.
        try tick(at: 2 * day, ahead: 0)
        try tick(at: 2 * day + 1, ahead: 11 * day)
        try tick(at: 3 * day, ahead: 11 * day)
        #expect(try chunks() == 3)
        try tick(at: 3 * day + 1, ahead: 11 * day)
        #expect(try chunks() == 0)
        next.close()
    }

    @Test("without a policy all is kept")
    func forGood() throws {
        store.close()
        let plain = try folder.open(at: 1)
        try plain.append(
            events: [], ticks: [RecordedTick(at: 1, children: [sample(1, child: 1, 5)])])
        try plain.fold()
        try plain.append(events: [], ticks: [RecordedTick(at: 100_000_000)])
        #expect(try plain.connection.integer("SELECT count(*) FROM chunks") == 1)
        #expect(try plain.connection.integer("SELECT count(*) FROM ticks") == 2)
    }

    @Test("free pages are given back as it runs, but for a reserve")
    func space() throws {
        try store.append(
            events: (0..<3_000).map { RecordedEvent(granted($0), at: 1) }, ticks: [])
        try store.connection.execute("DELETE FROM lease_granted WHERE id > 5")
        let free = try store.connection.integer("PRAGMA freelist_count")
        var sweeper = Sweeper(Retention(), slack: 20)
        for second in 1...4 {
            try sweeper.sweep(
                after: RecordedTick(at: Int64(second)), on: store.connection, isLive: { _ in false }
            )
        }
        #expect(free > 100)
        #expect(try store.connection.integer("PRAGMA freelist_count") <= 20)
    }

    @Test("sums go after what they are of, those by hour last")
    func sums() throws {
        store.close()
        let store = try folder.open(
            retention: Retention(
                figures: .seconds(3_600), minutes: .seconds(7_200), hours: .seconds(18_000)))
        func counts(at second: Int64) throws -> [Int64] {
            try store.append(
                events: [], ticks: [RecordedTick(at: second, pools: [Self.staff])])
            return try ["ticks", "tick_minutes", "tick_hours", "pool_hours", "rollup_hours"].map {
                try store.connection.integer("SELECT count(*) FROM \($0) WHERE \(first($0))")
            }
        }
        /// Of the hour that ends at 3,200.
        func first(_ table: String) -> String {
            let column = ["ticks": "at_ns", "rollup_hours": "hour * 3600000000000"][table]
            return "\(column ?? "start_ns") < 1795003200000000000"
        }
        #expect(try counts(at: 100) == [1, 0, 0, 0, 1])
        #expect(try counts(at: 3_300) == [1, 1, 1, 1, 1])
        #expect(try counts(at: 6_700) == [1, 1, 1, 1, 1])
        #expect(try counts(at: 6_900) == [0, 1, 1, 1, 1])
        #expect(try counts(at: 10_300) == [0, 1, 1, 1, 1])
        #expect(try counts(at: 10_500) == [0, 0, 1, 1, 1])
        #expect(try counts(at: 21_100) == [0, 0, 1, 1, 1])
        #expect(try counts(at: 21_300) == [0, 0, 0, 0, 0])
        #expect(try folder.read().check().isEmpty)
    }

    @Test("a kind of event goes by its own age, though it belongs to a session; beginnings stay")
    func kinds() throws {
        store.close()
        let store = try folder.open(
            retention: Retention(
                events: .seconds(3_600),
                kinds: [
                    "events_lost": .seconds(7_200), "peer_dead": .seconds(3_600),
                    "session_established": .seconds(3_600),
                ]))
        let events: [RecordedEvent] = [
            RecordedEvent(EventsLost.example, at: 1), RecordedEvent(PoolExhausted.example, at: 1),
            RecordedEvent(PeerDead.example, at: 1), RecordedEvent(established(1), at: 1),
        ]
        try store.append(events: events + events, ticks: [])
        func counts(at second: Int64) throws -> [Int64] {
            try store.append(events: [], ticks: [RecordedTick(at: second)])
            return try ["events_lost", "pool_exhausted", "peer_dead", "session_established"].map {
                try store.connection.integer("SELECT count(*) FROM \($0)")
            }
        }
        #expect(try counts(at: 3_600) == [2, 2, 2, 2])
        #expect(try counts(at: 3_700) == [2, 1, 1, 2])
        #expect(try counts(at: 7_300) == [1, 1, 1, 2])
        let names = Set(Catalogue.events.map(\.name))
        #expect(Catalogue.keptForGood.isSubset(of: names))
    }

    @Test("the file does not double while it is swept, and ends smaller")
    func sizes() throws {
        let lost = RecordedEvent(EventsLost.example, at: 1)
        for _ in 0..<36 {
            try store.append(events: Array(repeating: lost, count: 10_000), ticks: [])
        }
        store.close()
        let store = try folder.open(at: 2, retention: Retention(events: .seconds(3_600)))
        let before = store.sizeBytes
        var most = before
        for second in 0..<750 as Range<Int64> {
            try store.append(events: [], ticks: [RecordedTick(at: 4_000 + second)])
            most = max(most, store.sizeBytes)
        }
        // Of that, the write-ahead log is up to 16 MiB, however large the rest is.
        #expect(before > 16 << 20)
        #expect(most < 2 * before)
        #expect(try store.connection.integer("SELECT count(*) FROM events_lost") == 1)
        store.close()
        #expect(store.sizeBytes < before / 2)
    }
}
