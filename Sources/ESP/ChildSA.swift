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
    package let path: Path

    package init(
        session: SessionID, child: ChildID, inboundSPI: UInt32, outboundSPI: UInt32, cipher: Cipher,
        inboundKey: consuming SecretBytes, outboundKey: consuming SecretBytes,
        localSelectors: [Selector], remoteSelectors: [Selector], path: Path
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
        self.path = path
    }
}
