import Testing
import Vocabulary

@testable import RADIUS

@Suite("RADIUS accounting")
struct AccountingTests {
    static let offset: Int64 = 1_795_000_000_000_000_000

    private func at(_ seconds: Double) -> Instant {
        Instant(nanoseconds: UInt64(seconds * 1e9))
    }

    private func number(_ record: AccountingRecord?, _ type: AttributeType) -> UInt32? {
        record?.content.first { $0.type == type }?.number
    }

    private func text(_ record: AccountingRecord?, _ type: AttributeType) -> String? {
        record?.content.first { $0.type == type }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    private func book(limit: Int = 10) -> Accounting {
        Accounting(nasIdentifier: "gw.lab", interim: .seconds(60), limit: limit)
    }

    private func tick(_ child: UInt64, _ traffic: Traffic) -> Tick {
        var tick = Tick()
        tick.children = [
            ChildSample(session: .example, child: ChildID(child), traffic: traffic)
        ]
        return tick
    }

    @Test("names the session, the user, the address and the gateway in each record")
    func person() {
        var book = book()
        let start = book.observe(SessionEstablished.example, at: at(1), wallOffset: Self.offset)
        let interim = book.observe(tick(1, Traffic()), at: at(61), wallOffset: Self.offset).first
        let stop = book.observe(SessionClosed.example, at: at(90), wallOffset: Self.offset)
        #expect([start, interim, stop].map { $0?.status } == [.start, .interim, .stop])
        for record in [start, interim, stop] {
            #expect(text(record, .sessionID) == SessionID.example.description)
            #expect(text(record, .userName) == "alice@example.org")
            #expect(number(record, .framedIPAddress) == 0x0a58_0001)
            #expect(text(record, .nasIdentifier) == "gw.lab")
            #expect(number(record, .statusType) == record.map { UInt32($0.status.rawValue) })
            #expect(record.map { "\($0)" }?.contains("alice") == false)
        }
        #expect(number(start, .eventTimestamp) == 1_795_000_001)
        #expect(number(start, .inputOctets) == nil)
        #expect(book.sessions == 0)
    }

    @Test("tells how long a record has waited")
    func delay() throws {
        var book = book()
        let start = book.observe(SessionEstablished.example, at: at(1), wallOffset: 0)
        let record = try #require(start)
        func delay(_ seconds: Double) -> UInt32? {
            record.attributes(at: at(seconds)).last.flatMap(\.number)
        }
        #expect([1, 1.9, 2, 60].map(delay) == [0, 0, 1, 59])
    }

    @Test("sums up Child SAs that came and went, and each byte once")
    func totals() {
        var book = book()
        _ = book.observe(SessionEstablished.example, at: at(0), wallOffset: 0)
        #expect(book.observe(tick(1, Traffic(bytesIn: 5)), at: at(59), wallOffset: 0).isEmpty)
        // Closed after it was sampled: its last counters are what count.
        _ = book.observe(
            ChildSAClosed(
                session: .example, child: ChildID(1), reason: .rekeyed,
                total: Traffic(bytesIn: 7, packetsIn: 1, bytesOut: 1 << 33 + 3, packetsOut: 2)),
            at: at(60), wallOffset: 0)
        let interim = book.observe(
            tick(2, Traffic(bytesIn: 100, packetsIn: 10, bytesOut: 4, packetsOut: 20)), at: at(61),
            wallOffset: 0
        ).first
        #expect(number(interim, .inputOctets) == 107)
        #expect(number(interim, .inputGigawords) == 0)
        #expect(number(interim, .outputGigawords) == UInt32((1 << 33 + 3) >> 32 as Int))
        #expect(number(interim, .inputPackets) == 11)
        #expect(number(interim, .outputPackets) == 22)
        #expect(number(interim, .sessionTime) == 61)
        // The next one a minute later, not before.
        #expect(book.observe(tick(2, Traffic()), at: at(120), wallOffset: 0).isEmpty)
        #expect(book.observe(tick(2, Traffic()), at: at(121), wallOffset: 0).count == 1)
    }

    @Test("has a Stop with the session's own totals, gigawords and all")
    func stop() {
        var book = book()
        _ = book.observe(SessionEstablished.example, at: at(0), wallOffset: 0)
        let stop = book.observe(
            SessionClosed(
                session: .example, reason: .peerDead, durationMilliseconds: 3_600_999,
                total: Traffic(
                    bytesIn: 5 << 32 | 17, packetsIn: 8, bytesOut: 3, packetsOut: 1 << 32 | 4)),
            at: at(10), wallOffset: 0)
        #expect(number(stop, .inputGigawords) == 5 && number(stop, .inputOctets) == 17)
        #expect(number(stop, .outputOctets) == 3 && number(stop, .outputPackets) == 4)
        #expect(number(stop, .sessionTime) == 3_600)
        #expect(number(stop, .terminateCause) == 2)
    }

    @Test("knows a cause for every end", arguments: SessionEnd.allCases)
    func causes(_ end: SessionEnd) {
        #expect((1...18).contains(TerminateCause(end).rawValue))
    }

    @Test("follows as many sessions as it may, and counts the others")
    func bounded() {
        var book = book(limit: 2)
        for number in 0..<5 {
            var event = SessionEstablished.example
            event.session = Public(SessionID(high: 1, low: UInt64(number)))
            let record = book.observe(event, at: at(0), wallOffset: 0)
            #expect((record != nil) == (number < 2))
        }
        #expect(book.refused == 3 && book.sessions == 2)
        // One that it does not know has no Stop.
        let stop = book.observe(SessionClosed.example, at: at(1), wallOffset: 0)
        #expect(stop?.status == nil)
        #expect(book.observe(tick(1, Traffic()), at: at(61), wallOffset: 0).count == 2)
    }
}
