/// What a packet is (RFC 2865 §4, RFC 2866 §4, RFC 5997 §4).
package struct Code: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let accessRequest = Self(rawValue: 1)
    package static let accessAccept = Self(rawValue: 2)
    package static let accessReject = Self(rawValue: 3)
    package static let accountingRequest = Self(rawValue: 4)
    package static let accountingResponse = Self(rawValue: 5)
    package static let accessChallenge = Self(rawValue: 11)
    package static let statusServer = Self(rawValue: 12)
}

/// Why bytes are no packet, or a packet has no bytes.
package enum PacketError: Error, Hashable {
    /// Shorter than its head, or than it says.
    case truncated
    /// It says that it is shorter than 20 or longer than 4,096 bytes (RFC 2865 §3).
    case length(Int)
    /// An attribute is shorter than its own head, or goes on behind the packet's end.
    case attribute(at: Int)
    /// An attribute has more than 253 bytes, or all of them together are too long.
    case tooLong
}

/// A RADIUS packet (RFC 2865 §3).
package struct Packet: Hashable, Sendable {
    package static let headLength = 20
    package static let longest = 4_096

    package var code: Code
    /// Tells which request an answer belongs to.
    package var identifier: UInt8
    /// 16 bytes.
    package var authenticator: [UInt8]
    package var attributes: [Attribute]

    package static let zeroAuthenticator = [UInt8](repeating: 0, count: 16)

    package init(
        _ code: Code, identifier: UInt8, authenticator: [UInt8] = zeroAuthenticator,
        attributes: [Attribute]
    ) {
        self.code = code
        self.identifier = identifier
        self.authenticator = authenticator
        self.attributes = attributes
    }

    /// Reads a datagram. Bytes behind the packet's own length are padding, and ignored.
    ///
    /// - Throws: ``PacketError``.
    package init(parsing bytes: [UInt8]) throws(PacketError) {
        guard bytes.count >= Self.headLength else { throw .truncated }
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        guard (Self.headLength...Self.longest).contains(length) else { throw .length(length) }
        guard length <= bytes.count else { throw .truncated }
        code = Code(rawValue: bytes[0])
        identifier = bytes[1]
        authenticator = Array(bytes[4..<20])
        attributes = []
        var place = Self.headLength
        while place < length {
            guard length - place >= 2 else { throw .attribute(at: place) }
            let size = Int(bytes[place + 1])
            guard size >= 2, size <= length - place else { throw .attribute(at: place) }
            attributes.append(
                Attribute(
                    AttributeType(rawValue: bytes[place]),
                    Array(bytes[(place + 2)..<(place + size)])))
            place += size
        }
    }

    /// As it goes on the wire.
    ///
    /// - Throws: ``PacketError/tooLong``.
    package func bytes() throws(PacketError) -> [UInt8] {
        var bytes = [code.rawValue, identifier, 0, 0]
        guard authenticator.count == 16 else { throw .truncated }
        bytes += authenticator
        for attribute in attributes {
            guard let length = UInt8(exactly: attribute.value.count + 2) else { throw .tooLong }
            bytes.append(attribute.type.rawValue)
            bytes.append(length)
            bytes += attribute.value
        }
        guard bytes.count <= Self.longest else { throw .tooLong }
        bytes[2] = UInt8(bytes.count >> 8)
        bytes[3] = UInt8(bytes.count & 0xff)
        return bytes
    }
}
