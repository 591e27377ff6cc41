/// What kind of algorithm a transform names (RFC 7296 §3.3.2).
package struct TransformType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let encryption = Self(rawValue: 1)
    package static let prf = Self(rawValue: 2)
    package static let integrity = Self(rawValue: 3)
    package static let keyExchange = Self(rawValue: 4)
    package static let extendedSequenceNumbers = Self(rawValue: 5)
}

/// Numbers of IANA's "Internet Key Exchange Version 2 (IKEv2) Parameters".
package enum TransformID {
    // Encryption.
    package static let des: UInt16 = 2
    package static let tripleDES: UInt16 = 3
    package static let null: UInt16 = 11
    package static let aesCBC: UInt16 = 12
    package static let aesCTR: UInt16 = 13
    package static let aesCCM16: UInt16 = 16
    package static let aesGCM16: UInt16 = 20
    package static let chacha20Poly1305: UInt16 = 28
    // PRF.
    package static let prfHMACMD5: UInt16 = 1
    package static let prfHMACSHA1: UInt16 = 2
    package static let prfHMACSHA256: UInt16 = 5
    package static let prfHMACSHA384: UInt16 = 6
    package static let prfHMACSHA512: UInt16 = 7
    // Integrity.
    package static let hmacMD5: UInt16 = 1
    package static let hmacSHA1: UInt16 = 2
    package static let hmacSHA256: UInt16 = 12
    package static let hmacSHA384: UInt16 = 13
    package static let hmacSHA512: UInt16 = 14
    // Key exchange.
    package static let modp768: UInt16 = 1
    package static let modp1024: UInt16 = 2
    package static let modp1536: UInt16 = 5
    package static let modp2048: UInt16 = 14
    package static let modp3072: UInt16 = 15
    package static let modp4096: UInt16 = 16
    package static let p256: UInt16 = 19
    package static let p384: UInt16 = 20
    package static let p521: UInt16 = 21
    /// The three groups of RFC 5114, whose primes nobody can explain (RFC 8247 §2.4).
    package static let modp1024s160: UInt16 = 22
    package static let modp2048s224: UInt16 = 23
    package static let modp2048s256: UInt16 = 24
    package static let x25519: UInt16 = 31
    package static let x448: UInt16 = 32
    /// No Diffie-Hellman; no integrity; no extended sequence numbers.
    package static let none: UInt16 = 0
}

/// One algorithm (RFC 7296 §3.3.2).
package struct Transform: Hashable, Sendable {
    package var type: TransformType
    package var id: UInt16
    package var attributes: [Attribute]

    package init(_ type: TransformType, _ id: UInt16, keyLength: UInt16? = nil) {
        self.type = type
        self.id = id
        attributes = keyLength.map { [.keyLength(bits: $0)] } ?? []
    }

    package init(_ type: TransformType, _ id: UInt16, attributes: [Attribute]) {
        self.type = type
        self.id = id
        self.attributes = attributes
    }

    /// RFC 7296 §3.3.5. A transform with an attribute that we don't know can't be chosen
    /// (§3.3.6).
    package enum Attribute: Hashable, Sendable {
        case keyLength(bits: UInt16)
        /// A two-byte value of another type (15 bits).
        case short(type: UInt16, value: UInt16)
        /// A value of variable length.
        case long(type: UInt16, value: [UInt8])
    }
}

/// One set of algorithms on offer, for one protocol (RFC 7296 §3.3.1).
package struct Proposal: Hashable, Sendable {
    package var number: UInt8
    package var protocolID: ProtocolID
    package var spi: [UInt8]
    package var transforms: [Transform]

    package init(
        number: UInt8, protocolID: ProtocolID, spi: [UInt8] = [], transforms: [Transform]
    ) {
        self.number = number
        self.protocolID = protocolID
        self.spi = spi
        self.transforms = transforms
    }
}

