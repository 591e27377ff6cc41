import Crypto
import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

@Suite("Fragmentation")
struct FragmentTests {
    static var policy: EnginePolicy {
        var policy = EnginePolicy.example
        policy.fragmentSize = 200
        return policy
    }

    static var client: ClientPolicy {
        var policy = ClientPolicy.example
        policy.supportsFragmentation = true
        return policy
    }

    @Test("brings a login through a path that takes short datagrams only")
    func login() throws {
        let pair = Pair(Self.policy)
        let handle = try #require(pair.connect(Self.client))
        // IKE_SA_INIT can't be cut (RFC 7383 §2.3).
        pair.drive(for: .milliseconds(8))
        pair.network.longest = 200 - 32
        pair.drive()
        #expect(pair.virtualAddress != nil)
        #expect(pair.datagrams.dropFirst(2).count >= 4)
        #expect(pair.datagrams.dropFirst(2).allSatisfy { $0.bytes.count <= 168 })
        #expect(pair.tick.fragmentsReceived > 1)
        #expect(pair.tick.fragmentsSent > 1)
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.events(IKESARekeyed.self).count == 1)
        pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
        pair.drive(for: .seconds(30))
        #expect(pair.events(IKESARekeyed.self).count == 2, "the next SA can do it as well")
    }

    @Test("is not done to a peer that does not ask for it")
    func notNegotiated() throws {
        let pair = Pair(Self.policy)
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.datagrams.count == 4)
        #expect(pair.virtualAddress != nil)
    }

    @Test(
        "works whatever one datagram suffers", arguments: LossTests.Mishap.allCases, 2..<10)
    func mishap(_ mishap: LossTests.Mishap, _ index: Int) throws {
        let pair = Pair(Self.policy)
        switch mishap {
        case .lost: pair.network.lost = [index]
        case .doubled: pair.network.doubled = [index]
        case .late: pair.network.late = [index]
        }
        let handle = try #require(pair.connect(Self.client))
        pair.drive(for: .seconds(10))
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.events(SessionEstablished.self).count == 1)
        #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
        #expect(pair.gateway.isIdle)
    }
}

/// Fragments that no honest peer sends. None may cost more than their bounds.
@Suite("Hostile fragments")
struct HostileFragmentTests {
    let pair: Pair
    let peer: RawClient
    let contents: [UInt8]

    init() throws {
        var policy = EnginePolicy.example
        policy.reassemblyLimit = 200_000
        pair = Pair(policy)
        peer = RawClient(pair)
        #expect(try peer.initiate(extra: [.notify(NotifyPayload(.fragmentationSupported))]))
        contents = Message.contents(try peer.authPayloads())
    }

    /// Sends a part of IKE_AUTH, as number `number` of `total`.
    ///
    /// - Parameter part: nil for what belongs there.
    func send(_ number: UInt16, of total: UInt16, _ part: [UInt8]? = nil) throws {
        let size = (contents.count + Int(total) - 1) / max(Int(total), 1)
        let start = min(max(Int(number) - 1, 0) * size, contents.count)
        let own = Array(contents[start..<min(start + size, contents.count)])
        let datagram = try peer.seal(
            part ?? own, Fragment(number: number, total: total),
            first: number == 1 ? .identificationInitiator : .none, as: .ikeAuth)
        pair.inject(datagram, from: peer.source, port: 4500)
    }

    var drops: [MessageDrop] { pair.events(MessageDropped.self).map(\.reason.clear) }
    var hasSession: Bool { pair.tick.sessions == 1 }

    @Test("in any order, and twice, are one message")
    func order() throws {
        for number: UInt16 in [3, 1, 3, 4] { try send(number, of: 4) }
        #expect(drops == [.fragment])
        #expect(!hasSession)
        try send(2, of: 4)
        #expect(hasSession)
    }

