import Crypto
import ESP
import Testing
import Vocabulary

@Suite("Tunnels")
struct TunnelsTests {
    let up = udp(Pair.virtualAddress, Pair.server)
    let down = udp(Pair.server, Pair.virtualAddress)

    @Test("carry packets of every length both ways", arguments: Cipher.allCases)
    func bothWays(_ cipher: Cipher) throws {
        let pair = try Pair(cipher)
        var sent = Traffic()
        for payload in 0..<70 {
            let inner = udp(Pair.virtualAddress, Pair.server, payload: payload)
            let esp = pair.client.sealed(inner)
            #expect(
                (esp.packet.count - 8 - cipher.ivLength - cipher.tagLength)
                    % max(4, cipher.blockLength) == 0)
            #expect(esp.packet.count - inner.count <= Tunnels.headroom + Tunnels.tailroom)
            #expect(pair.gateway.opened(esp.packet).inner == inner)

            let answer = udp(Pair.server, Pair.virtualAddress, payload: payload + 100)
            #expect(pair.client.opened(pair.gateway.sealed(answer).packet).inner == answer)
            sent += Traffic(
                bytesIn: UInt64(inner.count), packetsIn: 1, bytesOut: UInt64(answer.count),
                packetsOut: 1)
        }
        let mirrored = Traffic(
            bytesIn: sent.bytesOut, packetsIn: sent.packetsOut, bytesOut: sent.bytesIn,
            packetsOut: sent.packetsIn)
        #expect(pair.gateway.traffic(of: ChildID(1)) == sent)
        #expect(pair.client.traffic(of: ChildID(1)) == mirrored)
        #expect(pair.gateway.takeDrops().isEmpty && pair.client.takeDrops().isEmpty)
    }

    @Test("tell where to send")
    func transmit() throws {
        let pair = try Pair()
        let path = Path(local: Pair.gatewayEnd, remote: Pair.clientEnd, encapsulated: true)
        let (packet, outcome) = pair.gateway.sealed(down)
        let start = Tunnels.headroom - 16
        let range = start..<(start + packet.count)
        #expect(outcome == .transmit(packet: range, path: path, child: ChildID(1)))
        #expect(Array(packet.prefix(16)) == [UInt8](hex: "0badca01 00000001 0000000000000001"))
        #expect(pair.gateway.sealed(down).packet[7] == 2)
    }

    @Test("of two networks may have the same inner address")
    func networks() throws {
        let pair = try Pair()
        try pair.install(ChildID(2), outbound: true, network: 1)
        for (child, network) in [(ChildID(1), 0), (ChildID(2), 1)] {
            guard case .transmit(_, _, child) = pair.gateway.sealed(down, from: network).outcome
            else {
                Issue.record("network \(network) sends by another Child SA")
                continue
            }
            #expect(pair.gateway.network(of: child) == network)
        }
        #expect(
            pair.gateway.sealed(down, from: 2).outcome == .dropped(.noChildSA, session: nil))
        _ = pair.gateway.remove(ChildID(2))
        #expect(
            pair.gateway.sealed(down, from: 1).outcome == .dropped(.noChildSA, session: nil))
        #expect(!pair.gateway.sealed(down).packet.isEmpty)
    }

    @Test("trim what follows the inner packet")
    func trims() throws {
        let pair = try Pair()
        let esp = pair.client.sealed(up + [9, 9, 9, 9, 9, 9, 9])
        #expect(esp.packet.count == pair.client.sealed(up).packet.count)
        #expect(pair.gateway.opened(esp.packet).inner == up)
    }

    @Test("deliver each packet once, in any order")
    func replay() throws {
        let pair = try Pair()
        let packets = (0..<50).map { _ in pair.client.sealed(up).packet }
        for packet in packets.reversed() { #expect(pair.gateway.opened(packet).inner == up) }
        for packet in packets {
            #expect(pair.gateway.opened(packet).outcome == .dropped(.replay, session: Pair.session))
        }
        #expect(pair.gateway.traffic(of: ChildID(1))?.packetsIn == 50)
        #expect(
            pair.gateway.takeDrops() == [
                DropCount(
                    reason: .replay, session: Pair.session, source: Pair.clientEnd.address,
                    count: 50)
            ])
        #expect(pair.gateway.takeDrops().isEmpty)
    }

    @Test("a forged number does not move the window")
    func forgedNumber() throws {
        let pair = try Pair()
        let good = pair.client.sealed(up).packet
        var forged = good
        forged.replaceSubrange(4..<8, with: [0xff, 0xff, 0xff, 0xff])
        #expect(pair.gateway.opened(forged).outcome == .dropped(.integrity, session: Pair.session))
        #expect(pair.gateway.lastInbound(of: ChildID(1)) == nil)
        #expect(pair.gateway.opened(good, at: 7).inner == up)
        #expect(pair.gateway.lastInbound(of: ChildID(1)) == Instant(nanoseconds: 7))
    }

    @Test("every byte counts")
    func tampering() throws {
        let pair = try Pair()
        _ = pair.client.sealed(up)
        let good = pair.client.sealed(up).packet  // number 2: no bit makes it 0
        for index in good.indices {
            var packet = good
            packet[index] ^= 0x01
            let expected: Opened =
                index < 4
                ? .dropped(.unknownSPI, session: nil) : .dropped(.integrity, session: Pair.session)
            #expect(pair.gateway.opened(packet).outcome == expected, "byte \(index)")
        }
        #expect(pair.gateway.total == Traffic())
        #expect(pair.gateway.opened(good).inner == up)
    }

    @Test("no truncation traps, none is delivered")
    func truncation() throws {
        let pair = try Pair()
        let good = pair.client.sealed(up).packet
        for length in 0..<good.count {
            let outcome = pair.gateway.opened(Array(good[..<length])).outcome
            let expected: Opened =
                length < 34
                ? .dropped(.malformed, session: nil) : .dropped(.integrity, session: Pair.session)
            #expect(outcome == expected, "\(length) bytes")
        }
        #expect(
            pair.gateway.opened(good + [0]).outcome == .dropped(.integrity, session: Pair.session))
    }

    @Test("refuse inner packets outside the selectors, and count them not as traffic")
    func selectors() throws {
        let pair = try Pair(local: [Selector(prefix: "192.168.0.0", length: 16)])
        for inner in [
            udp("10.9.0.2", Pair.server), udp(Pair.server, Pair.virtualAddress),
            udp(Pair.virtualAddress, "192.169.0.1"),
            ipv6("2001:db8::1", "2001:db8::2", nextHeader: 59, []),
        ] {
            let esp = pair.client.sealed(inner).packet
            #expect(pair.gateway.opened(esp).outcome == .dropped(.selector, session: Pair.session))
        }
        #expect(pair.gateway.total == Traffic())
        #expect(pair.gateway.opened(pair.client.sealed(up).packet).inner == up)
    }

    @Test("refuse ports and protocols outside the selectors, both ways")
    func ports() throws {
        let dns = try #require(
            Selector(protocolNumber: 17, ports: 53...53, first: Pair.server, last: Pair.server))
        let pair = try Pair(local: [dns])
        let query = udp(Pair.virtualAddress, Pair.server, ports: (4000, 53))
        #expect(pair.gateway.opened(pair.client.sealed(query).packet).inner == query)
        #expect(
            pair.gateway.opened(pair.client.sealed(up).packet).outcome
                == .dropped(.selector, session: Pair.session))
        let answer = udp(Pair.server, Pair.virtualAddress, ports: (53, 4000))
        #expect(pair.client.opened(pair.gateway.sealed(answer).packet).inner == answer)
        #expect(pair.gateway.sealed(down).outcome == .dropped(.noChildSA, session: nil))
    }

    @Test("have no Child SA for strangers, and no mercy on malformed packets")
    func noChildSA() throws {
        let pair = try Pair()
        #expect(
            pair.gateway.sealed(udp(Pair.server, "10.9.0.2")).outcome
                == .dropped(.noChildSA, session: nil))
        #expect(
            pair.gateway.sealed([0x45, 1, 2]).outcome == .dropped(.malformed, session: nil))
        #expect(
            Set(pair.gateway.takeDrops()) == [
                DropCount(reason: .noChildSA, session: nil, source: nil, count: 1),
                DropCount(reason: .malformed, session: nil, source: nil, count: 1),
            ])
    }

    @Test("know IPv6 inside")
    func ipv6Inside() throws {
        let host: IPAddress = "2001:db8::9"
        let pair = try Pair(local: [.anyIPv6], remote: [Selector(prefix: host, length: 128)])
        let inner = ipv6(host, "2001:db8:1::1", nextHeader: 58, [128, 0, 0, 0, 0, 1, 0, 1])
        #expect(pair.gateway.opened(pair.client.sealed(inner).packet).inner == inner)
        let answer = ipv6("2001:db8:1::1", host, nextHeader: 58, [129, 0, 0, 0, 0, 1, 0, 1])
        #expect(pair.client.opened(pair.gateway.sealed(answer).packet).inner == answer)
    }

    @Test("tell of a peer that moved, from its newest packet only")
    func moved() throws {
        let pair = try Pair()
        let packets = (0..<4).map { _ in pair.client.sealed(up).packet }
        let elsewhere = Endpoint("203.0.113.5", 999)
        func moved(_ index: Int, _ from: Endpoint) -> Endpoint? {
            guard
                case .deliver(_, _, let moved) = pair.gateway.opened(packets[index], from: from)
                    .outcome
            else { return nil }
            return moved
        }
        #expect(moved(1, Pair.clientEnd) == nil)
        #expect(moved(0, elsewhere) == nil)
        #expect(moved(2, elsewhere) == elsewhere)

        let path = Path(local: Pair.gatewayEnd, remote: elsewhere, encapsulated: true)
        pair.gateway.move(ChildID(1), to: path)
        #expect(moved(3, elsewhere) == nil)
        guard case .transmit(_, let used, _) = pair.gateway.sealed(down).outcome else {
            Issue.record("nothing sent")
            return
        }
        #expect(used == path)
    }
}
