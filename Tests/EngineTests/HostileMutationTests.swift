import Engine
import TestKit
import Testing
import Vocabulary

/// One real message of a session's life, on its way to the gateway.
enum Stage: CaseIterable, Sendable {
    case initiation, authentication, childRekey, ikeRekey, logout

    /// Brings a pair to the moment when the message is on the wire.
    func reach(_ pair: Pair) throws -> (handle: ConnectionHandle, message: [UInt8]) {
        let handle = try #require(pair.connect())
        if self != .initiation { pair.drive(for: .milliseconds(12)) }
        if self != .initiation, self != .authentication { pair.drive() }
        switch self {
        case .initiation, .authentication: break
        case .childRekey: pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        case .ikeRekey: pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        case .logout: pair.act { $0.disconnect(handle, at: $1, &$2) }
        }
        let last = try #require(pair.datagrams.last)
        try #require(last.fromClient)
        return (handle, last.bytes)
    }

    /// Logs out, if that has not been done, and holds what was recorded against one whole session.
    func expectOneGoodSession(_ pair: Pair, _ handle: ConnectionHandle) throws {
        pair.drive(for: .seconds(5))
        if self != .logout { pair.act { $0.disconnect(handle, at: $1, &$2) } }
        pair.drive(for: .seconds(300))
        #expect(pair.events(SessionEstablished.self).count == 1)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
        #expect(pair.events(ChildSARekeyed.self).count == (self == .childRekey ? 1 : 0))
        #expect(pair.events(IKESARekeyed.self).count == (self == .ikeRekey ? 1 : 0))
        #expect(pair.failures.isEmpty)
        #expect(pair.tick.sessions == 0)
        #expect(pair.tick.halfOpen == 0)
        #expect(pair.gateway.isIdle)
        #expect(pair.client.isIdle)
    }
}

@Suite("A session survives what an attacker makes of its messages")
struct HostileMutationTests {
    private func inject(_ bytes: [UInt8], _ stage: Stage, _ pair: Pair) {
        if stage == .initiation {
            // From elsewhere: the client believes what the gateway says to a forged request of its own.
            pair.inject(bytes)
        } else {
            pair.inject(bytes, from: Endpoint(Pair.clientAddress, 4500), port: 4500)
        }
    }

    @Test(
        "every truncation, before and after the genuine one", arguments: Stage.allCases,
        [true, false])
    func truncation(_ stage: Stage, _ patched: Bool) throws {
        let pair = Pair()
        let (handle, message) = try stage.reach(pair)
        let drops = pair.events(MessageDropped.self).count
        for round in 0..<2 {
            for count in 0..<message.count {
                var cut = Array(message.prefix(count))
                if patched, count >= 28 {
                    cut[26] = UInt8(count >> 8)
                    cut[27] = UInt8(count & 0xff)
                }
                inject(cut, stage, pair)
            }
            if round == 0 {
                let dropped = pair.events(MessageDropped.self).dropFirst(drops)
                #expect(dropped.count == message.count)
                #expect(dropped.allSatisfy { $0.reason.clear == .malformed })
                pair.drive(for: .milliseconds(100))
            }
        }
        try stage.expectOneGoodSession(pair, handle)
    }

    @Test(
        "every byte flipped, before and after the genuine one", arguments: Stage.allCases,
        [UInt8(0x01), 0x80, 0xff])
    func flips(_ stage: Stage, _ mask: UInt8) throws {
        var policy = EnginePolicy.example
        policy.halfOpenLimit = 2_000
        policy.defence.invalidMessages = .max
        let pair = Pair(policy)
        let (handle, message) = try stage.reach(pair)
        for round in 0..<2 {
            for offset in message.indices {
                var flipped = message
                flipped[offset] ^= mask
                let before = pair.events.count
                inject(flipped, stage, pair)
                guard round == 0, stage != .initiation else { continue }
                let caused = pair.events.dropFirst(before)
                let reasons = caused.compactMap { ($0 as? MessageDropped)?.reason.clear }
                #expect(caused.count == 1)
                #expect(
                    reasons == [expectedReason(offset, mask, message)],
                    "offset \(offset) of \(stage)")
            }
            pair.drive(for: .milliseconds(100))
        }
        try stage.expectOneGoodSession(pair, handle)
    }

    /// Which check is the first to see a protected request with one byte changed.
    private func expectedReason(_ offset: Int, _ mask: UInt8, _ message: [UInt8]) -> MessageDrop {
        switch offset {
        case 0..<16: .unknownSPI
        // Read as another payload, whose next, which is encrypted, is not there.
        case 16: .malformed
        case 17: mask == 0x01 ? .integrity : .unsupportedVersion
        case 19 where mask & 0x08 != 0: .unknownSPI
        case 20..<24: .messageID
        case 24..<28, 30, 31: .malformed
        default: .integrity
        }
    }

    @Test("the gateway's own messages, thrown back at it", arguments: Stage.allCases)
    func reflection(_ stage: Stage) throws {
        let pair = Pair()
        let (handle, _) = try stage.reach(pair)
        for _ in 0..<3 {
            for datagram in pair.datagrams where !datagram.fromClient {
                let before = pair.events.count
                let answers = pair.inject(
                    datagram.bytes, from: Endpoint(Pair.clientAddress, 4500), port: 4500)
                #expect(answers.isEmpty)
                #expect(pair.events.dropFirst(before).allSatisfy { $0 is MessageDropped })
            }
            pair.drive(for: .milliseconds(8))
        }
        try stage.expectOneGoodSession(pair, handle)
    }

    @Test("a late copy of IKE_SA_INIT begins nothing")
    func lateCopy() throws {
        let pair = Pair()
        let (handle, message) = try Stage.initiation.reach(pair)
        pair.drive()
        let before = pair.events.count
        #expect(pair.inject(message, from: Endpoint(Pair.clientAddress, 500)).isEmpty)
        #expect(pair.tick.halfOpen == 0)
        #expect(pair.events.dropFirst(before).map(\.kind) == ["message_dropped"])
        try Stage.initiation.expectOneGoodSession(pair, handle)
    }

    @Test("any 20,000 datagrams, and nothing is left of them")
    func random() throws {
        let pair = Pair()
        let (handle, _) = try Stage.logout.reach(pair)
        var dice = Dice(seed: 20_000)
        let real = pair.datagrams.map(\.bytes)
        for _ in 0..<20_000 {
            var bytes = (0..<dice.roll(100)).map { _ in UInt8(dice.roll(256)) }
            switch dice.roll(4) {
            case 0: bytes = Array(real[dice.roll(real.count)].prefix(28)) + bytes
            case 1:
                bytes = real[dice.roll(real.count)]
                for _ in 0...dice.roll(4) { bytes[dice.roll(bytes.count)] = UInt8(dice.roll(256)) }
            default: break
            }
            if bytes.count >= 28, dice.roll(2) == 0 {
                bytes[24] = 0
                bytes[25] = 0
                bytes[26] = UInt8(bytes.count >> 8)
                bytes[27] = UInt8(bytes.count & 0xff)
            }
            pair.inject(bytes, from: Endpoint(.v4(0xcb00_7100 | UInt32(dice.roll(256))), 500))
            #expect(pair.tick.halfOpen <= 1_000)
        }
        try Stage.logout.expectOneGoodSession(pair, handle)
    }
}
