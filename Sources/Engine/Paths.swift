import ESP
import Vocabulary
import Wire

// Where the peer is: what it proves itself from, and what a NAT makes of it.

extension Engine {
    /// Notes where a request came from.
    ///
    /// A peer that is behind a NAT may come from elsewhere at any time (RFC 7296 §2.23). One that
    /// is not stays where it was, and so does one that speaks MOBIKE until it says that it has
    /// moved (RFC 4555 §3.5).
    func follow(_ sa: IKESA, to path: Path, _ output: inout Output) {
        guard path != sa.path else { return }
        switch sa.phase {
        case .established:
            guard !sa.extensions.mobike else { return }
            followNAT(of: sa, to: path, &output)
        // By the one that it may replace; see ``settleContest(_:_:of:on:at:_:)``.
        case .contested: break
        // IKE_AUTH floats to the NAT traversal port.
        case .awaitingAuth, .awaitingAuthResponse, .refused, .superseded: sa.path = path
        }
    }

    /// Whether ESP from another place says where the peer is now. With MOBIKE the initiator alone
    /// decides which addresses are used (RFC 4555 §2.2): its gateway moves nothing, and packets from
    /// where it has said that it is no more are late.
    func mayMove(_ session: Session, of sa: IKESA, to remote: Endpoint) -> Bool {
        !sa.extensions.mobike || session.handle == nil && !session.departed.contains(remote)
    }

    /// Follows a peer behind a NAT that gave it another address or port.
    func followNAT(of sa: IKESA, to path: Path, _ output: inout Output) {
        // Not to the IKE port, from where no ESP goes (§2.23: it stays on the other one).
        guard path != sa.path, path.encapsulated, sa.nat == .peer || sa.nat == .both else { return }
        sa.path = path
        if let session = sa.session { move(session, to: path, .natRebinding, &output) }
    }

    /// Sends a session's ESP packets to another place from now on.
    func move(
        _ session: Session, to path: Path, _ cause: AddressChangeCause, _ output: inout Output
    ) {
        guard let before = session.path, before != path else { return }
        session.path = path
        for child in session.children { dataplane.move(child.id, to: path) }
        output.events.append(
            AddressChanged(
                session: session.id, cause: cause, from: before.remote.address,
                to: path.remote.address))
    }

    // MARK: NAT keepalives (RFC 3948 §4)

    /// Begins to keep a NAT in front of us awake, if there is one.
    func scheduleKeepalive(of sa: IKESA, at now: Instant) {
        let isBehindNAT = sa.nat == .us || sa.nat == .both
        sa.timers[.keepalive] = isBehindNAT ? now + policy.timing.keepalive : nil
    }

    /// Sends a keepalive if nothing else was sent for the interval.
    func keepAlive(_ sa: IKESA, at now: Instant, _ output: inout Output) {
        guard let session = sa.session, sa.isEstablished, sa.nat == .us || sa.nat == .both else {
            return
        }
        let sent = session.children.compactMap { dataplane.lastOutbound(of: $0.id) }
            .reduce(sa.lastSent, max)
        guard now - sent >= policy.timing.keepalive else {
            sa.timers[.keepalive] = sent + policy.timing.keepalive
            return
        }
        sa.lastSent = now
        sa.timers[.keepalive] = now + policy.timing.keepalive
        output.keepalives.append(sa.path)
    }
}