/// Security Association payload: proposals in order of preference (RFC 7296 §3.3).
package struct SecurityAssociationPayload: Payload {
    package var proposals: [Proposal]

    static let proposalLimit = 64
    static let transformLimit = 128
    static let attributeLimit = 8

    package init(_ proposals: [Proposal]) { self.proposals = proposals }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        proposals = []
        var more = true
        while more {
            guard proposals.count < Self.proposalLimit else { throw .tooMany(.proposals) }
            let last: UInt8 = try body.take()
            _ = try body.take(UInt8.self)
            let length: UInt16 = try body.take()
            guard length >= 8 else { throw .illegal(.proposalLength, value: UInt64(length)) }
            proposals.append(
                try body.take(region: Int(length) - 4) {
                    (region: inout Span<UInt8>) throws(WireError) in
                    try Proposal(parsing: &region)
                })
            guard last == 0 || last == 2 else {
                throw .illegal(.nextPayload, value: UInt64(last))
            }
            more = last == 2
        }
    }

    package func write(to output: inout [UInt8]) {
        for (index, proposal) in proposals.enumerated() {
            output.put(UInt8(index + 1 < proposals.count ? 2 : 0))
            output.put(UInt8(0))
            let start = output.count
            output.put(UInt16(0))
            proposal.write(to: &output)
            output.patch(output.count - start + 2, at: start)
        }
    }
}

extension Proposal {
    /// - Parameter region: a proposal after its length; consumed.
    init(parsing region: inout Span<UInt8>) throws(WireError) {
        number = try region.take()
        protocolID = ProtocolID(rawValue: try region.take())
        let spiSize: UInt8 = try region.take()
        let count: UInt8 = try region.take()
        spi = try region.take(bytes: Int(spiSize))
        transforms = []
        var more = count > 0
        while more {
            guard transforms.count < SecurityAssociationPayload.transformLimit else {
                throw .tooMany(.transforms)
            }
            let last: UInt8 = try region.take()
            _ = try region.take(UInt8.self)
            let length: UInt16 = try region.take()
            guard length >= 8 else { throw .illegal(.transformLength, value: UInt64(length)) }
            transforms.append(
                try region.take(region: Int(length) - 4) {
                    (inner: inout Span<UInt8>) throws(WireError) in
                    try Transform(parsing: &inner)
                })
            guard last == 0 || last == 3 else {
                throw .illegal(.nextPayload, value: UInt64(last))
            }
            more = last == 3
        }
        guard transforms.count == Int(count) else {
            throw .illegal(.numberOfTransforms, value: UInt64(count))
        }
        guard region.isEmpty else { throw .trailing(left: region.count) }
    }

    func write(to output: inout [UInt8]) {
        output.put(number)
        output.put(protocolID.rawValue)
        output.put(UInt8(truncatingIfNeeded: spi.count))
        output.put(UInt8(truncatingIfNeeded: transforms.count))
        output += spi
        for (index, transform) in transforms.enumerated() {
            output.put(UInt8(index + 1 < transforms.count ? 3 : 0))
            output.put(UInt8(0))
            let start = output.count
            output.put(UInt16(0))
            transform.write(to: &output)
            output.patch(output.count - start + 2, at: start)
        }
    }
}

extension Transform {
    /// - Parameter region: a transform after its length; consumed.
    init(parsing region: inout Span<UInt8>) throws(WireError) {
        type = TransformType(rawValue: try region.take())
        _ = try region.take(UInt8.self)
        id = try region.take()
        attributes = []
        while !region.isEmpty {
            guard attributes.count < SecurityAssociationPayload.attributeLimit else {
                throw .tooMany(.attributes)
            }
            attributes.append(try Attribute(parsing: &region))
        }
    }

    func write(to output: inout [UInt8]) {
        output.put(type.rawValue)
        output.put(UInt8(0))
        output.put(id)
        for attribute in attributes { attribute.write(to: &output) }
    }
}

extension Transform.Attribute {
    private static let keyLengthType: UInt16 = 14

    init(parsing region: inout Span<UInt8>) throws(WireError) {
        let word: UInt16 = try region.take()
        let type = word & 0x7fff
        guard word & 0x8000 != 0 else {
            let length: UInt16 = try region.take()
            self = .long(type: type, value: try region.take(bytes: Int(length)))
            return
        }
        let value: UInt16 = try region.take()
        self =
            type == Self.keyLengthType ? .keyLength(bits: value) : .short(type: type, value: value)
    }

    func write(to output: inout [UInt8]) {
        switch self {
        case .keyLength(let bits):
            output.put(0x8000 | Self.keyLengthType)
            output.put(bits)
        case .short(let type, let value):
            output.put(0x8000 | type)
            output.put(value)
        case .long(let type, let value):
            output.put(type & 0x7fff)
            output.put(UInt16(truncatingIfNeeded: value.count))
            output += value
        }
    }
}
