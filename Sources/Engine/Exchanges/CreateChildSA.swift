import Crypto
import ESP
import Vocabulary
import Wire

// CREATE_CHILD_SA as it is answered (RFC 7296 §1.3): a new Child SA, or a rekey of one. The
// collisions are those of §2.25.

extension Engine {
    func answerCreateChild(
        _ payloads: [AnyPayload], of sa: IKESA, at now: Instant, _ output: inout Output
    ) -> Reaction {
        do throws(ChildRefusal) {
            guard let session = sa.session, sa.isEstablished else {
                // What is about to be closed takes no more (§2.25.2).
                throw ChildRefusal(sa.isClosing ? .temporaryFailure : .noAdditionalSAs)
            }
            guard let offers = payloads.securityAssociation?.proposals, let nonce = payloads.nonce
            else { throw ChildRefusal(.invalidSyntax) }
            if offers.contains(where: { $0.protocolID == .ike }) {
                return try answerIKERekey(
                    payloads, offers, nonce.bytes, of: sa, session, at: now, &output)
            }
            guard let rekey = payloads.notifies(.rekeySA).first else {
                return try answerNewChild(
                    payloads, nonce.bytes, of: sa, session, at: now, &output)
            }
            let old = try rekeyed(rekey, of: sa, session)
            return try answerChildRekey(
                payloads, nonce.bytes, old, of: sa, session, at: now, &output)
        } catch {
            output.events.append(
                CreateChildSARefused(
                    session: sa.session?.id, initiator: .peer, kind: CreateChildKind(payloads),
                    reason: CreateChildRefusal(error.notify.kind)))
            return .reply([.notify(error.notify)])
        }
    }

    /// The Child SA that a request replaces.
    private func rekeyed(
        _ notify: NotifyPayload, of sa: IKESA, _ session: Session
    ) throws(ChildRefusal) -> Child {
        guard notify.protocolID == .esp, notify.spi.count == 4 else {
            throw ChildRefusal(.invalidSyntax)
        }
        let spi = notify.spi.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let unknown = ChildRefusal(
            NotifyPayload(.childSANotFound, protocolID: .esp, spi: notify.spi))
        guard let old = session.child(outboundSPI: spi) else { throw unknown }
        switch old.state {
        case .installed: return old
        case .replaced: throw ChildRefusal(.temporaryFailure)
        case .retired:
            // Ours to close, as long as the peer has not heard of it.
            let deletion = Job.deleteChild(old.inboundSPI)
            guard sa.pending?.job == deletion || sa.jobs.contains(deletion) else { throw unknown }
            throw ChildRefusal(.temporaryFailure)
        }
    }

    private func answerNewChild(
        _ payloads: [AnyPayload], _ theirNonce: [UInt8], of sa: IKESA, _ session: Session,
        at now: Instant, _ output: inout Output
    ) throws(ChildRefusal) -> Reaction {
        guard session.children.count(where: \.isInstalled) < policy.childLimit else {
            throw ChildRefusal(.noAdditionalSAs)
        }
        guard !session.needsAddress || session.remote != nil else {
            throw ChildRefusal(.failedCPRequired)
        }
        let (answer, reply) = try answerChildExchange(
            payloads, theirNonce, local: session.local, remote: session.remote, of: sa, session,
            outbound: true, at: now)
        if let child = session.child(answer.child) { announce(child, of: session, &output) }
        scheduleChildren(of: sa)
        return .reply(reply.payloads)
    }

    private func answerChildRekey(
        _ payloads: [AnyPayload], _ theirNonce: [UInt8], _ old: Child, of sa: IKESA,
        _ session: Session, at now: Instant, _ output: inout Output
    ) throws(ChildRefusal) -> Reaction {
        let ours = sa.pending?.job == .rekeyChild(old.id) ? sa.pending?.context : nil
        // One collision at a time.
        guard ours?.rival == nil else { throw ChildRefusal(.temporaryFailure) }
        let (answer, reply) = try answerChildExchange(
            payloads, theirNonce, local: old.localSelectors, remote: old.remoteSelectors, of: sa,
            session, outbound: false, at: now)
        if let child = session.child(answer.child) { announce(child, of: session, &output) }
        if let ours {
            // Which of the two stays will be known when ours is answered (§2.8.1).
            ours.rival = Rival(.child(answer.child), nonces: theirNonce, reply.nonce)
        } else {
            sa.jobs.removeAll { $0 == .rekeyChild(old.id) }
            peerReplaced(old, by: answer.child, of: session, at: now, &output)
        }
        scheduleChildren(of: sa)
        return .reply(reply.payloads)
    }

