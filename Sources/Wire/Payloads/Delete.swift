/// Delete payload: the sender has already discarded these SAs (RFC 7296 §3.11).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |  Protocol ID  |   SPI Size    |          Num of SPIs          |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     ~               Security Parameter Index(es) (SPI)              ~
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
/// The cases are the shapes that the section allows, so nothing downstream has to check for
/// others. AH is a shape of its own because we have none and must say so.
package enum DeletePayload: Payload {
    /// The IKE SA that carried the message, and with it every child.
    case ikeSA
    /// ESP SAs, named by the *sender's* inbound SPIs.
    case children([UInt32])
    case ah([UInt32])

    static let limit = 256

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        let protocolID = ProtocolID(rawValue: try body.take())
        let spiSize: UInt8 = try body.take()
        let count: UInt16 = try body.take()

        switch (protocolID, spiSize) {
        case (.ike, 0):
            guard count == 0 else { throw .illegal(.numberOfSPIs, value: UInt64(count)) }
            self = .ikeSA
        case (.esp, 4), (.ah, 4):
            guard count <= Self.limit else { throw .tooMany(.numberOfSPIs) }
            var spis: [UInt32] = []
            for _ in 0..<count { spis.append(try body.take()) }
            self = protocolID == .esp ? .children(spis) : .ah(spis)
        case (.ike, _), (.esp, _), (.ah, _):
            throw .illegal(.spiSize, value: UInt64(spiSize))
        default:
            throw .illegal(.protocolID, value: UInt64(protocolID.rawValue))
        }
    }

    package func write(to output: inout [UInt8]) {
        switch self {
        case .ikeSA: output.put(0x0100_0000 as UInt32)
        case .children(let spis): Self.write(.esp, spis, to: &output)
        case .ah(let spis): Self.write(.ah, spis, to: &output)
        }
    }

    private static func write(
        _ protocolID: ProtocolID, _ spis: [UInt32], to output: inout [UInt8]
    ) {
        output.put(protocolID.rawValue)
        output.put(UInt8(4))
        output.put(UInt16(truncatingIfNeeded: spis.count))
        for spi in spis { output.put(spi) }
    }
}
