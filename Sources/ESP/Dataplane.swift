package import Crypto
package import Vocabulary

/// Where Child SAs live: in this process, or in the kernel.
package protocol Dataplane: AnyObject {
    /// - Parameter outbound: false to receive only, until ``activateOutbound(_:)`` or the first
    ///   packet from the peer: the responder of a rekey knows not before then that the peer has
    ///   the new SA (RFC 7296 §2.8).
    /// - Throws: ``CryptoError/library(code:)`` if the keys are refused; nothing is installed then.
    func install(_ child: consuming ChildSA, outbound: Bool) throws(CryptoError)

    /// Keeps packets with this SPI of ours, within limits, until a Child SA with it is installed:
    /// the peer has been asked for one, and may send by it before its answer is here.
    func expect(_ inboundSPI: UInt32, of session: SessionID)

    /// There will be no such Child SA: what was kept for it is dropped. Nothing happens if it is
    /// installed, or was not expected.
    func giveUp(_ inboundSPI: UInt32)

    /// Nothing happens if it is active, was deactivated, or is unknown.
    func activateOutbound(_ child: ChildID)

    /// Receives only from now on. Nothing happens if the child is unknown.
    func deactivateOutbound(_ child: ChildID)

    /// Wipes the keys.
    ///
    /// - Returns: the final counters; zero if the Child SA is unknown.
    func remove(_ child: ChildID) -> Traffic

    /// nil if the Child SA is unknown.
    func traffic(of child: ChildID) -> Traffic?

    /// When the last authenticated packet came; nil if none did. For dead peer detection
    /// (RFC 7296 §2.4).
    func lastInbound(of child: ChildID) -> Instant?

    /// When the last packet was sent to the peer; nil if none was. For NAT keepalives
    /// (RFC 3948 §4).
    func lastOutbound(of child: ChildID) -> Instant?

    /// Sends to the path's remote endpoint from now on. Nothing happens if the child is unknown.
    func move(_ child: ChildID, to path: Path)
}
