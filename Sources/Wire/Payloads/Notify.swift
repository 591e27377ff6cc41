/// Notify payload: an error or a status (RFC 7296 §3.10).
package struct NotifyPayload: Payload {
    /// IANA's "IKEv2 Notify Message Types". Below 16384 are errors.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let unsupportedCriticalPayload = Self(rawValue: 1)
        package static let invalidIKESPI = Self(rawValue: 4)
        package static let invalidMajorVersion = Self(rawValue: 5)
        package static let invalidSyntax = Self(rawValue: 7)
        package static let invalidMessageID = Self(rawValue: 9)
        package static let invalidSPI = Self(rawValue: 11)
        package static let noProposalChosen = Self(rawValue: 14)
        package static let invalidKEPayload = Self(rawValue: 17)
        package static let authenticationFailed = Self(rawValue: 24)
        package static let singlePairRequired = Self(rawValue: 34)
        package static let noAdditionalSAs = Self(rawValue: 35)
        package static let internalAddressFailure = Self(rawValue: 36)
        package static let failedCPRequired = Self(rawValue: 37)
        package static let tsUnacceptable = Self(rawValue: 38)
        package static let unacceptableAddresses = Self(rawValue: 40)
        package static let unexpectedNATDetected = Self(rawValue: 41)
        package static let temporaryFailure = Self(rawValue: 43)
        package static let childSANotFound = Self(rawValue: 44)
        package static let initialContact = Self(rawValue: 16384)
        package static let natDetectionSourceIP = Self(rawValue: 16388)
        package static let natDetectionDestinationIP = Self(rawValue: 16389)
        package static let cookie = Self(rawValue: 16390)
        package static let useTransportMode = Self(rawValue: 16391)
        package static let rekeySA = Self(rawValue: 16393)
        package static let authLifetime = Self(rawValue: 16403)
        package static let ticketLTOpaque = Self(rawValue: 16409)
        package static let ticketRequest = Self(rawValue: 16410)
        package static let ticketAck = Self(rawValue: 16411)
        package static let ticketNack = Self(rawValue: 16412)
        package static let ticketOpaque = Self(rawValue: 16413)
        package static let childlessSupported = Self(rawValue: 16418)
        package static let espTFCPaddingNotSupported = Self(rawValue: 16394)

        package static let mobikeSupported = Self(rawValue: 16396)
        package static let additionalIP4Address = Self(rawValue: 16397)
        package static let additionalIP6Address = Self(rawValue: 16398)
        package static let noAdditionalAddresses = Self(rawValue: 16399)
        package static let updateSAAddresses = Self(rawValue: 16400)
        package static let cookie2 = Self(rawValue: 16401)
        package static let noNATsAllowed = Self(rawValue: 16402)
        package static let fragmentationSupported = Self(rawValue: 16430)
        package static let redirectSupported = Self(rawValue: 16406)
        package static let redirect = Self(rawValue: 16407)
        package static let redirectedFrom = Self(rawValue: 16408)

        package var isError: Bool { rawValue < 16384 }
    }

    package let protocolID: ProtocolID
    package let spi: [UInt8]
    package let kind: Kind
    package let data: [UInt8]

    package init(
        _ kind: Kind, protocolID: ProtocolID = .none, spi: [UInt8] = [], data: [UInt8] = []
    ) {
        self.kind = kind
        self.protocolID = protocolID
        self.spi = spi
        self.data = data
    }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        protocolID = ProtocolID(rawValue: try body.take())
        let spiSize: UInt8 = try body.take()
        kind = Kind(rawValue: try body.take())
        spi = try body.take(bytes: Int(spiSize))
        data = body.takeRest()
    }

    package func write(to output: inout [UInt8]) {
        output.put(protocolID.rawValue)
        output.put(UInt8(truncatingIfNeeded: spi.count))
        output.put(kind.rawValue)
        output += spi
        output += data
    }
}
