package import Vocabulary

/// What a gateway tells of one user who logs in and out, for benches: six events.
///
/// - Parameter number: the user's, and the Child SA's.
package func factsOfLogin(_ number: Int, session: SessionID) -> [any Event] {
    let child = ChildID(UInt64(number))
    let identity = Identity("user\(number)@example.org")
    let address = VirtualAddress(.v4(0x0a40_0000 &+ UInt32(truncatingIfNeeded: number)))
    var established = SessionEstablished.example
    established.session = Public(session)
    established.identity = Personal(identity)
    established.virtualAddress = Personal(address)
    return [
        LeaseGranted(session: session, pool: "staff", identity: identity, address: address),
        established,
        ChildSAInstalled(
            session: session, child: child, inboundSPI: ESPSPI(1), outboundSPI: ESPSPI(2),
            suite: "aes128gcm16", lifetimeMilliseconds: 3_600_000),
        ChildSAClosed(session: session, child: child, reason: .sessionClosed, total: Traffic()),
        LeaseReleased(session: session, pool: "staff"),
        SessionClosed(
            session: session, reason: .deletedByPeer, durationMilliseconds: 1, total: Traffic()),
    ]
}
