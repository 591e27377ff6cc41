package import Vocabulary

/// A network: `10.99.0.0/24`. Host bits are zero.
package struct AddressPrefix: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let length: Int

    package static let anyIPv4 = Self(address: .v4(0), length: 0)
    package static let anyIPv6 = Self(address: .v6(high: 0, low: 0), length: 0)

    package var description: String { "\(address)/\(length)" }

    /// Reads `address/length`, or an address alone as itself.
    init(_ text: String) throws(Refusal) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else {
            throw Refusal("\(quoted(text)) is not a network")
        }
        let width = address.isIPv4 ? 32 : 128
        let length = parts.count == 2 ? decimal(parts[1]) : width
        guard let length, length <= width else {
            throw Refusal("\(quoted(text)) needs a prefix length from 0 to \(width)")
        }
        guard address.prefix(length) == address else {
            let network = "\(address.prefix(length))/\(length)"
            throw Refusal("\(quoted(text)) has host bits set; did you mean \"\(network)\"?")
        }
        self.init(address: address, length: length)
    }

    package init(address: IPAddress, length: Int) {
        self.address = address.prefix(length)
        self.length = length
    }

    var last: IPAddress {
        switch address {
        case .v4(let word): .v4(length >= 32 ? word : word | UInt32.max >> UInt32(max(length, 0)))
        case .v6(let high, let low):
            .v6(
                high: length >= 64 ? high : high | UInt64.max >> UInt64(max(length, 0)),
                low: length >= 128 ? low : low | UInt64.max >> UInt64(max(length - 64, 0)))
        }
    }
}

/// The addresses of a pool, both ends included, of one family.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    package let first: IPAddress
    package let last: IPAddress

    /// At most ``limit``.
    package var count: UInt64 { distance(from: first, to: last).map { $0 + 1 } ?? 0 }

    /// Addresses in one pool.
    package static let limit: UInt64 = 1 << 20

    package var description: String { "\(first)-\(last)" }

    package func contains(_ address: IPAddress) -> Bool {
        distance(from: first, to: address) != nil && distance(from: address, to: last) != nil
    }

    package func overlaps(_ other: AddressRange) -> Bool {
        contains(other.first) || other.contains(first)
    }

    /// Reads `first-last`, or a network, whose first and last addresses (network and broadcast)
    /// are left out if it has more than two.
    init(_ text: String) throws(Refusal) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        if ends.count == 2, let first = IPAddress(ends[0]), let last = IPAddress(ends[1]) {
            (self.first, self.last) = (first, last)
        } else {
            let network = try AddressPrefix(text)
            let last = network.last
            let isTiny = distance(from: network.address, to: last).map { $0 < 2 } ?? false
            first = isTiny ? network.address : shifted(network.address, up: true)
            self.last = isTiny || !last.isIPv4 ? last : shifted(last, up: false)
        }
        guard first.isIPv4 == last.isIPv4 else {
            throw Refusal("\(quoted(text)) mixes IPv4 and IPv6")
        }
        guard let distance = distance(from: first, to: last) else {
            throw Refusal("\(quoted(text)) ends before it begins")
        }
        guard distance < Self.limit else {
            throw Refusal("\(quoted(text)) has more than \(Self.limit) addresses")
        }
    }
}

/// How far `last` is above `first`, saturating; nil if it is below or of another family.
private func distance(from first: IPAddress, to last: IPAddress) -> UInt64? {
    guard first.isIPv4 == last.isIPv4, first.number <= last.number else { return nil }
    return UInt64(clamping: last.number - first.number)
}

/// The next address up or down.
private func shifted(_ address: IPAddress, up: Bool) -> IPAddress {
    IPAddress(number: up ? address.number &+ 1 : address.number &- 1, isIPv4: address.isIPv4)
}

extension Kind where Value == IPAddress {
    static var address: Self {
        Self("an IP address such as 192.0.2.1", optional: { IPAddress($0) })
    }
}

extension Kind where Value == AddressPrefix {
    static var prefix: Self {
        Self("a network such as 10.99.0.0/24") { (text: String) throws(Refusal) in
            try AddressPrefix(text)
        }
    }
}

extension Kind where Value == AddressRange {
    static var range: Self {
        Self("addresses such as 10.88.0.0/24 or 10.88.0.10-10.88.0.99") {
            (text: String) throws(Refusal) in try AddressRange(text)
        }
    }
}
