import Testing
import Vocabulary

@testable import ESP

@Suite("Packets that come before their Child SA")
struct EarlyPacketTests {
    /// Ours of the Child SA 2, as ``Pair`` has it.
    let spi = UInt32(0xc0ff_ee02)

    /// A pair, and packets that its client sends by a Child SA 2 that the gateway does not have.
    private func early(_ count: Int, payload: Int = 5) throws -> (Pair, [[UInt8]], [[UInt8]]) {
        let pair = try Pair()
        try pair.install(ChildID(2), outbound: true)
        let inner = (0..<count).map {
            udp(Pair.virtualAddress, Pair.server, ports: (UInt16($0), 7), payload: payload)
        }
        let packets = inner.map { pair.client.sealed($0).packet }
        _ = pair.gateway.remove(ChildID(2))
        return (pair, inner, packets)
    }

    private func outcomes(_ pair: Pair, _ packets: [[UInt8]]) -> [Opened] {
        packets.map { pair.gateway.opened($0).outcome }
    }

    @Test("are kept while it is expected, and come through in their order when it is in place")
    func inOrder() throws {
        let (pair, inner, packets) = try early(10)
        pair.gateway.expect(spi, of: Pair.session)
        #expect(outcomes(pair, packets).allSatisfy { $0 == .early })
        #expect(pair.gateway.takeEarly().isEmpty)
        try pair.install(ChildID(2), outbound: false)
        let ready = pair.gateway.takeEarly()
        #expect(ready.map(\.remote) == packets.map { _ in Pair.clientEnd })
        #expect(ready.map { pair.gateway.opened($0.bytes).inner } == inner)
        #expect(pair.gateway.traffic(of: ChildID(2))?.packetsIn == 10)
        #expect(pair.gateway.takeDrops().isEmpty)
        #expect(pair.gateway.expectsNothing && pair.gateway.earlyPackets == 10)
        // What comes twice is still a replay.
        #expect(
            outcomes(pair, packets).allSatisfy { $0 == .dropped(.replay, session: Pair.session) })
    }

    @Test("are of an unknown SPI when it is not expected, not any more, or another is")
    func unexpected() throws {
        let (pair, _, packets) = try early(2)
        let unknown = Opened.dropped(.unknownSPI, session: nil)
        #expect(outcomes(pair, packets) == [unknown, unknown])
        pair.gateway.expect(spi + 1, of: Pair.session)
        #expect(outcomes(pair, packets) == [unknown, unknown])
        pair.gateway.giveUp(spi + 1)
        pair.gateway.expect(spi, of: Pair.session)
        pair.gateway.giveUp(spi)
        #expect(outcomes(pair, packets) == [unknown, unknown])
        #expect(pair.gateway.expectsNothing && pair.gateway.earlyPackets == 0)
    }

    @Test("are dropped with a reason when it is not agreed on")
    func refused() throws {
        let (pair, _, packets) = try early(3)
        pair.gateway.expect(spi, of: Pair.session)
        _ = outcomes(pair, packets)
        pair.gateway.giveUp(spi)
        #expect(
            pair.gateway.takeDrops() == [
                DropCount(
                    reason: .earlyRefused, session: Pair.session, source: Pair.clientEnd.address,
                    count: 3)
            ])
        try pair.install(ChildID(2), outbound: false)
        #expect(pair.gateway.takeEarly().isEmpty && pair.gateway.expectsNothing)
    }

    @Test("are no more than a limit for each", arguments: [(5, 64), (1_400, 64), (4_000, 24)])
    func limit(_ payload: Int, _ kept: Int) throws {
        let (pair, inner, packets) = try early(70, payload: payload)
        pair.gateway.expect(spi, of: Pair.session)
        let refused = Opened.dropped(.earlyLimit, session: Pair.session)
        #expect(
            outcomes(pair, packets)
                == (0..<70).map { $0 < kept ? .early : refused })
        #expect(pair.gateway.takeDrops().map(\.count) == [UInt64(70 - kept)])
        try pair.install(ChildID(2), outbound: false)
        let ready = pair.gateway.takeEarly().map { pair.gateway.opened($0.bytes).inner }
        #expect(ready == Array(inner.prefix(kept)))
    }

    @Test("are no more than a limit in all, until they are taken")
    func limitInAll() {
        var early = EarlyPackets()
        let small = [UInt8](repeating: 1, count: 40)
        for spi in 0..<64 as Range<UInt32> {
            early.expect(spi, of: Pair.session)
            for _ in 0..<64 { #expect(early.hold(small.span, spi, from: Pair.clientEnd) == .held) }
        }
        early.expect(99, of: Pair.session)
        let full = EarlyPackets.Fate.tooMany(Pair.session)
        #expect(early.hold(small.span, 99, from: Pair.clientEnd) == full)
        early.release(0)
        #expect(early.hold(small.span, 99, from: Pair.clientEnd) == full)
        #expect(early.take().count == 64)
        #expect(early.hold(small.span, 99, from: Pair.clientEnd) == .held)
        #expect(early.held == 64 * 64 + 1)
        for spi in 0..<100 as Range<UInt32> { _ = early.giveUp(spi) }
        #expect(early.isEmpty)
    }
}
