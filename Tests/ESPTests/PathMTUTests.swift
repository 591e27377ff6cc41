import ESP
import Testing
import Vocabulary

@Suite("A packet that is too long for its tunnel")
struct PathMTUTests {
    /// Of IPv4 with "don't fragment".
    static func packet(_ length: Int, dontFragment: Bool = true) -> [UInt8] {
        var packet = udp(Pair.server, Pair.virtualAddress, payload: length - 28)
        packet[6] = dontFragment ? 0x40 : 0
        return packet
    }

    func seal(_ packet: [UInt8], by tunnels: Tunnels) -> Sealed {
        var buffer =
            [UInt8](repeating: 0, count: Tunnels.headroom) + packet
            + [UInt8](repeating: 0, count: Tunnels.tailroom)
        var span = buffer.mutableSpan
        return tunnels.seal(
            &span, inner: Tunnels.headroom..<(Tunnels.headroom + packet.count),
            at: Instant(nanoseconds: 0))
    }

    func icmp(for packet: [UInt8], limit: Int) -> [UInt8]? {
        packetTooBig(packet.span, limit: limit)
    }

    @Test("fills the path to the last byte, and no further", arguments: [576, 1_280, 1_492, 1_500])
    func limit(_ mtu: Int) throws {
        let pair = try Pair()
        pair.gateway.pathMTU = mtu
        guard case .tooBig(let limit) = seal(Self.packet(mtu), by: pair.gateway) else {
            Issue.record("it does not fit")
            return
        }
        guard case .transmit(let range, _, _) = seal(Self.packet(limit), by: pair.gateway) else {
            Issue.record("the limit itself fits")
            return
        }
        #expect((mtu - 3...mtu).contains(range.count + 28))
        guard case .tooBig = seal(Self.packet(limit + 1), by: pair.gateway) else {
            Issue.record("one byte more does not")
            return
        }
        #expect(pair.gateway.takeDrops().map(\.reason) == [.tooBig])
    }

    @Test("passes if it may be fragmented")
    func fragmentable() throws {
        let pair = try Pair()
        pair.gateway.pathMTU = 576
        guard case .transmit = seal(Self.packet(1_400, dontFragment: false), by: pair.gateway)
        else {
            Issue.record("outer fragments carry it")
            return
        }
    }

    @Test("is answered with the limit, by IPv4")
    func fragmentationNeeded() throws {
        let packet = Self.packet(1_400)
        let answer = try #require(icmp(for: packet, limit: 1_234))
        #expect(answer.count == 576)
        #expect(Array(answer[12..<16]) == Pair.virtualAddress.bytes)
        #expect(Array(answer[16..<20]) == Pair.server.bytes)
        #expect(Array(answer[20..<22]) == [3, 4])
        #expect(Array(answer[26..<28]) == [1_234 >> 8, 1_234 & 0xff])
        #expect(Array(answer[28...]) == Array(packet.prefix(548)))
        #expect(sum(answer.prefix(20)) == 0xffff)
        #expect(sum(answer.dropFirst(20)) == 0xffff)
    }

    @Test("is answered with the limit, by IPv6")
    func packetTooBig6() throws {
        let (from, to): (IPAddress, IPAddress) = ("fd99::1", "fd88::1")
        let packet = ipv6(from, to, nextHeader: 17, [UInt8](repeating: 3, count: 1_400))
        let answer = try #require(icmp(for: packet, limit: 1_280))
        #expect(answer.count == 1_280)
        #expect(Array(answer[8..<40]) == to.bytes + from.bytes)
        #expect(Array(answer[40..<42]) == [2, 0])
        #expect(Array(answer[44..<48]) == [0, 0, 5, 0])
        let length = answer.count - 40
        let pseudo =
            to.bytes + from.bytes + [0, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 58]
        #expect(sum(pseudo + answer.dropFirst(40)) == 0xffff)
    }

    @Test("is not answered where an answer could breed answers")
    func unanswered() {
        var error = udp(Pair.server, Pair.virtualAddress, ports: (0x0304, 0), protocolNumber: 1)
        #expect(icmp(for: error, limit: 600) == nil)
        error[20] = 8
        #expect(icmp(for: error, limit: 600) != nil)
        var fragment = Self.packet(100)
        fragment[7] = 1
        #expect(icmp(for: fragment, limit: 600) == nil)
        #expect(icmp(for: udp("224.0.0.1", Pair.virtualAddress), limit: 600) == nil)
        #expect(icmp(for: udp(Pair.server, "255.255.255.255"), limit: 600) == nil)
        let error6 = ipv6("fd99::1", "fd88::1", nextHeader: 58, [2, 0, 0, 0, 0, 0, 5, 0])
        #expect(icmp(for: error6, limit: 1_280) == nil)
        #expect(icmp(for: [0x45, 0, 0], limit: 600) == nil)
    }

    /// Of the ones' complement (RFC 1071): 0xffff if the checksum in it is right.
    private func sum(_ bytes: some Collection<UInt8>) -> Int {
        var sum = 0
        for (index, byte) in bytes.enumerated() { sum += Int(byte) << (index % 2 == 0 ? 8 : 0) }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return sum
    }
}
