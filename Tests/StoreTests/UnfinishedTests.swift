import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

@Suite("What is unfinished")
struct UnfinishedTests {
    let folder: Folder

    init() throws { folder = try Folder() }

    /// A run that leaves session 1 open with two Child SAs, one of them over, and ends session 2.
    private func firstRun() throws {
        let store = try folder.open(at: 0)
        #expect(store.unfinished.isEmpty)
        try store.append(
            events: [
                RecordedEvent(GatewayStarted.example, at: 1),
                RecordedEvent(established(1), at: 2), RecordedEvent(granted(1), at: 2),
                RecordedEvent(installed(1, child: 1), at: 2),
                RecordedEvent(established(2), at: 3), RecordedEvent(granted(2), at: 3),
                RecordedEvent(installed(2, child: 2), at: 3),
            ],
            ticks: [
                RecordedTick(at: 4, children: [sample(1, child: 1, 3), sample(2, child: 2, 50)])
            ])
        try store.append(
            events: [
                RecordedEvent(installed(1, child: 3), at: 5),
                RecordedEvent(childClosed(1, child: 1, 4), at: 6),
                RecordedEvent(childClosed(2, child: 2, 60), at: 6),
                RecordedEvent(released(2), at: 6), RecordedEvent(closed(2), at: 6),
            ],
            ticks: [RecordedTick(at: 9, children: [sample(1, child: 3, 5)])])
        store.close()
    }

