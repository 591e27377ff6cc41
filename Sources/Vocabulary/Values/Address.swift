/// An IP address. IPv4-mapped IPv6 addresses are kept as IPv4.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// - Parameter bytes: 4 or 16, network order; anything else is nil.
    package init?(_ bytes: [UInt8]) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            let high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
            let low = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
            if high == 0, low >> 32 == 0xffff {
                self = .v4(UInt32(truncatingIfNeeded: low))
            } else {
                self = .v6(high: high, low: low)
            }
        default: return nil
        }
    }

    /// 4 or 16 bytes, network order.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let word): bigEndianBytes(word)
        case .v6(let high, let low): bigEndianBytes(high) + bigEndianBytes(low)
        }
    }

    package var isIPv4: Bool { if case .v4 = self { true } else { false } }

    /// Of the whole address.
    var bits: UInt64 { isIPv4 ? 32 : 128 }
    /// The address as a number, for comparisons within one family.
    package var number: UInt128 {
        switch self {
        case .v4(let word): UInt128(word)
        case .v6(let high, let low): UInt128(high) << 64 | UInt128(low)
        }
    }

    /// The address with a number; what exceeds its family is cut off.
    package init(number: UInt128, isIPv4: Bool) {
        self =
            isIPv4
            ? .v4(UInt32(truncatingIfNeeded: number))
            : .v6(
                high: UInt64(truncatingIfNeeded: number >> 64),
                low: UInt64(truncatingIfNeeded: number))
    }

    /// The network this address belongs to, host bits zero.
    package func prefix(_ length: Int) -> IPAddress {
        switch self {
        case .v4(let word):
            .v4(length <= 0 ? 0 : word & (UInt32.max << UInt32(32 - min(length, 32))))
        case .v6(let high, let low):
            .v6(
                high: length <= 0 ? 0 : high & (UInt64.max << UInt64(64 - min(length, 64))),
                low: length <= 64 ? 0 : low & (UInt64.max << UInt64(128 - min(length, 128))))
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted quad, or RFC 5952.
    package var description: String {
        switch self {
        case .v4: bytes.map { String($0) }.joined(separator: ".")
        case .v6: Self.rfc5952(bytes)
        }
    }

    private static func rfc5952(_ bytes: [UInt8]) -> String {
        let groups = stride(from: 0, to: 16, by: 2).map {
            UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count, end - start > 1 { best = start..<end }
            start = max(end, start + 1)
        }
        let hex = groups.map { String($0, radix: 16) }
        guard !best.isEmpty else { return hex.joined(separator: ":") }
        return hex[..<best.lowerBound].joined(separator: ":") + "::"
            + hex[best.upperBound...].joined(separator: ":")
    }
}

extension IPAddress: LosslessStringConvertible {
    package init?(_ text: String) {
        if let address = Self.parseIPv4(text[...]) {
            self = address
        } else if let bytes = Self.parseIPv6(text) {
            self.init(bytes)
        } else {
            return nil
        }
    }

    private static func parseIPv4(_ text: Substring) -> IPAddress? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var word: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count),
                part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.count == 1 || part.first != "0", let octet = UInt8(part)
            else { return nil }
            word = word << 8 | UInt32(octet)
        }
        return .v4(word)
    }

    private static func parseIPv6(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= 45, text.contains(":"), !text.contains(":::") else { return nil }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2, let head = groups(halves[0], atEnd: halves.count == 1),
            let tail = halves.count == 2 ? groups(halves[1], atEnd: true) : []
        else { return nil }
        let missing = 16 - head.count - tail.count
        guard halves.count == 2 ? missing >= 2 : missing == 0 else { return nil }
        return head + Array(repeating: 0, count: missing) + tail
    }

    /// - Parameter atEnd: of the address, where a dotted quad may stand for the last two groups.
    private static func groups(_ text: Substring, atEnd: Bool) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if atEnd, index == parts.count - 1, part.contains(".") {
                guard let address = parseIPv4(part) else { return nil }
                bytes += address.bytes
            } else {
                guard (1...4).contains(part.utf8.count), !part.hasPrefix("+"),
                    !part.hasPrefix("-"), let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 0xff)]
            }
        }
        return bytes
    }
}

/// An outer address, as a personal value.
extension IPAddress: PersonalValue {
    package static var purpose: Purpose { .address }
    package static var storage: Storage { .text }
    package var datum: Datum { .text(description) }
    package var canonicalBytes: [UInt8] { bytes }
    /// `/24`, or `/48`.
    package var generalised: Datum {
        .text("\(prefix(isIPv4 ? 24 : 48))/\(isIPv4 ? 24 : 48)")
    }
}

/// An inner address that a pool lends out; the same bytes, another purpose.
package struct VirtualAddress: PersonalValue {
    package let address: IPAddress
    package init(_ address: IPAddress) { self.address = address }

    package static var purpose: Purpose { .virtualAddress }
    package static var storage: Storage { .text }
    package var datum: Datum { address.datum }
    package var canonicalBytes: [UInt8] { address.bytes }
    package var generalised: Datum { address.generalised }
}

/// An address and a UDP port.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String {
        address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}

/// The two ends of a datagram, seen from here.
package struct Path: Hashable, Sendable {
    package var local: Endpoint
    package var remote: Endpoint
    /// On the NAT traversal port: IKE messages follow four zero bytes, and ESP packets have the
    /// port to themselves otherwise (RFC 3948 §2).
    package var encapsulated: Bool

    package init(local: Endpoint, remote: Endpoint, encapsulated: Bool) {
        self.local = local
        self.remote = remote
        self.encapsulated = encapsulated
    }
}
