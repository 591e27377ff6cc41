import Crypto
import Vocabulary

/// One Child SA in this process.
final class Tunnel {
    /// Whether packets go out by it.
    enum Outbound {
        /// Not before it is known that the peer has it.
        case waiting
        case active
        /// Never again.
        case over
    }

    let session: SessionID
    let child: ChildID
    let inboundSPI: UInt32
    let outboundSPI: UInt32
    let localSelectors: [Selector]
    let remoteSelectors: [Selector]
    /// The number of its inner network.
    let network: Int

    var path: Path
    var outbound: Outbound
    let limit: TrafficLimit
    /// Nobody has been told yet that the limit is reached.
    var isFresh = true
    var traffic = Traffic()
    var lastInbound: Instant?
    var lastOutbound: Instant?
    var window = ReplayWindow()
    /// The last sequence number sent; 0 if none.
    var sequence: UInt32 = 0
    let layout: PacketLayout
    var opener: Opener
    var sealer: Sealer

    init(_ child: consuming ChildSA, outbound: Bool) throws(CryptoError) {
        opener = try Opener(child.cipher, key: child.inboundKey)
        sealer = try Sealer(child.cipher, key: child.outboundKey)
        layout = PacketLayout(child.cipher)
        session = child.session
        self.child = child.child
        inboundSPI = child.inboundSPI
        outboundSPI = child.outboundSPI
        localSelectors = child.localSelectors
        remoteSelectors = child.remoteSelectors
        network = child.network
        path = child.path
        self.outbound = outbound ? .active : .waiting
        limit = child.limit
    }

    var sendsOutbound: Bool { outbound == .active }

    func activateOutbound() {
        if outbound == .waiting { outbound = .active }
    }

    /// Whether the limit has been reached; true once.
    func wears() -> Bool {
        guard isFresh,
            max(traffic.bytesIn, traffic.bytesOut) >= limit.bytes
                || max(traffic.packetsIn, traffic.packetsOut) >= limit.packets
        else { return false }
        isFresh = false
        return true
    }

    /// From the peer to us.
    func takesInbound(_ packet: InnerPacket) -> Bool {
        takes(
            remote: packet.source, packet.sourcePort, local: packet.destination,
            packet.destinationPort, packet.protocolNumber)
    }

    /// From us to the peer.
    func takesOutbound(_ packet: InnerPacket) -> Bool {
        takes(
            remote: packet.destination, packet.destinationPort, local: packet.source,
            packet.sourcePort, packet.protocolNumber)
    }

    private func takes(
        remote: IPAddress, _ remotePort: UInt16?, local: IPAddress, _ localPort: UInt16?,
        _ number: UInt8
    ) -> Bool {
        remoteSelectors.contains {
            $0.contains(address: remote, protocol: number, port: remotePort)
        }
            && localSelectors.contains {
                $0.contains(address: local, protocol: number, port: localPort)
            }
    }

    var sample: ChildSample { ChildSample(session: session, child: child, traffic: traffic) }
}