    @Test("is exactly what has no end")
    func exact() throws {
        try firstRun()
        let unfinished = try folder.open(at: 100).unfinished
        #expect(
            unfinished.sessions == [
                Unfinished.Session(
                    id: .number(1), run: 1, started: .seconds(2), lastSeen: .seconds(9),
                    total: Traffic(9), lastSampled: .seconds(9))
            ])
        #expect(
            unfinished.children == [
                Unfinished.Child(
                    session: .number(1), child: ChildID(3), run: 1, lastSeen: .seconds(9),
                    total: Traffic(5), lastSampled: .seconds(9))
            ])
        #expect(
            unfinished.leases == [
                Unfinished.Lease(
                    session: .number(1), pool: "staff", run: 1, lastSeen: .seconds(9))
            ])
        #expect(
            unfinished.gateway
                == Unfinished.Gateway(run: 1, started: .seconds(1), lastSeen: .seconds(9)))
    }

    @Test("totals are of the latest sample, though its run is known to have lived longer")
    func lastSampled() throws {
        let store = try folder.open(at: 0)
        try store.append(
            events: [
                RecordedEvent(established(1), at: 2), RecordedEvent(installed(1, child: 1), at: 2),
            ],
            ticks: [RecordedTick(at: 4, children: [sample(1, child: 1, 3)])])
        try store.append(
            events: [
                RecordedEvent(established(2), at: 6), RecordedEvent(installed(2, child: 2), at: 7),
                RecordedEvent(EventsLost.example, at: 9),
            ], ticks: [])
        store.close()
        for isFolded in [false, true] {
            let store = try folder.open(at: 100)
            let unfinished = store.unfinished
            #expect(unfinished.sessions.map(\.lastSeen) == [.seconds(9), .seconds(9)])
            #expect(unfinished.sessions.map(\.lastSampled) == [.seconds(4), .seconds(6)])
            #expect(unfinished.children.map(\.lastSampled) == [.seconds(4), .seconds(7)])
            if !isFolded { try store.fold() }
            store.close()
        }
    }

    /// What the recorder does with it.
    private func settle(_ store: Store, at second: Int64) throws {
        try store.append(
            events: [
                RecordedEvent(childClosed(1, child: 3, 5), at: second),
                RecordedEvent(released(1, uncertaintyMilliseconds: 91_000), at: second),
                RecordedEvent(closed(1, .crash, 9, uncertaintyMilliseconds: 91_000), at: second),
                RecordedEvent(
                    GatewayStopped(cause: .crash, uncertaintyMilliseconds: 91_000), at: second),
                RecordedEvent(GatewayStarted.example, at: second),
            ],
            ticks: [])
    }

    @Test("stays so through starts that come to nothing, until somebody records the ends")
    func untilRecorded() throws {
        try firstRun()
        let second = try folder.open(at: 98)
        let before = second.unfinished
        second.close()
        let third = try folder.open(at: 99)
        #expect(third.unfinished == before)
        try settle(third, at: 100)
        third.close()

        let fourth = try folder.open(at: 200)
        #expect(fourth.unfinished.sessions.isEmpty)
        #expect(fourth.unfinished.children.isEmpty)
        #expect(fourth.unfinished.leases.isEmpty)
        #expect(fourth.unfinished.gateway?.run == 3)
        let open = try fourth.connection.rows("SELECT run FROM runs WHERE settled = 0") {
            $0.integer(0)
        }
        #expect(open == [3, 4])
    }

    @Test("the views show the ends that were inferred, with their spans")
    func inferredEnds() throws {
        try firstRun()
        let store = try folder.open(at: 100)
        try settle(store, at: 100)
        let reader = try folder.read()
        func seconds(_ columns: String..., from view: String) throws -> [[Datum]] {
            let list = columns.map { "\($0) / 1000000000 - 1795000000" }.joined(separator: ", ")
            return try reader.rows("SELECT \(list) FROM \(view)").rows
        }
        #expect(
            try seconds("ended_earliest_ns", "ended_ns", from: "sessions WHERE reason = 'crash'")
                == [[.integer(9), .integer(100)]])
        #expect(
            try seconds("from_ns", "to_earliest_ns", "to_ns", from: "leases ORDER BY from_ns")
                == [
                    [.integer(2), .integer(9), .integer(100)],
                    [.integer(3), .integer(6), .integer(6)],
                ])
        #expect(
            try seconds(
                "started_ns", "stopped_earliest_ns", "stopped_ns",
                from: "spans_of_runs ORDER BY run")
                == [
                    [.integer(1), .integer(9), .integer(100)], [.integer(100), .null, .null],
                ])
    }

    @Test("a Child SA whose beginning was lost is found by its samples")
    func sampledOnly() throws {
        let store = try folder.open()
        try store.append(
            events: [], ticks: [RecordedTick(at: 1, children: [sample(7, child: 9, 2)])])
        store.close()
        let unfinished = try folder.open().unfinished
        #expect(unfinished.children.map(\.child) == [ChildID(9)])
        #expect(unfinished.children.map(\.total) == [Traffic(2)])
        #expect(unfinished.sessions.isEmpty)
    }

    @Test("rows that no Weir wrote do no harm")
    func strangeRows() throws {
        try firstRun()
        let connection = try Connection(path: folder.file, mode: .readWrite)
        try connection.execute(
            """
            INSERT INTO session_established (run, at_ns, mono_ns, session)
            VALUES (1, 1, 1, NULL), (9, 1, 1, 'x'), (1, 1, 1, '+0000000-0000-7000-8000-000000000000')
            """)
        try connection.execute(
            "INSERT INTO child_sa_installed (run, at_ns, mono_ns, session, child) "
                + "VALUES (1, 1, 1, ?, -5)", [.text(SessionID.number(1).description)])
        connection.close()
        let unfinished = try folder.open().unfinished
        #expect(unfinished.sessions.map(\.id) == [.number(1)])
        #expect(unfinished.children.map(\.child.number) == [0, 3])
    }

    @Test(
        "a session's id is read only as it is written",
        arguments: [
            "", "x", "01a1ee5c-b600-7102-8304-05060708090", "01A1EE5C-B600-7102-8304-05060708090A",
            "01a1ee5cb6007102830405060708090a----", "+1a1ee5c-b600-7102-8304-05060708090a",
            "01a1ee5c-b600-7102-8304-05060708090g",
        ])
    func ids(_ text: String) {
        #expect(SessionID(stored: text) == nil)
        #expect(SessionID(stored: SessionID.example.description) == .example)
    }
}
