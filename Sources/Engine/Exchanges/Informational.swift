import ESP
import Vocabulary
import Wire

// INFORMATIONAL: Deletes, errors, and questions whether anybody is there (RFC 7296 §1.4).

extension Engine {
    func answerInformational(
        _ payloads: [AnyPayload], of sa: IKESA, at now: Instant, _ output: inout Output
    ) -> Reaction {
        let deletes = payloads.deletes
        if deletes.contains(.ikeSA) {
            return .replyThen([]) { [self] output in
                peerDeleted(sa, at: now, &output)
            }
        }
        if payloads.has(.authenticationFailed) {
            // The peer does not believe us after all (RFC 7296 §2.21.2).
            return .replyThen([]) { [self] output in
                close(sa, .protocolError, at: now, &output)
                linger(sa, .refused, for: policy.timing.linger, at: now)
            }
        }
        guard let session = sa.session, sa.isEstablished else { return .reply([]) }
        if session.trail?.policy.followsRedirects == true,
            let (target, _) = payloads.notifies(.redirect).first.flatMap(RedirectTarget.parse)
        {
            return .replyThen([]) { [self] output in
                followRedirect(target, session, of: sa, at: now, &output)
            }
        }
        var ours: [UInt32] = []
        for case .children(let spis) in deletes {
            for spi in spis {
                if let answer = peerDeletedChild(spi, of: sa, session, at: now, &output) {
                    ours.append(answer)
                }
            }
        }
        scheduleChildren(of: sa)
        // A gateway that said TICKET_ACK has made it by now (RFC 5723 §4.2).
        keepTicket(payloads, of: sa, session, at: now)
        let issued = issueTicket(asked: payloads, of: sa, session, at: now)
        if let event = issued.event { output.events.append(event) }
        return .reply((ours.isEmpty ? [] : [.delete(.children(ours))]) + issued.payloads)
    }

    private func peerDeleted(_ sa: IKESA, at now: Instant, _ output: inout Output) {
        // Long after a drain that was cancelled, it leaves for reasons of its own.
        let left = sa.session?.redirected.map {
            draining != nil || now - $0 < policy.timing.superseded
        }
        close(sa, left == true ? .drained : .deletedByPeer, at: now, &output)
        linger(sa, .refused, for: policy.timing.linger, at: now)
    }

    /// The peer has closed a Child SA whose packets it receives on `spi`.
    ///
    /// - Returns: our SPI of the pair, to be deleted in the answer; nil if we have said so
    ///   ourselves, or know of none (RFC 7296 §1.4.1, §2.25.1).
    private func peerDeletedChild(
        _ spi: UInt32, of sa: IKESA, _ session: Session, at now: Instant, _ output: inout Output
    ) -> UInt32? {
        guard let child = session.child(outboundSPI: spi), !child.isRetired else { return nil }
        let last = now + policy.timing.retiredInbound
        let rival = standing(sa.pending?.context.rival, of: session)
        if case .replaced = child.state {
            // The end of a rekey: what we send goes by the successor from now on.
            if let successor = child.successor { dataplane.activateOutbound(successor) }
            retire(child.id, of: session, child.end ?? .rekeyed, until: last)
        } else if let rival, sa.pending?.job == .rekeyChild(child.id) {
            // The peer's own rekey of it is done; ours comes too late (§2.8.1).
            tellRekeyed(child, by: rival.id, .peer, of: session, at: now, &output)
            dataplane.activateOutbound(rival.id)
            retire(child.id, of: session, .rekeyed, until: last)
        } else if rival?.id == child.id {
            retire(child.id, of: session, .redundant, until: last)
        } else {
            remove(child, of: session, .deletedByPeer, &output)
        }
        return child.inboundSPI
    }
}
