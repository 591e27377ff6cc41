import Testing
import Vocabulary

@testable import Recorder

@Suite("Per-user sums")
struct UserBookTests {
    private func session(_ number: UInt64) -> SessionID { SessionID(high: 1, low: number) }

    private func login(_ number: UInt64, _ name: String) -> SessionEstablished {
        var event = SessionEstablished.example
        event.session = Public(session(number))
        event.identity = Personal(Identity(name))
        return event
    }

    private func tick(_ samples: [(UInt64, UInt64, UInt64)]) -> Tick {
        var tick = Tick()
        tick.children = samples.map {
            ChildSample(
                session: session($0.0), child: ChildID($0.1),
                traffic: Traffic(bytesIn: $0.2, bytesOut: 2 * $0.2))
        }
        return tick
    }

    private func closed(_ number: UInt64, _ child: UInt64, _ bytes: UInt64) -> ChildSAClosed {
        ChildSAClosed(
            session: session(number), child: ChildID(child), reason: .rekeyed,
            total: Traffic(bytesIn: bytes, bytesOut: 2 * bytes))
    }

    @Test("count each byte once, through samples, rekeys and sessions")
    func sums() throws {
        var book = UserBook(limit: 10, policy: pseudonyms)
        book.observe(login(1, "alice@example.org"))
        book.observe(tick([(1, 1, 100)]))
        book.observe(tick([(1, 1, 250), (1, 2, 10)]))
        book.observe(closed(1, 1, 300))
        book.observe(tick([(1, 2, 40)]))
        book.observe(login(2, "alice@example.org"))
        book.observe(tick([(1, 2, 40), (2, 3, 7)]))
        let user = try #require(book.users.last)
        #expect(book.users.count == 2)
        #expect(user.name.hasPrefix("id:") && user.sessions == 2)
        #expect(user.traffic.bytesIn == 347 && user.traffic.bytesOut == 694)
        var end = SessionClosed.example
        end.session = Public(session(1))
        book.observe(end)
        book.observe(end)
        #expect(book.users.last?.sessions == 1)
        #expect(book.users.last?.traffic.bytesIn == 347)
    }

    @Test("keep to the limit: the rest share one series, and are counted")
    func limit() {
        var book = UserBook(limit: 3, policy: pseudonyms)
        for number in 1...100 {
            book.observe(login(UInt64(number), "user\(number)@example.org"))
            book.observe(tick([(UInt64(number), UInt64(number), 5)]))
        }
        #expect(book.users.count == 4)
        #expect(book.users[0].name == "__other__")
        #expect(book.users[0].sessions == 97 && book.users[0].traffic.bytesIn == 97 * 5)
        #expect(book.omitted == 97)
    }

    @Test("show pseudonyms whatever the policy discloses, and nothing when nobody wants them")
    func privacy() {
        var policy = pseudonyms
        policy.identities = .clear
        var book = UserBook(limit: 3, policy: policy)
        book.observe(login(1, "alice@example.org"))
        #expect(book.users.allSatisfy { !$0.name.contains("alice") })
        var none = UserBook(limit: 0, policy: policy)
        none.observe(login(1, "alice@example.org"))
        none.observe(tick([(1, 1, 5)]))
        none.observe(closed(1, 1, 9))
        #expect(none.users.isEmpty && none.omitted == 0)
    }

    @Test("ignore what they know no session of, and counters that go back")
    func strangers() {
        var book = UserBook(limit: 3, policy: pseudonyms)
        book.observe(tick([(9, 1, 5)]))
        book.observe(closed(9, 1, 50))
        book.observe(login(1, "alice@example.org"))
        book.observe(tick([(1, 1, 50)]))
        book.observe(tick([(1, 1, 20)]))
        #expect(book.users.map(\.traffic.bytesIn) == [0, 50])
    }
}
