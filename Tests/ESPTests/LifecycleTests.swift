import Crypto
import Testing
import Vocabulary

@testable import ESP

@Suite("Child SAs come and go")
struct LifecycleTests {
    let up = udp(Pair.virtualAddress, Pair.server)
    let down = udp(Pair.server, Pair.virtualAddress)

    func sender(_ tunnels: Tunnels, _ inner: [UInt8]) -> ChildID? {
        guard case .transmit(_, _, let child) = tunnels.sealed(inner).outcome else { return nil }
        return child
    }

    @Test("a responder sends on the new one only when the peer has it")
    func rekeyAsResponder() throws {
        let pair = try Pair()
        let old = pair.client.sealed(up).packet
        try pair.install(ChildID(2), outbound: false)
        #expect(sender(pair.gateway, down) == ChildID(1))

        // A packet on the old one proves nothing; a forged one on the new one neither.
        #expect(pair.gateway.opened(old).inner == up)
        var forged = pair.client.sealed(up).packet
        let good = forged
        forged[20] ^= 1
        #expect(pair.gateway.opened(forged).outcome == .dropped(.integrity, session: Pair.session))
        #expect(sender(pair.gateway, down) == ChildID(1))

        #expect(pair.gateway.opened(good).inner == up)
        #expect(sender(pair.gateway, down) == ChildID(2))
        _ = pair.gateway.remove(ChildID(1))
        #expect(sender(pair.gateway, down) == ChildID(2))
    }

    @Test("or when it is told to")
    func activation() throws {
        let pair = try Pair(outbound: false)
        #expect(pair.gateway.sealed(down).outcome == .dropped(.noChildSA, session: nil))
        pair.gateway.activateOutbound(ChildID(7))
        #expect(sender(pair.gateway, down) == nil)
        pair.gateway.activateOutbound(ChildID(1))
        #expect(sender(pair.gateway, down) == ChildID(1))
    }

    @Test("the newest wins, a host before a network, and the older comes back")
    func precedence() throws {
        let pair = try Pair()
        let network = Selector(prefix: "10.9.0.0", length: 16)
        try pair.install(ChildID(2), outbound: true, remote: [network])
        #expect(sender(pair.gateway, down) == ChildID(1))
        #expect(sender(pair.gateway, udp(Pair.server, "10.9.0.77")) == ChildID(2))
        try pair.install(ChildID(3), outbound: true, remote: [network])
        #expect(sender(pair.gateway, udp(Pair.server, "10.9.0.77")) == ChildID(3))
        _ = pair.gateway.remove(ChildID(3))
        #expect(sender(pair.gateway, udp(Pair.server, "10.9.0.77")) == ChildID(2))
        _ = pair.gateway.remove(ChildID(1))
        #expect(sender(pair.gateway, down) == ChildID(2))
        _ = pair.gateway.remove(ChildID(2))
        #expect(sender(pair.gateway, down) == nil)
    }

    @Test("what is gone is gone")
    func removal() throws {
        let pair = try Pair()
        let packet = pair.client.sealed(up).packet
        #expect(pair.gateway.opened(packet).inner == up)
        let final = Traffic(bytesIn: UInt64(up.count), packetsIn: 1)
        #expect(pair.gateway.remove(ChildID(1)) == final)
        #expect(pair.gateway.remove(ChildID(1)) == Traffic())
        #expect(pair.gateway.traffic(of: ChildID(1)) == nil)
        #expect(pair.gateway.lastInbound(of: ChildID(1)) == nil)
        #expect(pair.gateway.opened(packet).outcome == .dropped(.unknownSPI, session: nil))
        #expect(pair.gateway.count == 0)
        #expect(pair.gateway.total == final)
    }

    @Test("the same number again replaces, and loses no count")
    func replacement() throws {
        let pair = try Pair()
        #expect(pair.gateway.opened(pair.client.sealed(up).packet).inner == up)
        let before = pair.gateway.total
        try pair.install(ChildID(1), outbound: true)
        #expect(pair.gateway.count == 1)
        #expect(pair.gateway.traffic(of: ChildID(1)) == Traffic())
        #expect(pair.gateway.total == before)
        #expect(pair.gateway.opened(pair.client.sealed(up).packet).inner == up)
    }

