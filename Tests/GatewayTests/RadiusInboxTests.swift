import Testing
import Vocabulary

@testable import Gateway

@Suite("RADIUS accounting's inbox")
struct RadiusInboxTests {
    private let now = Instant(nanoseconds: 1)

    @Test("wakes its reader once, keeps the order, and holds few ticks")
    func order() {
        let inbox = RadiusInbox()
        #expect(inbox.put(.event(SessionEstablished.example, now)))
        for _ in 0..<10 { #expect(!inbox.put(.tick(Tick(), now))) }
        #expect(!inbox.put(.event(SessionClosed.example, now)))
        let (facts, lost, isOver) = inbox.take()
        let kinds = facts.map { fact -> String in
            switch fact {
            case .event(let event, _): event.kind
            case .tick: "tick"
            }
        }
        #expect(kinds == ["session_established", "tick", "tick", "session_closed"])
        // A tick that is left out is no loss: the next one has all of it.
        #expect(lost == 0 && !isOver)
        #expect(inbox.put(.tick(Tick(), now)))
    }

    @Test("counts what it has no room for, and remembers that it is over")
    func bounded() {
        let inbox = RadiusInbox()
        for _ in 0..<(RadiusInbox.limit + 5) {
            _ = inbox.put(.event(SessionClosed.example, now))
        }
        inbox.askToStop()
        let first = inbox.take()
        #expect(first.facts.count == RadiusInbox.limit && first.lost == 5 && first.isOver)
        let second = inbox.take()
        #expect(second.facts.isEmpty && second.lost == 0 && second.isOver)
    }
}
