import Crypto
import ESP
import Testing
import Vocabulary

extension [UInt8] {
    /// Reads hex digits; blanks do not count.
    init(hex text: String) {
        let digits = text.compactMap(\.hexDigitValue)
        precondition(digits.count % 2 == 0, "hex comes in pairs of digits")
        self = stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}

extension IPAddress: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) {
        guard let address = IPAddress(text) else { preconditionFailure("not an address: \(text)") }
        self = address
    }
}

/// An IPv4 packet with a UDP header, as far as anyone here looks at it.
func udp(
    _ source: IPAddress, _ destination: IPAddress, ports: (UInt16, UInt16) = (1000, 2000),
    protocolNumber: UInt8 = 17, payload: Int = 5
) -> [UInt8] {
    let length = 28 + payload
    return [0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 0, 64, protocolNumber, 0, 0]
        + source.bytes + destination.bytes
        + [ports.0, ports.1, UInt16(8 + payload), 0].flatMap {
            [UInt8($0 >> 8), UInt8($0 & 255)]
        } + (0..<payload).map { UInt8(truncatingIfNeeded: $0) }
}

/// An IPv6 packet; `rest` is all after the fixed header.
func ipv6(
    _ source: IPAddress, _ destination: IPAddress, nextHeader: UInt8, _ rest: [UInt8]
) -> [UInt8] {
    [0x60, 0, 0, 0, UInt8(rest.count >> 8), UInt8(rest.count & 255), nextHeader, 64]
        + source.bytes + destination.bytes + rest
}

/// A gateway and its client, back to back.
struct Pair {
    static let gatewayEnd = Endpoint("192.0.2.1", 4500)
    static let clientEnd = Endpoint("198.51.100.7", 40_000)
    static let virtualAddress: IPAddress = "10.9.0.1"
    static let server: IPAddress = "192.168.7.9"
    static let session = SessionID(high: 1, low: 2)

    let gateway = Tunnels()
    let client = Tunnels()

    init(
        _ cipher: Cipher = .aes128GCM16, outbound: Bool = true, local: [Selector] = [.anyIPv4],
        remote: [Selector] = [Selector(prefix: virtualAddress, length: 32)]
    ) throws {
        try install(ChildID(1), cipher, outbound: outbound, local: local, remote: remote)
    }

    /// - Parameter outbound: of the gateway; the client sends at once.
    func install(
        _ child: ChildID, _ cipher: Cipher = .aes128GCM16, outbound: Bool,
        local: [Selector] = [.anyIPv4],
        remote: [Selector] = [Selector(prefix: virtualAddress, length: 32)], network: Int = 0
    ) throws {
        let up = SeededRandom(seed: child.number).bytes(cipher.keyLength)
        let down = SeededRandom(seed: ~child.number).bytes(cipher.keyLength)
        let upSPI = UInt32(0xc0ff_ee00) + UInt32(child.number)
        let downSPI = UInt32(0x0bad_ca00) + UInt32(child.number)
        try gateway.install(
            ChildSA(
                session: Self.session, child: child, inboundSPI: upSPI, outboundSPI: downSPI,
                cipher: cipher, inboundKey: SecretBytes(copying: up),
                outboundKey: SecretBytes(copying: down), localSelectors: local,
                remoteSelectors: remote, network: network,
                path: Path(local: Self.gatewayEnd, remote: Self.clientEnd, encapsulated: true)),
            outbound: outbound)
        try client.install(
            ChildSA(
                session: Self.session, child: child, inboundSPI: downSPI, outboundSPI: upSPI,
                cipher: cipher, inboundKey: SecretBytes(copying: down),
                outboundKey: SecretBytes(copying: up), localSelectors: [.anyIPv4, .anyIPv6],
                remoteSelectors: [.anyIPv4, .anyIPv6],
                path: Path(local: Self.clientEnd, remote: Self.gatewayEnd, encapsulated: true)),
            outbound: true)
    }
}

extension Tunnels {
    /// The ESP packet, or why there is none. The buffer is dirty, as a reused one is.
    func sealed(
        _ inner: [UInt8], from network: Int = 0
    ) -> (packet: [UInt8], outcome: Sealed) {
        var buffer =
            [UInt8](repeating: 0xee, count: Tunnels.headroom) + inner
            + [UInt8](repeating: 0xee, count: Tunnels.tailroom)
        var span = buffer.mutableSpan
        let range = Tunnels.headroom..<(Tunnels.headroom + inner.count)
        let outcome = seal(&span, inner: range, from: network, at: Instant(nanoseconds: 0))
        guard case .transmit(let packet, _, _) = outcome else { return ([], outcome) }
        return (Array(buffer[packet]), outcome)
    }

    /// The inner packet, or why there is none.
    func opened(
        _ packet: [UInt8], from remote: Endpoint = Pair.clientEnd, at nanoseconds: UInt64 = 0
    ) -> (inner: [UInt8], outcome: Opened) {
        var buffer = packet
        var span = buffer.mutableSpan
        let outcome = open(&span, from: remote, at: Instant(nanoseconds: nanoseconds))
        guard case .deliver(let inner, _, _) = outcome else { return ([], outcome) }
        return (Array(buffer[inner]), outcome)
    }
}
