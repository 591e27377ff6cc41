package import Vocabulary

/// What an attribute says: RFC 2865 §5, RFC 2866 §5, RFC 2869 §5, RFC 6911 §3.1.
package struct AttributeType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let userName = Self(rawValue: 1)
    package static let serviceType = Self(rawValue: 6)
    package static let framedIPAddress = Self(rawValue: 8)
    package static let nasIdentifier = Self(rawValue: 32)
    package static let statusType = Self(rawValue: 40)
    package static let delayTime = Self(rawValue: 41)
    package static let inputOctets = Self(rawValue: 42)
    package static let outputOctets = Self(rawValue: 43)
    package static let sessionID = Self(rawValue: 44)
    package static let authentic = Self(rawValue: 45)
    package static let sessionTime = Self(rawValue: 46)
    package static let inputPackets = Self(rawValue: 47)
    package static let outputPackets = Self(rawValue: 48)
    package static let terminateCause = Self(rawValue: 49)
    package static let inputGigawords = Self(rawValue: 52)
    package static let outputGigawords = Self(rawValue: 53)
    package static let eventTimestamp = Self(rawValue: 55)
    package static let nasPortType = Self(rawValue: 61)
    package static let messageAuthenticator = Self(rawValue: 80)
    package static let framedIPv6Address = Self(rawValue: 168)
}

/// One attribute of a packet. Its value may be personal: nothing prints it.
package struct Attribute: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    package static let longest = 253

    package let type: AttributeType
    package let value: [UInt8]

    package init(_ type: AttributeType, _ value: [UInt8]) {
        self.type = type
        self.value = value
    }

    /// An integer of 32 bits; what is larger becomes the largest.
    package init(_ type: AttributeType, _ number: UInt64) {
        let word = UInt32(clamping: number)
        self.init(type, (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) })
    }

    /// Text; cut to what an attribute can hold, between two characters.
    package init(_ type: AttributeType, text: String) {
        var bytes = Array(text.utf8)
        if bytes.count > Self.longest {
            var end = Self.longest
            while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
            bytes.removeSubrange(end...)
        }
        self.init(type, bytes)
    }

    /// Framed-IP-Address, or Framed-IPv6-Address (RFC 6911).
    package init(address: IPAddress) {
        self.init(address.isIPv4 ? .framedIPAddress : .framedIPv6Address, address.bytes)
    }

    /// Its value as an integer of 32 bits; nil if it has none.
    package var number: UInt32? {
        value.count == 4 ? value.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    package var description: String { "‹attribute \(type.rawValue), \(value.count) bytes›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