    @Test("the sequence ends, and no number comes twice")
    func exhaustion() throws {
        let random = SeededRandom(seed: 1)
        let tunnel = try Tunnel(
            ChildSA(
                session: Pair.session, child: ChildID(1), inboundSPI: 1, outboundSPI: 2,
                cipher: .aes128GCM16, inboundKey: SecretBytes(copying: random.bytes(20)),
                outboundKey: SecretBytes(copying: random.bytes(20)), localSelectors: [.anyIPv4],
                remoteSelectors: [.anyIPv4],
                path: Path(local: Pair.gatewayEnd, remote: Pair.clientEnd, encapsulated: true)),
            outbound: true)
        tunnel.sequence = .max - 1
        var buffer = [UInt8](repeating: 0, count: 16) + down + [UInt8](repeating: 0, count: 21)
        guard let inner = InnerPacket(down.span) else {
            Issue.record("the test's own packet is none")
            return
        }
        var span = buffer.mutableSpan
        guard case .transmit = tunnel.seal(&span, inner, from: 16) else {
            Issue.record("the last number was not used")
            return
        }
        #expect(Array(buffer[4..<8]) == [0xff, 0xff, 0xff, 0xff])
        var again = buffer.mutableSpan
        #expect(
            tunnel.seal(&again, inner, from: 16)
                == .dropped(.sequenceExhausted, session: Pair.session))
        #expect(tunnel.traffic.packetsOut == 1)
    }

    @Test("a flood of unknown SPIs is counted to the last packet, in bounded memory")
    func flood() throws {
        let tunnels = Tunnels()
        let packet = [UInt8](repeating: 1, count: 60)
        for source in 0..<1000 as Range<UInt32> {
            for _ in 0..<2 {
                let outcome = tunnels.opened(packet, from: Endpoint(.v4(source), 4500)).outcome
                #expect(outcome == .dropped(.unknownSPI, session: nil))
            }
        }
        let drops = tunnels.takeDrops()
        #expect(drops.count == DropLog.limit + 1)
        #expect(drops.reduce(0) { $0 + $1.count } == 2000)
        #expect(
            drops.filter { $0.source == nil }.map(\.count) == [2000 - 2 * UInt64(DropLog.limit)])
        #expect(drops.filter { $0.source != nil }.allSatisfy { $0.count == 2 })
        _ = tunnels.opened(packet, from: Endpoint(.v4(5000), 4500))
        #expect(tunnels.takeDrops().map(\.source) == [.v4(5000)])
    }

    /// Whatever happens to Child SAs and packets, the total is the sum of what was delivered.
    @Test("counts are conserved", arguments: 0..<4 as Range<UInt64>)
    func conservation(_ seed: UInt64) throws {
        let pair = try Pair()
        let random = SeededRandom(seed: seed)
        var delivered = Traffic()
        var newest: UInt64 = 1
        var last = Traffic()
        for _ in 0..<2000 {
            switch random.uint32() % 40 {
            case 0:
                newest += 1
                try pair.install(ChildID(newest), outbound: random.uint32() % 2 == 0)
            case 1 where newest > 1:
                let victim = ChildID(UInt64(random.uint32()) % newest)
                _ = pair.gateway.remove(victim)
            case 2...20:
                let inner = udp(
                    Pair.virtualAddress, Pair.server, payload: Int(random.uint32() % 99))
                var packet = pair.client.sealed(inner).packet
                if random.uint32() % 5 == 0 { packet[Int(random.uint32() % 50)] ^= 4 }
                if case .deliver(let range, _, _) = pair.gateway.opened(packet).outcome {
                    delivered += Traffic(bytesIn: UInt64(range.count), packetsIn: 1)
                }
            default:
                let inner = udp(
                    Pair.server, Pair.virtualAddress, payload: Int(random.uint32() % 99))
                if case .transmit = pair.gateway.sealed(inner).outcome {
                    delivered += Traffic(bytesOut: UInt64(inner.count), packetsOut: 1)
                }
            }
            let total = pair.gateway.total
            #expect(total.bytesIn >= last.bytesIn && total.bytesOut >= last.bytesOut)
            last = total
        }
        #expect(pair.gateway.total == delivered)
        #expect(delivered.packetsIn > 100 && delivered.packetsOut > 100)
        #expect(pair.gateway.samples().count == pair.gateway.count)
    }
}
