import Vocabulary

// What fits through a tunnel, and what to tell a sender whose packet does not (RFC 4301 §8.2).

extension Tunnel {
    /// The longest inner packet whose ESP packet, in UDP, the path takes in one piece, in bytes.
    ///
    /// - Parameter pathMTU: of the outer packet, in bytes.
    func innerLimit(pathMTU: Int) -> Int {
        let outer = (path.remote.address.isIPv4 ? 20 : 40) + 8
        let body = pathMTU - outer - PacketLayout.headerLength - PacketLayout.tagLength
        return body - body % PacketLayout.alignment - PacketLayout.trailerLength
    }

    /// The limit that this packet exceeds; nil if it may pass. One that may be fragmented on its
    /// way passes: so may the packet around it. Every IPv6 path takes 1280 bytes (RFC 8200 §5).
    func limit(exceededBy packet: InnerPacket, pathMTU: Int) -> Int? {
        guard packet.mustNotBeFragmented else { return nil }
        let limit = innerLimit(pathMTU: pathMTU)
        let binding = packet.source.isIPv4 ? limit : max(limit, 1_280)
        return packet.length > binding ? binding : nil
    }
}

/// The ICMP error that tells the sender of a packet how long one may be: "fragmentation needed"
/// (RFC 792, RFC 1191) or "packet too big" (RFC 4443 §3.2). It comes from whom the packet was for.
///
/// - Parameters:
///   - packet: a whole IP packet, or more bytes than that.
///   - limit: in bytes.
/// - Returns: a whole IP packet; nil for what must not be answered: ICMP errors, fragments after
///   the first, packets from or to no single host (RFC 1122 §3.2.2, RFC 4443 §2.4).
package func packetTooBig(_ packet: Span<UInt8>, limit: Int) -> [UInt8]? {
    guard let inner = InnerPacket(packet), inner.source.isUnicast, inner.destination.isUnicast
    else { return nil }
    if inner.protocolNumber == 1 || inner.protocolNumber == 58 {
        guard let type = inner.sourcePort.map({ $0 >> 8 }) else { return nil }
        let isError =
            inner.source.isIPv4 ? [3, 4, 5, 11, 12].contains(type) : type < 128
        guard !isError else { return nil }
    }
    let quoted = packet.extracting(0..<inner.length)
    return inner.source.isIPv4
        ? fragmentationNeeded(quoted, inner, limit) : packetTooBig6(quoted, inner, limit)
}

private func fragmentationNeeded(
    _ quoted: Span<UInt8>, _ inner: InnerPacket, _ limit: Int
) -> [UInt8]? {
    guard quoted.word16(at: 6) & 0x1fff == 0 else { return nil }
    // As much as a packet of 576 bytes takes (RFC 1812 §4.3.2.3).
    var message: [UInt8] = [3, 4, 0, 0, 0, 0]
    message.append(word: UInt16(clamping: limit))
    message.append(quoted.extracting(0..<min(quoted.count, 548)))
    message.set(checksum(message), at: 2)
    var answer: [UInt8] = [0x45, 0]
    answer.append(word: UInt16(20 + message.count))
    answer += [0, 0, 0, 0, 64, 1, 0, 0] + inner.destination.bytes + inner.source.bytes
    answer.set(checksum(answer), at: 10)
    return answer + message
}

private func packetTooBig6(
    _ quoted: Span<UInt8>, _ inner: InnerPacket, _ limit: Int
) -> [UInt8]? {
    // As much as a packet of 1280 bytes takes (RFC 4443 §3.2).
    var message: [UInt8] = [2, 0, 0, 0, 0, 0]
    message.append(word: UInt16(clamping: limit))
    message.append(quoted.extracting(0..<min(quoted.count, 1_232)))
    var header: [UInt8] = [0x60, 0, 0, 0]
    header.append(word: UInt16(message.count))
    header += [58, 64] + inner.destination.bytes + inner.source.bytes
    var pseudoHeader = inner.destination.bytes + inner.source.bytes + [0, 0]
    pseudoHeader.append(word: UInt16(message.count))
    pseudoHeader += [0, 0, 0, 58]
    message.set(checksum(pseudoHeader + message), at: 2)
    return header + message
}

/// RFC 1071.
private func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt64 = 0
    for (index, byte) in bytes.enumerated() {
        sum += UInt64(byte) << (index % 2 == 0 ? 8 : 0)
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return ~UInt16(truncatingIfNeeded: sum)
}

extension [UInt8] {
    fileprivate mutating func append(word: UInt16) {
        append(UInt8(word >> 8))
        append(UInt8(word & 0xff))
    }

    fileprivate mutating func append(_ bytes: Span<UInt8>) {
        for index in bytes.indices { append(bytes[index]) }
    }

    fileprivate mutating func set(_ word: UInt16, at index: Int) {
        self[index] = UInt8(word >> 8)
        self[index + 1] = UInt8(word & 0xff)
    }
}

extension IPAddress {
    /// Neither the unspecified address, nor a multicast group, nor IPv4's class E with broadcast.
    fileprivate var isUnicast: Bool {
        switch self {
        case .v4(let word): word >> 24 != 0 && word >> 28 < 14
        case .v6(let high, let low): high >> 56 != 0xff && (high, low) != (0, 0)
        }
    }
}
