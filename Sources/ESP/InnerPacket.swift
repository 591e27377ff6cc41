import Vocabulary

/// What the selectors need to know of an IP packet.
struct InnerPacket {
    let source: IPAddress
    let destination: IPAddress
    /// Of the upper layer: what follows the extension headers.
    let protocolNumber: UInt8
    /// nil if the packet has none, or they are in an earlier fragment. Of ICMP both are the type
    /// and the code.
    let sourcePort: UInt16?
    let destinationPort: UInt16?
    /// Header included, in bytes. The buffer may hold more.
    let length: Int
    /// IPv6, or "don't fragment" is set.
    let mustNotBeFragmented: Bool

    /// - Returns: nil for what is no IP packet, or a truncated one.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 20 else { return nil }
        switch bytes[0] >> 4 {
        case 4: self.init(ipv4: bytes)
        case 6: self.init(ipv6: bytes)
        default: return nil
        }
    }

    private init?(ipv4 bytes: Span<UInt8>) {
        let headerLength = Int(bytes[0] & 15) * 4
        let length = Int(bytes.word16(at: 2))
        guard headerLength >= 20, length >= headerLength, length <= bytes.count else { return nil }
        source = .v4(bytes.word32(at: 12))
        destination = .v4(bytes.word32(at: 16))
        protocolNumber = bytes[9]
        mustNotBeFragmented = bytes[6] & 0x40 != 0
        self.length = length
        let isFirst = bytes.word16(at: 6) & 0x1fff == 0
        (sourcePort, destinationPort) =
            isFirst
            ? Self.ports(bytes.extracting(headerLength..<length), protocolNumber) : (nil, nil)
    }

    private init?(ipv6 bytes: Span<UInt8>) {
        guard bytes.count >= 40 else { return nil }
        let length = 40 + Int(bytes.word16(at: 4))
        guard length <= bytes.count else { return nil }
        source = .v6(high: bytes.word64(at: 8), low: bytes.word64(at: 16))
        destination = .v6(high: bytes.word64(at: 24), low: bytes.word64(at: 32))
        self.length = length
        mustNotBeFragmented = true
        var rest = bytes.extracting(40..<length)
        guard let upper = Self.upperLayer(&rest, after: bytes[6]) else { return nil }
        protocolNumber = upper.protocolNumber
        (sourcePort, destinationPort) =
            upper.isFirst ? Self.ports(rest, upper.protocolNumber) : (nil, nil)
    }

    /// Removes the extension headers (RFC 8200 §4) from the front of `rest`.
    ///
    /// - Returns: nil if one is truncated, or there are more than any stack sends.
    private static func upperLayer(
        _ rest: inout Span<UInt8>, after first: UInt8
    ) -> (protocolNumber: UInt8, isFirst: Bool)? {
        var header = first
        for _ in 0..<8 {
            let isFragment = header == 44
            guard isFragment || header == 0 || header == 43 || header == 60 else {
                return (header, true)
            }
            guard rest.count >= 8 else { return nil }
            let length = isFragment ? 8 : (Int(rest[1]) + 1) * 8
            guard rest.count >= length else { return nil }
            if isFragment, rest.word16(at: 2) & 0xfff8 != 0 { return (rest[0], false) }
            header = rest[0]
            rest = rest.extracting(droppingFirst: length)
        }
        return nil
    }

    private static func ports(
        _ payload: Span<UInt8>, _ protocolNumber: UInt8
    ) -> (source: UInt16?, destination: UInt16?) {
        switch protocolNumber {
        case 6, 17, 33, 132, 136:  // TCP, UDP, DCCP, SCTP, UDP-Lite
            guard payload.count >= 4 else { return (nil, nil) }
            return (payload.word16(at: 0), payload.word16(at: 2))
        case 1, 58:  // ICMP, ICMPv6
            guard payload.count >= 2 else { return (nil, nil) }
            return (payload.word16(at: 0), payload.word16(at: 0))
        default:
            return (nil, nil)
        }
    }
}

/// Big-endian reads. The caller has checked the length.
extension Span<UInt8> {
    func word16(at index: Int) -> UInt16 { UInt16(self[index]) << 8 | UInt16(self[index + 1]) }

    func word32(at index: Int) -> UInt32 {
        UInt32(word16(at: index)) << 16 | UInt32(word16(at: index + 2))
    }

    func word64(at index: Int) -> UInt64 {
        UInt64(word32(at: index)) << 32 | UInt64(word32(at: index + 4))
    }
}

extension MutableSpan<UInt8> {
    mutating func write(_ word: UInt32, at index: Int) {
        for offset in 0..<4 {
            self[index + offset] = UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * offset))
        }
    }
}
