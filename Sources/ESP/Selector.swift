package import Vocabulary

/// A range of addresses, ports and protocols that a Child SA takes: one traffic selector
/// (RFC 7296 §3.13.1).
package struct Selector: Hashable, Sendable {
    /// 0 is any.
    package let protocolNumber: UInt8
    /// Of ICMP the type and the code: `type << 8 | code` (RFC 4301 §4.4.1.1).
    package let ports: ClosedRange<UInt16>
    /// Of the same family as ``last``, and not above it.
    package let first: IPAddress
    package let last: IPAddress

    package static let anyPort: ClosedRange<UInt16> = 0...UInt16.max
    package static let anyIPv4 = Selector(prefix: .v4(0), length: 0)
    package static let anyIPv6 = Selector(prefix: .v6(high: 0, low: 0), length: 0)

    /// - Returns: nil if the addresses are of two families, or in the wrong order.
    package init?(
        protocolNumber: UInt8 = 0, ports: ClosedRange<UInt16> = anyPort, first: IPAddress,
        last: IPAddress
    ) {
        guard first.isIPv4 == last.isIPv4, first.number <= last.number else { return nil }
        self.protocolNumber = protocolNumber
        self.ports = ports
        self.first = first
        self.last = last
    }

    /// A network, any protocol and port. A host has the length 32 or 128.
    ///
    /// - Parameter length: of the prefix in bits; too small or large a value is the nearest one.
    package init(prefix: IPAddress, length: Int) {
        protocolNumber = 0
        ports = Self.anyPort
        first = prefix.prefix(length)
        last = IPAddress(
            number: first.number | ~prefix.networkMask(length), isIPv4: prefix.isIPv4)
    }

    /// - Parameters:
    ///   - protocol: of the upper layer.
    ///   - port: nil if the packet has none, as fragments after the first: such a packet is only in
    ///     selectors with all ports (RFC 4301 §7).
    package func contains(address: IPAddress, protocol number: UInt8, port: UInt16?) -> Bool {
        guard address.isIPv4 == first.isIPv4, protocolNumber == 0 || protocolNumber == number
        else { return false }
        guard ports == Self.anyPort || port.map(ports.contains) == true else { return false }
        return first.number <= address.number && address.number <= last.number
    }

    /// What both take; nil if nothing. For narrowing (RFC 7296 §2.9).
    package func intersection(_ other: Selector) -> Selector? {
        guard first.isIPv4 == other.first.isIPv4,
            protocolNumber == other.protocolNumber || protocolNumber == 0
                || other.protocolNumber == 0,
            ports.overlaps(other.ports)
        else { return nil }
        return Selector(
            protocolNumber: max(protocolNumber, other.protocolNumber),
            ports: ports.clamped(to: other.ports),
            first: first.number < other.first.number ? other.first : first,
            last: last.number < other.last.number ? last : other.last)
    }

    /// The one address that this takes, if it is one.
    var host: IPAddress? { first == last ? first : nil }
}

extension Selector: CustomStringConvertible {
    /// `10.0.0.0/24`, or `10.0.0.1-10.0.0.9` for what is no network; `[17/53]` follows for one
    /// protocol and port, `[6]` for a protocol.
    package var description: String {
        let addresses = prefixLength.map { "\(first)/\($0)" } ?? "\(first)-\(last)"
        guard ports != Self.anyPort else {
            return protocolNumber == 0 ? addresses : "\(addresses)[\(protocolNumber)]"
        }
        let range =
            ports.count == 1
            ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
        return "\(addresses)[\(protocolNumber)/\(range)]"
    }

    /// nil if the range is no network.
    private var prefixLength: Int? {
        let width = first.isIPv4 ? 32 : 128
        let length = width - (UInt128.bitWidth - (first.number ^ last.number).leadingZeroBitCount)
        let network = Selector(prefix: first, length: length)
        return network.first == first && network.last == last ? length : nil
    }
}

extension IPAddress {
    /// One bits where a network of this family and length has its prefix, and above it.
    fileprivate func networkMask(_ length: Int) -> UInt128 {
        let width = isIPv4 ? 32 : 128
        return UInt128.max << UInt128(width - min(max(length, 0), width))
    }
}
