/// Configuration payload: what the peer's inner interface is to be (RFC 7296 §3.15).
package struct ConfigurationPayload: Payload {
    package enum Kind: UInt8, Sendable {
        case request = 1, reply, set, acknowledge
    }

    package struct Attribute: Hashable, Sendable {
        /// 15 bits of IANA's "IKEv2 Configuration Payload Attribute Types".
        package struct Kind: RawRepresentable, Hashable, Sendable {
            package let rawValue: UInt16
            package init(rawValue: UInt16) { self.rawValue = rawValue }

            package static let ip4Address = Self(rawValue: 1)
            package static let ip4Netmask = Self(rawValue: 2)
            package static let ip4DNS = Self(rawValue: 3)
            package static let ip6Address = Self(rawValue: 8)
            package static let ip6DNS = Self(rawValue: 10)
        }

        package let kind: Kind
        /// Empty in a request means "any".
        package let value: [UInt8]

        package init(_ kind: Kind, _ value: [UInt8] = []) {
            self.kind = kind
            self.value = value
        }
    }

    package let kind: Kind
    package let attributes: [Attribute]

    static let limit = 64

    package init(_ kind: Kind, _ attributes: [Attribute]) {
        self.kind = kind
        self.attributes = attributes
    }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        let number: UInt8 = try body.take()
        guard let kind = Kind(rawValue: number) else {
            throw .illegal(.configurationType, value: UInt64(number))
        }
        _ = try body.take(bytes: 3)
        var attributes: [Attribute] = []
        while !body.isEmpty {
            guard attributes.count < Self.limit else { throw .tooMany(.attributes) }
            let type: UInt16 = try body.take()
            let length: UInt16 = try body.take()
            attributes.append(
                Attribute(
                    Attribute.Kind(rawValue: type & 0x7fff), try body.take(bytes: Int(length))))
        }
        self.kind = kind
        self.attributes = attributes
    }

    package func write(to output: inout [UInt8]) {
        output.put(kind.rawValue)
        output += [0, 0, 0]
        for attribute in attributes {
            output.put(attribute.kind.rawValue & 0x7fff)
            output.put(UInt16(truncatingIfNeeded: attribute.value.count))
            output += attribute.value
        }
    }
}