    /// The peer's rekey stands, and the peer will delete what it replaced.
    func peerReplaced(
        _ old: Child, by successor: ChildID, of session: Session, at now: Instant,
        _ output: inout Output
    ) {
        guard session.child(old.id)?.isInstalled == true else { return }
        // In a collision about the one that it came from, the heir stands for it.
        let context = sas[session.ikeSPI]?.pending?.context
        if context?.rival?.child == old.id { context?.rival?.product = .child(successor) }
        awaitDelete(of: old.id, session, successor: successor, .rekeyed, at: now)
        tellRekeyed(old, by: successor, .peer, of: session, at: now, &output)
    }

    func tellRekeyed(
        _ old: Child, by successor: ChildID, _ initiator: Initiator, since begun: Instant? = nil,
        of session: Session, at now: Instant, _ output: inout Output
    ) {
        output.events.append(
            ChildSARekeyed(
                session: session.id, retired: old.id, successor: successor, initiator: initiator,
                ageMilliseconds: (now - old.installed).milliseconds,
                durationMicroseconds: begun.map { (now - $0).microseconds }))
    }

    /// Our side of the exchange: with a key exchange of its own if the chosen suite has a group.
    private func answerChildExchange(
        _ payloads: [AnyPayload], _ theirNonce: [UInt8], local: [Selector], remote: [Selector]?,
        of sa: IKESA, _ session: Session, outbound: Bool, at now: Instant
    ) throws(ChildRefusal) -> (ChildAnswer, (payloads: [AnyPayload], nonce: [UInt8])) {
        guard sa.pending?.job != .rekeyIKE else { throw ChildRefusal(.temporaryFailure) }
        // A peer that rekeys and never deletes must stop.
        guard session.children.count < 2 * policy.childLimit else {
            throw ChildRefusal(.noAdditionalSAs)
        }
        let agreement = try chooseChild(payloads, session, withGroup: true)
        let exchange = try agreement.suite.group.map { (group) throws(ChildRefusal) in
            try answerExchange(payloads.keyExchange, wanted: group)
        }
        let nonce = random.bytes(32)
        let answer = try withShared(exchange) { (shared) throws(ChildRefusal) in
            try answerChild(
                agreement, payloads, nonces: theirNonce + nonce, local: local, remote: remote,
                of: sa, session, exchange: shared, outbound: outbound, at: now)
        }
        var reply = answer.payloads
        if let exchange { reply.insert(.keyExchange(exchange.payload), at: 1) }
        reply.insert(.nonce(NoncePayload(nonce)), at: 1)
        return (answer, (reply, nonce))
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

    /// - Throws: INVALID_KE_PAYLOAD with the group that we want (RFC 7296 §1.3).
    func answerExchange(
        _ theirs: KeyExchangePayload?, wanted: DHGroup
    ) throws(ChildRefusal) -> AnsweredExchange {
        guard let theirs, theirs.group == wanted.transformID else {
            var data: [UInt8] = []
            data.put(wanted.transformID)
            throw ChildRefusal(.invalidKEPayload, data)
        }
        do throws(CryptoError) {
            let ours = try KeyExchange(wanted, random: random)
            let shared = try ours.sharedSecret(with: theirs.publicValue)
            return AnsweredExchange(
                KeyExchangePayload(group: theirs.group, publicValue: ours.publicValue), shared)
        } catch {
            throw ChildRefusal(.invalidSyntax)
        }
    }

    func withShared<Value, Failure>(
        _ exchange: AnsweredExchange?, _ body: (borrowing SecretBytes?) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard let exchange else { return try body(nil) }
        return try body(.some(exchange.shared.duplicate()))
    }
}

extension CreateChildKind {
    /// Of a request.
    fileprivate init(_ payloads: [AnyPayload]) {
        let offers = payloads.securityAssociation?.proposals ?? []
        self =
            offers.contains { $0.protocolID == .ike }
            ? .ikeRekey : payloads.notifies(.rekeySA).isEmpty ? .newChild : .childRekey
    }
}

extension CreateChildRefusal {
    init(_ kind: NotifyPayload.Kind?) {
        switch kind {
        case .invalidSyntax: self = .invalidSyntax
        case .noProposalChosen: self = .noProposalChosen
        case .invalidKEPayload: self = .invalidKEPayload
        case .singlePairRequired: self = .singlePairRequired
        case .noAdditionalSAs: self = .noAdditionalSAs
        case .failedCPRequired: self = .failedCPRequired
        case .tsUnacceptable: self = .tsUnacceptable
        case .temporaryFailure: self = .temporaryFailure
        case .childSANotFound: self = .childSANotFound
        default: self = .other
        }
    }
}
