/// Turns an IP packet into the answer to it, in place.
enum EchoAnswer {
    /// - Parameter packet: a whole packet; its length field is checked against it.
    /// - Returns: false if it has no answer: not an ICMP echo request and not UDP, a fragment, with
    ///   IPv6 extension headers, damaged, or to or from no single address. `packet` is then garbage.
    static func turn(_ packet: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard let version = packet.first.map({ $0 >> 4 }) else { return false }
        switch version {
        case 4: return turnIPv4(packet)
        case 6: return turnIPv6(packet)
        default: return false
        }
    }

    /// RFC 791, RFC 792, RFC 768.
    private static func turnIPv4(_ packet: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard packet.count >= 20 else { return false }
        let header = Int(packet[0] & 15) * 4
        guard header >= 20, packet.word(at: 2) == packet.count, header <= packet.count,
            packet.word(at: 6) & 0x3fff == 0,  // neither more fragments nor an offset
            packet.sum(0..<header) == 0xffff, packet[12] < 224, packet[16] < 224
        else { return false }
        let body = header..<packet.count
        packet.swap(12, 16, count: 4)
        packet[8] = 64
        packet.putChecksum(at: 10, over: 0..<header)
        switch packet[9] {
        case 1:
            return turnICMP(packet, body, request: 8, reply: 0, pseudoHeader: 0)
        case 17:
            return turnUDP(
                packet, body, pseudoHeader: packet.sum(12..<20) + 17 + body.count,
                mayLackChecksum: true)
        default: return false
        }
    }

    /// RFC 8200, RFC 4443, RFC 768.
    private static func turnIPv6(_ packet: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard packet.count >= 40, packet.word(at: 4) == packet.count - 40,
            packet[8] != 0xff, packet[24] != 0xff
        else { return false }
        let body = 40..<packet.count
        packet.swap(8, 24, count: 16)
        packet[7] = 64
        let pseudoHeader = packet.sum(8..<40) + Int(packet[6]) + body.count
        switch packet[6] {
        case 58:
            return turnICMP(packet, body, request: 128, reply: 129, pseudoHeader: pseudoHeader)
        case 17:
            return turnUDP(packet, body, pseudoHeader: pseudoHeader, mayLackChecksum: false)
        default: return false
        }
    }

    private static func turnICMP(
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ body: Range<Int>, request: UInt8,
        reply: UInt8, pseudoHeader: Int
    ) -> Bool {
        let start = body.lowerBound
        guard body.count >= 8, packet[start] == request, packet[start + 1] == 0,
            packet.sum(body, from: pseudoHeader) == 0xffff
        else { return false }
        packet[start] = reply
        packet.putChecksum(at: start + 2, over: body, from: pseudoHeader)
        return true
    }

    private static func turnUDP(
        _ packet: UnsafeMutableBufferPointer<UInt8>, _ body: Range<Int>, pseudoHeader: Int,
        mayLackChecksum: Bool
    ) -> Bool {
        let start = body.lowerBound
        guard body.count >= 8, packet.word(at: start + 4) == body.count else { return false }
        let lacksChecksum = packet.word(at: start + 6) == 0
        guard lacksChecksum ? mayLackChecksum : packet.sum(body, from: pseudoHeader) == 0xffff
        else { return false }
        // Swapping words changes no sum of words: the checksum stays right.
        packet.swap(start, start + 2, count: 2)
        return true
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    fileprivate func word(at offset: Int) -> Int {
        Int(self[offset]) << 8 | Int(self[offset + 1])
    }

    fileprivate func swap(_ left: Int, _ right: Int, count: Int) {
        for index in 0..<count { swapAt(left + index, right + index) }
    }

    /// The ones' complement sum of big-endian words, folded to 16 bits (RFC 1071). An odd last byte
    /// is padded with zero. At most a few thousand words, so nothing overflows.
    fileprivate func sum(_ range: Range<Int>, from start: Int = 0) -> Int {
        var total = start
        var index = range.lowerBound
        while index + 1 < range.upperBound {
            total += word(at: index)
            index += 2
        }
        if index < range.upperBound { total += Int(self[index]) << 8 }
        while total > 0xffff { total = total & 0xffff + total >> 16 }
        return total
    }

    fileprivate func putChecksum(at offset: Int, over range: Range<Int>, from start: Int = 0) {
        self[offset] = 0
        self[offset + 1] = 0
        let checksum = ~sum(range, from: start) & 0xffff
        self[offset] = UInt8(checksum >> 8)
        self[offset + 1] = UInt8(checksum & 0xff)
    }
}
