import Store
import TestFiles
import Testing
import Vocabulary

@Suite("The views")
struct ViewTests {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try folder.open()
    }

    private func rows(_ sql: String) throws -> [[Datum]] { try folder.read().rows(sql).rows }

    private let totals = "bytes_in, packets_in, bytes_out, packets_out"

    @Test("an open session has carried what its ended and its running Child SAs have")
    func openSession() throws {
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
                RecordedEvent(childClosed(1, child: 1, 30), at: 3),
                RecordedEvent(installed(1, child: 2), at: 3),
            ],
            // The first of these is older than the Child SA's end, and comes after it.
            ticks: [
                RecordedTick(at: 2, children: [sample(1, child: 1, 20)]),
                RecordedTick(at: 4, children: [sample(1, child: 2, 5)]),
            ])
        #expect(
            try rows("SELECT \(totals), ended_ns, reason, run FROM sessions")
                == [[3_500, 35, 35_000, 70].map { .integer($0) } + [.null, .null, .integer(1)]])
    }

    @Test("an old tick in a later batch does not count an ended Child SA twice")
    func lateTick() throws {
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
                RecordedEvent(childClosed(1, child: 1, 30), at: 3),
            ], ticks: [])
        try store.append(
            events: [], ticks: [RecordedTick(at: 2, children: [sample(1, child: 1, 20)])])
        #expect(try rows("SELECT bytes_in FROM sessions") == [[.integer(3_000)]])
        #expect(try rows("SELECT bytes_in FROM child_sas") == [[.integer(3_000)]])
        store.close()
        #expect(try folder.open().unfinished.children.isEmpty)
    }

    @Test("an ended session has the totals of its end, once")
    func endedSession() throws {
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
                RecordedEvent(childClosed(1, child: 1, 30), at: 3),
                RecordedEvent(closed(1, .lifetimeOver, 31), at: 4),
                RecordedEvent(closed(1, .crash, 99), at: 5),
            ], ticks: [])
        let row = try #require(try rows("SELECT \(totals), reason, ended_ns FROM sessions").first)
        #expect(
            row == [3_100, 31, 31_000, 62].map { .integer($0) }
                + [.text("lifetime_over"), .integer(1_795_000_004_000_000_000)])
        #expect(try rows("SELECT count(*) FROM sessions") == [[.integer(1)]])
    }

    @Test("an uncertainty beyond all bounds does not break the arithmetic")
    func hugeUncertainty() throws {
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1),
                RecordedEvent(closed(1, .crash, 0, uncertaintyMilliseconds: .max), at: 4),
            ], ticks: [])
        #expect(
            try rows("SELECT ended_earliest_ns FROM sessions")
                == [[.integer(1_795_000_004_000_000_000 - 9_000_000_000_000_000_000)]])
    }

    @Test("a lease ends with its own release, or else with its session")
    func leases() throws {
        try store.append(
            events: [
                RecordedEvent(granted(1), at: 1), RecordedEvent(released(1), at: 2),
                RecordedEvent(granted(1), at: 3), RecordedEvent(released(1), at: 4),
                RecordedEvent(granted(2), at: 5), RecordedEvent(closed(2), at: 6),
                RecordedEvent(granted(3), at: 7),
                RecordedEvent(granted(4, pool: "guests"), at: 8), RecordedEvent(released(4), at: 9),
            ], ticks: [])
        let found = try rows(
            """
            SELECT from_ns / 1000000000 - 1795000000, to_ns / 1000000000 - 1795000000
              FROM leases ORDER BY from_ns
            """)
        #expect(
            found == [
                [.integer(1), .integer(2)], [.integer(3), .integer(4)], [.integer(5), .integer(6)],
                [.integer(7), .null], [.integer(8), .null],
            ])
        #expect(
            try rows("SELECT identity, address, pool FROM leases LIMIT 1")
                == [
                    [
                        .text("id:616c696365406578616d706c652e6f7267"), .text("vip:0a580001"),
                        .text("staff"),
                    ]
                ])
    }

    @Test("an alert ends when it is resolved, or else with its run")
    func alerts() throws {
        func fired(_ address: UInt32) -> AlertFired {
            AlertFired(
                rule: .authenticationFailures, severity: .warning, subject: .v4(address),
                evidence: "10 failed logins in 60 s")
        }
        func resolved(_ address: UInt32) -> AlertResolved {
            AlertResolved(rule: .authenticationFailures, subject: Personal(.v4(address)))
        }
        func ends() throws -> [[Datum]] {
            try rows("SELECT resolved_ns / 1000000000 - 1795000000 FROM alerts ORDER BY id")
        }
        try store.append(
            events: [
                RecordedEvent(GatewayStarted.example, at: 0),
                RecordedEvent(fired(1), at: 1), RecordedEvent(fired(2), at: 2),
                RecordedEvent(resolved(1), at: 3), RecordedEvent(fired(1), at: 4),
            ], ticks: [])
        #expect(try ends() == [[.integer(3)], [.null], [.null]])

        store.close()
        let next = try folder.open()
        try next.append(
            events: [
                RecordedEvent(GatewayStopped(cause: .crash), at: 9),
                RecordedEvent(GatewayStarted.example, at: 9), RecordedEvent(resolved(2), at: 10),
            ], ticks: [])
        #expect(try ends() == [[.integer(3)], [.integer(9)], [.integer(9)]])
    }

    @Test("rates are per second since the tick before, also after a silence")
    func rates() throws {
        try store.append(
            events: [
                RecordedEvent(established(1), at: 1), RecordedEvent(installed(1, child: 1), at: 1),
            ],
            ticks: [
                RecordedTick(at: 10, children: [sample(1, child: 1, 1)]),
                RecordedTick(at: 20, children: [sample(1, child: 1, 3)]),
                RecordedTick(at: 30, children: [sample(1, child: 1, 3)]),
                RecordedTick(at: 35, children: [sample(1, child: 1, 4)]),
            ])
        #expect(
            try rows("SELECT seconds, bytes_in_per_second, packets_out_per_second FROM rates")
                == [
                    [.null, .null, .null],
                    [.real(10), .real(20), .real(0.4)],
                    [.real(5), .real(20), .real(0.4)],
                ])
        #expect(
            try rows("SELECT DISTINCT session, identity FROM samples")
                == [
                    [
                        .text(SessionID.number(1).description),
                        .text("id:616c696365406578616d706c652e6f7267"),
                    ]
                ])
    }

    @Test("a question about one address or one session reads an index, not a table")
    func plans() throws {
        func plan(_ sql: String) throws -> String {
            try rows("EXPLAIN QUERY PLAN " + sql).map { row in
                if case .text(let text)? = row.last { text } else { "" }
            }.joined(separator: "\n")
        }
        let lease = try plan("SELECT * FROM leases WHERE address = 'x' AND from_ns <= 5")
        #expect(lease.contains("lease_granted_by_address_at_ns (address=? AND at_ns<?)"))
        #expect(!lease.contains("SCAN"))
        let timeline = try plan("SELECT * FROM events WHERE session = 'x' ORDER BY id")
        for kind in Catalogue.events where kind.fields.contains(where: { $0.name == "session" }) {
            #expect(timeline.contains("\(kind.name)_by_session (session=?)"))
        }
        let identity = try plan("SELECT * FROM sessions WHERE identity = 'x' AND started_ns < 5")
        #expect(identity.contains("session_established_by_identity_at_ns (identity=? AND at_ns<?)"))
    }
}
