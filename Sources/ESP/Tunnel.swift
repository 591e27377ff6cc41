import Crypto
import Vocabulary

/// One Child SA in this process.
final class Tunnel {
    let session: SessionID
    let child: ChildID
    let inboundSPI: UInt32
    let outboundSPI: UInt32
    let localSelectors: [Selector]
    let remoteSelectors: [Selector]

    var path: Path
    var sendsOutbound: Bool
    var traffic = Traffic()
    var lastInbound: Instant?
    var lastOutbound: Instant?
    var window = ReplayWindow()
    /// The last sequence number sent; 0 if none.
    var sequence: UInt32 = 0
    var opener: Opener
    var sealer: Sealer

    init(_ child: consuming ChildSA, outbound: Bool) throws(CryptoError) {
        opener = try Opener(child.aead, key: child.inboundKey)
        sealer = try Sealer(child.aead, key: child.outboundKey)
        session = child.session
        self.child = child.child
        inboundSPI = child.inboundSPI
        outboundSPI = child.outboundSPI
        localSelectors = child.localSelectors
        remoteSelectors = child.remoteSelectors
        path = child.path
        sendsOutbound = outbound
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
