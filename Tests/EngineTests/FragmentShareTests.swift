import Engine
import TestKit
import Testing
import Vocabulary
import Wire

/// What strangers hold of messages that never become whole is nobody else's loss: a key exchange is
/// all that it takes to send fragments (RFC 7383).
@Suite("Fragments of strangers")
struct FragmentShareTests {
    private func peer(_ pair: Pair, _ seed: UInt64) throws -> RawClient {
        let peer = RawClient(pair, seed: seed)
        #expect(try peer.initiate(extra: [.notify(NotifyPayload(.fragmentationSupported))]))
        return peer
    }

    /// Sends parts 1 to 8 of 9, of 8,000 bytes each.
    private func hoard(_ peer: RawClient) throws {
        for number: UInt16 in 1...8 {
            let datagram = try peer.seal(
                Array(repeating: 0, count: 8_000), Fragment(number: number, total: 9),
                first: number == 1 ? .identificationInitiator : .none, as: .ikeAuth)
            peer.pair.inject(datagram, from: peer.source, port: 4500)
        }
    }

    /// Sends one of two parts of an IKE_AUTH.
    private func send(_ number: UInt16, of contents: [UInt8], by peer: RawClient) throws {
        let half = contents.count / 2
        let datagram = try peer.seal(
            Array(number == 1 ? contents.prefix(half) : contents.dropFirst(half)),
            Fragment(number: number, total: 2),
            first: number == 1 ? .identificationInitiator : .none, as: .ikeAuth)
        peer.pair.inject(datagram, from: peer.source, port: 4500)
    }

    private func drops(_ pair: Pair) -> [MessageDropped] { pair.events(MessageDropped.self) }

    @Test("give way to those of a user that is logged in")
    func proven() throws {
        var policy = EnginePolicy.example
        policy.reassemblyLimit = 200_000
        let pair = Pair(policy)
        let user = try peer(pair, 1)
        _ = try user.ask(try user.authPayloads(), as: .ikeAuth)
        #expect(pair.tick.sessions == 1)
        for seed in 2...9 as ClosedRange<UInt64> { try hoard(peer(pair, seed)) }
        // A long request, in parts that need more than the half that strangers leave.
        let notify = NotifyPayload(
            NotifyPayload.Kind(rawValue: 40_960), data: Array(repeating: 0, count: 60_000))
        let contents = Message.contents([.notify(notify)])
        var answers = 0
        for index in 0..<8 {
            let start = index * 8_000
            let datagram = try user.seal(
                Array(contents[start..<min(start + 8_000, contents.count)]),
                Fragment(number: UInt16(index + 1), total: 8),
                first: index == 0 ? .notify : .none, as: .informational)
            answers += pair.inject(datagram, from: user.source, port: 4500).count
        }
        #expect(answers == 1)
        #expect(drops(pair).allSatisfy { $0.reason.clear == .fragmentLimit })
        #expect(drops(pair).allSatisfy { $0.proof.clear == .keyExchange })
        // Two have given way to the third and so on; the user took nobody's place who fits beside.
        #expect(drops(pair).count == 7)
    }

    @Test("of one source give way to each other, and not those of another")
    func source() throws {
        let pair = Pair()
        let honest = try peer(pair, 1)
        let contents = Message.contents(try honest.authPayloads())
        try send(1, of: contents, by: honest)
        // Of one address, by the last byte of their seeds: more than it may hold.
        for seed in stride(from: 2, through: 2 + 256 * 7, by: 256) as StrideThrough<UInt64> {
            try hoard(peer(pair, seed))
        }
        #expect(drops(pair).map(\.reason.clear) == Array(repeating: .fragmentLimit, count: 4))
        try send(2, of: contents, by: honest)
        #expect(pair.tick.sessions == 1)
        pair.drive(for: .seconds(60))
        #expect(pair.tick.halfOpen == 0)
    }
}
