package import Crypto
package import Vocabulary

/// What the engine hands to the data plane: a pair of ESP SAs, one for each direction
/// (RFC 7296 §1.3), and their keys.
package struct ChildSA: ~Copyable, Sendable {
    package let session: SessionID
    package let child: ChildID
    /// Ours: in the packets that we receive.
    package let inboundSPI: UInt32
    /// The peer's: in the packets that we send.
    package let outboundSPI: UInt32
    package let cipher: Cipher
    /// The key, its salt, then the integrity key (RFC 7296 §2.17); as long as ``cipher`` wants.
    package let inboundKey: SecretBytes
    package let outboundKey: SecretBytes
    /// What is on our side of the tunnel.
    package let localSelectors: [Selector]
    /// What is on the peer's side of the tunnel: its virtual address, as a rule.
    package let remoteSelectors: [Selector]
    /// The inner network that its packets come from and go to; 0 is the gateway's own.
    package let network: Int
    /// After this much in either direction the data plane reports it as worn, once.
    package let limit: TrafficLimit
    package let path: Path

    package init(
        session: SessionID, child: ChildID, inboundSPI: UInt32, outboundSPI: UInt32, cipher: Cipher,
        inboundKey: consuming SecretBytes, outboundKey: consuming SecretBytes,
        localSelectors: [Selector], remoteSelectors: [Selector], network: Int = 0,
        limit: TrafficLimit = .none, path: Path
    ) {
        self.session = session
        self.child = child
        self.inboundSPI = inboundSPI
        self.outboundSPI = outboundSPI
        self.cipher = cipher
        self.inboundKey = inboundKey
        self.outboundKey = outboundKey
        self.localSelectors = localSelectors
        self.remoteSelectors = remoteSelectors
        self.network = network
        self.limit = limit
        self.path = path
    }
}

/// Inner bytes and packets, in one direction.
package struct TrafficLimit: Hashable, Sendable {
    package var bytes: UInt64
    package var packets: UInt64

    /// Sequence numbers end at 2³² − 1 and must not come again (RFC 4303 §3.3.3); this leaves
    /// time to rekey.
    package static let none = TrafficLimit()

    package init(bytes: UInt64 = .max, packets: UInt64 = 0xf000_0000) {
        self.bytes = bytes
        self.packets = min(packets, 0xf000_0000)
    }

    /// - Parameter share: 0 to 1.
    package func drawn(_ share: Double) -> Self {
        Self(bytes: Self.part(share, of: bytes), packets: Self.part(share, of: packets))
    }

    private static func part(_ share: Double, of count: UInt64) -> UInt64 {
        UInt64(exactly: (Double(count) * share).rounded(.down)) ?? count
    }
}