    @Test("of a message that was answered bring the answer once")
    func retransmitted() throws {
        let datagrams = try (1...2).map { number in
            try peer.seal(
                Array(number == 1 ? contents.prefix(100) : contents.dropFirst(100)),
                Fragment(number: UInt16(number), total: 2),
                first: number == 1 ? .identificationInitiator : .none, as: .ikeAuth)
        }
        var answers = 0
        for datagram in datagrams + datagrams {
            answers += pair.inject(datagram, from: peer.source, port: 4500).count
        }
        #expect(answers == 2)
        #expect(drops.isEmpty)
        #expect(pair.events(SessionEstablished.self).count == 1)
    }

    @Test("of a message that was answered, cut anew, bring the answer once (RFC 7383 §2.6.1)")
    func cutAnew() throws {
        for number: UInt16 in [1, 2] { try send(number, of: 2) }
        #expect(hasSession)
        let before = pair.datagrams.count
        for number: UInt16 in [1, 2, 3] { try send(number, of: 3) }
        #expect(pair.datagrams.count == before + 1)
        #expect(drops.isEmpty)
        // A forged one brings nothing.
        var forged = try peer.seal(
            contents, Fragment(number: 1, total: 4), first: .identificationInitiator, as: .ikeAuth)
        forged[forged.count - 1] ^= 1
        pair.inject(forged, from: peer.source, port: 4500)
        #expect(pair.datagrams.count == before + 1)
        #expect(drops == [.messageID])
    }

    @Test("number 0, or above the total, are malformed")
    func numbers() throws {
        try send(0, of: 2)
        try send(3, of: 2)
        #expect(drops == [.malformed, .malformed])
    }

    @Test("cut smaller begin anew, cut larger are ignored")
    func total() throws {
        try send(1, of: 2)
        for number: UInt16 in [1, 2] { try send(number, of: 3) }
        try send(2, of: 2)
        #expect(drops == [.fragment])
        try send(3, of: 3)
        #expect(hasSession)
    }

    @Test("too many, or too long together, are not kept")
    func limits() throws {
        try send(1, of: 129)
        #expect(drops == [.fragmentLimit])
        let part = [UInt8](repeating: 0, count: 8_000)
        for number: UInt16 in 1...8 { try send(number, of: 9, part) }
        #expect(drops == [.fragmentLimit])
        try send(9, of: 9, part)
        #expect(drops == [.fragmentLimit, .fragmentLimit])

        // All strangers have half of the room, and the oldest of them gives way.
        let other = RawClient(pair, seed: 2)
        #expect(try other.initiate(extra: [.notify(NotifyPayload(.fragmentationSupported))]))
        for number: UInt16 in 1...8 {
            let datagram = try other.seal(
                part, Fragment(number: number, total: 9), first: .none, as: .ikeAuth)
            pair.inject(datagram, from: other.source, port: 4500)
        }
        #expect(drops == [.fragmentLimit, .fragmentLimit, .fragmentLimit])
        try send(1, of: 2)
        try send(2, of: 2)
        #expect(hasSession)
        let session = try #require(pair.session)
        pair.actAtGateway { _ = $0.terminate(session, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.gateway.isIdle)
    }

    @Test("without the others are forgotten in time")
    func neverWhole() throws {
        try send(1, of: 2)
        pair.drive(for: .seconds(16))
        #expect(drops == [.fragmentTimeout])
        try send(2, of: 2)
        #expect(!hasSession)
        try send(1, of: 2)
        #expect(hasSession)
    }

    @Test("are not taken from who has not said that it sends them")
    func notNegotiated() throws {
        let other = RawClient(pair, seed: 3)
        #expect(try other.initiate())
        let datagram = try other.seal(
            contents, Fragment(number: 1, total: 1), first: .identificationInitiator, as: .ikeAuth)
        pair.inject(datagram, from: other.source, port: 4500)
        #expect(drops == [.unexpectedMessage])
    }

    @Test("that are forged change nothing")
    func forged() throws {
        try send(1, of: 2)
        var datagram = try peer.seal(
            [1, 2, 3], Fragment(number: 2, total: 2), first: .none, as: .ikeAuth)
        datagram[datagram.count - 1] ^= 1
        pair.inject(datagram, from: peer.source, port: 4500)
        #expect(drops == [.integrity])
        try send(2, of: 2)
        #expect(hasSession)
    }
}
