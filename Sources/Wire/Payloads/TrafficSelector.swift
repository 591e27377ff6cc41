/// One traffic selector (RFC 7296 §3.13.1).
package enum TrafficSelector: Hashable, Sendable {
    /// TS_IPV4_ADDR_RANGE and TS_IPV6_ADDR_RANGE.
    case addresses(AddressRange)
    /// A type that we don't know, and can't select by.
    case unknown(type: UInt8, protocolID: UInt8, bytes: [UInt8])

    package struct AddressRange: Hashable, Sendable {
        /// 0 is any.
        package let protocolID: UInt8
        /// 0 to 65535 is any. First > last is "opaque" in the RFC and matches no plain packet.
        package let firstPort: UInt16
        package let lastPort: UInt16
        /// 4 bytes each, or 16 each, network order.
        package let first: [UInt8]
        package let last: [UInt8]

        package init(
            protocolID: UInt8, firstPort: UInt16, lastPort: UInt16, first: [UInt8], last: [UInt8]
        ) {
            self.protocolID = protocolID
            self.firstPort = firstPort
            self.lastPort = lastPort
            self.first = first
            self.last = last
        }
    }

    init(parsing body: inout Span<UInt8>) throws(WireError) {
        let type: UInt8 = try body.take()
        let protocolID: UInt8 = try body.take()
        let length: UInt16 = try body.take()
        guard length >= 4 else { throw .illegal(.selectorLength, value: UInt64(length)) }
        let size = type == 7 ? 4 : type == 8 ? 16 : 0
        guard size > 0 else {
            self = .unknown(
                type: type, protocolID: protocolID, bytes: try body.take(bytes: Int(length) - 4))
            return
        }
        guard Int(length) == 8 + 2 * size else {
            throw .illegal(.selectorLength, value: UInt64(length))
        }
        self = .addresses(
            AddressRange(
                protocolID: protocolID, firstPort: try body.take(), lastPort: try body.take(),
                first: try body.take(bytes: size), last: try body.take(bytes: size)))
    }

    func write(to output: inout [UInt8]) {
        switch self {
        case .addresses(let range):
            output.put(UInt8(range.first.count == 4 ? 7 : 8))
            output.put(range.protocolID)
            output.put(UInt16(8 + 2 * range.first.count))
            output.put(range.firstPort)
            output.put(range.lastPort)
            output += range.first
            output += range.last
        case .unknown(let type, let protocolID, let bytes):
            output.put(type)
            output.put(protocolID)
            output.put(UInt16(truncatingIfNeeded: bytes.count + 4))
            output += bytes
        }
    }
}

/// Traffic Selector payload, initiator's or responder's (RFC 7296 §3.13).
package struct TrafficSelectorPayload: Payload {
    package let selectors: [TrafficSelector]

    /// The count field is one byte; few have more than a handful.
    static let limit = 64

    package init(_ selectors: [TrafficSelector]) { self.selectors = selectors }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        let count: UInt8 = try body.take()
        _ = try body.take(bytes: 3)
        guard count <= Self.limit else { throw .tooMany(.selectors) }
        guard count > 0 else { throw .illegal(.numberOfSelectors, value: 0) }
        var selectors: [TrafficSelector] = []
        for _ in 0..<count { selectors.append(try TrafficSelector(parsing: &body)) }
        self.selectors = selectors
    }

    package func write(to output: inout [UInt8]) {
        output.put(UInt8(truncatingIfNeeded: selectors.count))
        output += [0, 0, 0]
        for selector in selectors { selector.write(to: &output) }
    }
}
