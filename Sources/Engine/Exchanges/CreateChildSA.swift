import Crypto
import ESP
import Vocabulary
import Wire

// CREATE_CHILD_SA as it is answered: a rekey of a Child SA or of the IKE SA (RFC 7296 §1.3).

extension Engine {
    func answerCreateChild(
        _ payloads: [AnyPayload], of sa: IKESA, at now: Instant, _ output: inout Output
    ) -> Reaction {
        guard let session = sa.session, let offers = payloads.securityAssociation?.proposals,
            let nonce = payloads.nonce
        else { return .error(.invalidSyntax) }
        if offers.contains(where: { $0.protocolID == .ike }) {
            return answerIKERekey(payloads, offers, nonce.bytes, of: sa, session, at: now, &output)
        }
        guard let rekey = payloads.notifies(.rekeySA).first else {
            // One Child SA a session; more come with their own policy.
            return .error(.noAdditionalSAs)
        }
        guard rekey.protocolID == .esp, rekey.spi.count == 4 else {
            return .error(.invalidSyntax)
        }
        let spi = rekey.spi.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let old = session.children.first(where: { $0.outboundSPI == spi && !$0.isRetired })
        else {
            return .reply([
                .notify(NotifyPayload(.childSANotFound, protocolID: .esp, spi: rekey.spi))
            ])
        }
        // Both at once: each asks the other to wait (RFC 7296 §2.25).
        if sa.pending?.job == .rekeyChild(old.id) || sa.pending?.job == .rekeyIKE {
            return .error(.temporaryFailure)
        }
        // A peer that rekeys and never deletes must stop.
        guard session.children.count < Session.childLimit else {
            return .error(.noAdditionalSAs)
        }
        return answerChildRekey(payloads, nonce.bytes, old, of: sa, session, at: now, &output)
    }

    private func answerChildRekey(
        _ payloads: [AnyPayload], _ theirNonce: [UInt8], _ old: Child, of sa: IKESA,
        _ session: Session, at now: Instant, _ output: inout Output
    ) -> Reaction {
        let ourNonce = random.bytes(32)
        let exchange: AnsweredExchange?
        switch answerExchange(payloads.keyExchange, wanted: pfsGroup(of: payloads, session)) {
        case .failure(let reaction): return reaction
        case .success(let answered): exchange = answered
        }
        let answer = withShared(exchange) { shared in
            answerChild(
                payloads, nonces: theirNonce + ourNonce, local: old.localSelectors,
                remote: old.remoteSelectors, of: sa, session, exchange: shared, outbound: false,
                at: now)
        }
        switch answer {
        case .failure(let refusal): return .error(refusal.notify)
        case .success(let answer):
            var reply = answer.payloads
            if let exchange { reply.insert(.keyExchange(exchange.payload), at: 1) }
            reply.insert(.nonce(NoncePayload(ourNonce)), at: 1)
            tellChildRekeyed(old, by: answer.child, .peer, of: session, at: now, &output)
            scheduleChildren(of: sa)
            return .reply(reply)
        }
    }

    func tellChildRekeyed(
        _ old: Child, by successor: ChildID, _ initiator: Initiator, of session: Session,
        at now: Instant, _ output: inout Output
    ) {
        if let child = session.children.first(where: { $0.id == successor }) {
            announce(child, of: session, &output)
        }
        output.events.append(
            ChildSARekeyed(
                session: session.id, retired: old.id, successor: successor, initiator: initiator,
                ageMilliseconds: (now - old.installed).milliseconds))
    }

    /// The group that our best fitting suite wants for a Child SA rekey; nil for none.
    private func pfsGroup(of payloads: [AnyPayload], _ session: Session) -> DHGroup? {
        guard payloads.keyExchange != nil, let offers = payloads.securityAssociation?.proposals
        else { return nil }
        return choose(offers, from: session.connection.espSuites, withGroup: true)?.suite.group
    }

    /// Our half of a key exchange in an answer, and the secret.
    final class AnsweredExchange {
        let payload: KeyExchangePayload
        let shared: SecretBytes
        init(_ payload: KeyExchangePayload, _ shared: consuming SecretBytes) {
            self.payload = payload
            self.shared = shared
        }
    }

    enum ExchangeAnswer {
        case success(AnsweredExchange?)
        case failure(Reaction)
    }

    /// - Parameter wanted: nil: an exchange is not needed, and an offered one not used.
    func answerExchange(_ theirs: KeyExchangePayload?, wanted: DHGroup?) -> ExchangeAnswer {
        guard let wanted, let theirs else { return .success(nil) }
        guard theirs.group == wanted.transformID else {
            var data: [UInt8] = []
            data.put(wanted.transformID)
            return .failure(.error(.invalidKEPayload, data))
        }
        do throws(CryptoError) {
            let ours = try KeyExchange(wanted, random: random)
            let shared = try ours.sharedSecret(with: theirs.publicValue)
            return .success(
                AnsweredExchange(
                    KeyExchangePayload(group: theirs.group, publicValue: ours.publicValue), shared))
        } catch {
            return .failure(.error(.invalidSyntax))
        }
    }

    func withShared<Value>(
        _ exchange: AnsweredExchange?, _ body: (borrowing SecretBytes?) -> Value
    ) -> Value {
        guard let exchange else { return body(nil) }
        return body(.some(exchange.shared.duplicate()))
    }

    // MARK: IKE SA

    private func answerIKERekey(
        _ payloads: [AnyPayload], _ offers: [Proposal], _ theirNonce: [UInt8], of sa: IKESA,
        _ session: Session, at now: Instant, _ output: inout Output
    ) -> Reaction {
        guard sa.pending == nil || sa.pending?.job == .liveness else {
            return .error(.temporaryFailure)
        }
        // Each replaced SA is held for a while, at the cost of those who want to log in.
        if let last = session.ikeRekeyed, now - last < policy.timing.linger {
            return .error(.temporaryFailure)
        }
        guard let theirs = payloads.keyExchange else { return .error(.invalidSyntax) }
        guard
            let agreement = choose(
                offers, from: session.connection.ikeSuites, group: theirs.group),
            let remoteSPI = agreement.proposal.ikeSPI
        else { return .error(.noProposalChosen) }
        let exchange: AnsweredExchange
        switch answerExchange(theirs, wanted: agreement.suite.group) {
        case .failure(let reaction): return reaction
        case .success(nil): return .error(.invalidSyntax)
        case .success(.some(let answered)): exchange = answered
        }
        let ourNonce = random.bytes(32)
        guard
            let successor = successor(
                of: sa, suite: agreement.suite, shared: exchange.shared,
                nonces: theirNonce + ourNonce, remoteSPI: remoteSPI, localSPI: newIKESPI(),
                weInitiated: false, at: now)
        else { return .error(.noProposalChosen) }
        var proposal = agreement.proposal
        proposal.spi = []
        proposal.spi.put(successor.localSPI)
        return .replyThen([
            .securityAssociation(SecurityAssociationPayload([proposal])),
            .nonce(NoncePayload(ourNonce)), .keyExchange(exchange.payload),
        ]) { [self] output in
            hand(session, from: sa, to: successor, .peer, at: now, &output)
            linger(sa, .superseded, for: policy.timing.superseded, at: now)
        }
    }
}
