import SQLite
import TestFiles
import Testing
import Vocabulary

@testable import Store

/// What a legal hold covers stays, whatever its age.
@Suite("Legal holds")
struct HoldTests {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        let hour = Duration.seconds(3_600)
        store = try folder.open(
            retention: Retention(
                samples: hour, figures: hour, events: hour, kinds: ["peer_dead": hour]))
    }

    private func count(_ table: String) throws -> Int64 {
        try store.connection.integer("SELECT count(*) FROM \(table)")
    }

    private func dead(_ number: UInt64) -> PeerDead {
        var event = PeerDead.example
        event.session = Public(.number(number))
        return event
    }

    /// Sessions 1 to 3 with a Child SA each, sampled and folded; each is found dead.
    private func history() throws {
        let numbers: [UInt64] = [1, 2, 3]
        try store.append(
            events: numbers.flatMap { number -> [RecordedEvent] in
                var login = established(number)
                login.identity = Personal(Identity("user\(number)"))
                return [
                    RecordedEvent(login, at: 1),
                    RecordedEvent(installed(number, child: number), at: 1),
                    RecordedEvent(dead(number), at: 5),
                ]
            },
            ticks: [RecordedTick(at: 2, children: numbers.map { sample($0, child: $0, 7) })])
        try store.append(
            events: numbers.map { RecordedEvent(childClosed($0, child: $0, 7), at: 3) }
                + [RecordedEvent(dead(9), at: 10_000)], ticks: [RecordedTick(at: 4)])
        try store.fold()
    }

    private func place(
        _ scope: Holds.Scope, since: Int64? = nil, until: Int64? = nil
    ) throws
        -> Int64
    {
        try Holds.place(
            path: folder.file, scope, since: since.map { .seconds($0) },
            until: until.map { .seconds($0) }, reason: "case", at: .seconds(6))
    }

    private func sweep(from second: Int64) throws {
        for second in second..<second + 4 {
            try store.append(events: [], ticks: [RecordedTick(at: second)])
        }
    }

    @Test("a session's samples and events stay until it is released; others go; both are recorded")
    func session() throws {
        try history()
        let hold = try place(.session(SessionID.number(2).description))
        try sweep(from: 4_000)
        #expect(try count("chunks") == 1)
        #expect(
            try folder.read().rows("SELECT DISTINCT session FROM child_samples").rows
                == [[.text(SessionID.number(2).description)]])
        #expect(
            try folder.read().rows("SELECT session FROM peer_dead ORDER BY id").rows
                == [2, 9].map { [.text(SessionID.number($0).description)] })
        #expect(
            try folder.read().rows("SELECT hold, scope FROM hold_placed").rows
                == [[.integer(hold), .text("session")]])
        #expect(try count("hold_released") == 0)

        try Holds.release(path: folder.file, number: hold, at: .seconds(4_010))
        try sweep(from: 4_020)
        #expect(try count("chunks") == 0)
        #expect(try count("folds") == 0)
        #expect(try count("peer_dead") == 1)
        #expect(try count("hold_placed") == 1)
        #expect(try count("hold_released") == 1)
        #expect(throws: StoreError.noSuchHold(path: folder.file, number: hold)) {
            try Holds.release(path: folder.file, number: hold, at: .seconds(4_030))
        }
    }

    @Test("a user's sessions, and failures under the user's name, stay")
    func identity() throws {
        try history()
        var failure = IKEAuthFailed.example
        failure.identity = Personal(Identity("user3"))
        let other = RecordedEvent(IKEAuthFailed.example, at: 5)
        try store.append(
            events: [RecordedEvent(failure, at: 5), other, other], ticks: [])
        guard case .text(let name) = policy.disclose(Identity("user3")) else { return }
        _ = try place(.identity(name))
        try sweep(from: 4_000)
        #expect(try count("chunks") == 1)
        #expect(try count("peer_dead") == 2)
        // The one that is held, and the newest.
        #expect(try count("ike_auth_failed") == 2)
    }

    @Test("a time's figures and events stay, those outside of it go")
    func time() throws {
        _ = try place(.time, since: 400, until: 3_000)
        try store.append(
            events: [1, 500, 2_000, 20_000].map { RecordedEvent(EventsLost.example, at: $0) },
            ticks: [1, 4_000, 8_000].map { RecordedTick(at: $0) })
        try sweep(from: 18_000)
        #expect(try count("events_lost") == 3)
        #expect(
            try store.connection.integer(
                "SELECT count(*) FROM ticks WHERE at_ns < 1795003200000000000")
                == 1)
        #expect(
            try store.connection.integer(
                "SELECT count(*) FROM ticks WHERE at_ns BETWEEN 1795003200000000000 AND 1795010000000000000"
            ) == 0)
    }

    @Test("what is held does not keep the rest from going")
    func passing() throws {
        let many = Sweeper.rows * 2 + 100
        try store.append(
            events: (0..<many).map { _ in RecordedEvent(EventsLost.example, at: 1) }
                + (0..<300).map { _ in RecordedEvent(EventsLost.example, at: 20) }, ticks: [])
        _ = try place(.time, until: 10)
        try sweep(from: 4_000)
        // The newest stays.
        #expect(try count("events_lost") == Int64(many + 1))
    }

    @Test("a hold is placed in a store that nobody writes, and recorded at the next start")
    func offline() throws {
        try history()
        store.close()
        _ = try place(.time)
        let next = try folder.open(at: 100)
        try next.append(events: [], ticks: [RecordedTick(at: 101)])
        #expect(
            try folder.read().rows("SELECT hold, scope FROM hold_placed").rows
                == [[.integer(1), .text("time")]])
    }
}
