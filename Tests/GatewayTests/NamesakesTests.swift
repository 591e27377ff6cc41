import Synchronization
import Testing
import Vocabulary

@testable import Engine
@testable import Gateway

@Suite("Namesakes")
struct NamesakesTests {
    private let user = UserKey(Identity("alice@lab"), at: Identity("gw.lab"))

    private func session(_ number: Int, at shard: Int) -> RemoteSession {
        RemoteSession(
            id: SessionID(high: UInt64(shard), low: UInt64(number)), shard: UInt8(shard),
            source: .v4(UInt32(number)))
    }

    @Test("enter nobody who does not know all of them")
    func knowing() {
        let namesakes = Namesakes()
        let (first, second, third) = (session(1, at: 0), session(2, at: 1), session(3, at: 1))
        #expect(namesakes.enter(first, of: user, knowing: []))
        #expect(!namesakes.enter(second, of: user, knowing: []))
        #expect(namesakes.enter(second, of: user, knowing: [first]))
        // Those of its own shard a login knows anyhow.
        #expect(namesakes.enter(third, of: user, knowing: [first]))
        namesakes.end(first, of: user, .replaced)
        #expect(!namesakes.enter(session(4, at: 1), of: user, knowing: [first]))
        #expect(namesakes.sessions(of: user, besides: 0) == [second, third])
        #expect(namesakes.sessions(of: user, besides: 1) == [])
    }

    @Test("that log in at several threads at once end each other, but for the last")
    func race() throws {
        let (shards, logins) = (4, 100)
        let namesakes = Namesakes()
        let mailboxes = try (0..<shards).map { _ in try Mailbox() }
        for mailbox in mailboxes { namesakes.add(mailbox) }
        let gone = Mutex<Set<SessionID>>([])
        let user = user
        let workers = try (0..<shards).map { shard in
            let sessions = (0..<logins).map { session($0, at: shard) }
            return try Worker(named: "shard-\(shard)") {
                for (number, new) in sessions.enumerated() {
                    var others = namesakes.sessions(of: user, besides: new.shard)
                    while !namesakes.enter(new, of: user, knowing: others) {
                        others = namesakes.sessions(of: user, besides: new.shard)
                    }
                    for other in others { namesakes.end(other, of: user, .replaced) }
                    guard number > 0 else { continue }
                    namesakes.remove(sessions[number - 1].id, of: user)
                    gone.withLock { _ = $0.insert(sessions[number - 1].id) }
                }
            }
        }
        for worker in workers { worker.join() }
        let told = mailboxes.flatMap { $0.take().replacements.map(\.session) }
        let ended = gone.withLock { $0 }.union(told)
        let up = namesakes.sessions(of: user, besides: 99)
        #expect(up.count == 1)
        #expect(ended.count == shards * logins - 1)
        #expect(up.allSatisfy { !ended.contains($0.id) })
    }
}
