/// The kinds of exchange (RFC 7296 §3.1).
package struct ExchangeType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let ikeSAInit = Self(rawValue: 34)
    package static let ikeAuth = Self(rawValue: 35)
    package static let createChildSA = Self(rawValue: 36)
    package static let informational = Self(rawValue: 37)
    /// RFC 5723 §4.3.1.
    package static let ikeSessionResume = Self(rawValue: 38)
}

/// The IKE header (RFC 7296 §3.1).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                       IKE SA Initiator's SPI                  |
///     |                                                               |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                       IKE SA Responder's SPI                  |
///     |                                                               |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                          Message ID                           |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                            Length                             |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
package struct Header: Hashable, Sendable {
    package static let length = 28

    package var initiatorSPI: UInt64
    package var responderSPI: UInt64
    package var nextPayload: PayloadType
    /// Major in the high nibble; 2.0 is 0x20.
    package var version: UInt8
    package var exchange: ExchangeType
    /// The sender is the original initiator of the IKE SA.
    package var fromInitiator: Bool
    package var isResponse: Bool
    /// The sender speaks a higher major version too.
    package var higherVersion: Bool
    package var messageID: UInt32

    package init(
        initiatorSPI: UInt64, responderSPI: UInt64, nextPayload: PayloadType = .none,
        version: UInt8 = 0x20, exchange: ExchangeType, fromInitiator: Bool, isResponse: Bool,
        higherVersion: Bool = false, messageID: UInt32
    ) {
        self.initiatorSPI = initiatorSPI
        self.responderSPI = responderSPI
        self.nextPayload = nextPayload
        self.version = version
        self.exchange = exchange
        self.fromInitiator = fromInitiator
        self.isResponse = isResponse
        self.higherVersion = higherVersion
        self.messageID = messageID
    }

    package var majorVersion: UInt8 { version >> 4 }

    /// Reads a header and holds its length field against the datagram's.
    ///
    /// - Parameter datagram: the whole message; its front is removed.
    /// - Throws: what is wrong. A major version other than 2 is no error here, so that it can be
    ///   answered (RFC 7296 §2.5).
    package init(parsing datagram: inout Span<UInt8>) throws(WireError) {
        let total = datagram.count
        initiatorSPI = try datagram.take()
        responderSPI = try datagram.take()
        nextPayload = PayloadType(rawValue: try datagram.take())
        version = try datagram.take()
        exchange = ExchangeType(rawValue: try datagram.take())
        let flags: UInt8 = try datagram.take()
        fromInitiator = flags & 0x08 != 0
        higherVersion = flags & 0x10 != 0
        isResponse = flags & 0x20 != 0
        messageID = try datagram.take()
        let length: UInt32 = try datagram.take()
        guard length == UInt32(clamping: total) else {
            throw .illegal(.messageLength, value: UInt64(length))
        }
        guard initiatorSPI != 0 else { throw .illegal(.initiatorSPI, value: 0) }
    }

    /// Appends the header with a length of zero, to be patched when the message is whole.
    func write(to output: inout [UInt8]) {
        output.put(initiatorSPI)
        output.put(responderSPI)
        output.put(nextPayload.rawValue)
        output.put(version)
        output.put(exchange.rawValue)
        output.put(
            UInt8(fromInitiator ? 0x08 : 0) | UInt8(higherVersion ? 0x10 : 0)
                | UInt8(isResponse ? 0x20 : 0))
        output.put(messageID)
        output.put(UInt32(0))
    }
}
