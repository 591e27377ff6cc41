import Crypto
import ESP
import Vocabulary
import Wire

// Rekeys of the IKE SA, by either side and by both at once (RFC 7296 §1.3.2, §2.8.2, §2.18).

extension Engine {
    // MARK: As the peer begins it

    func answerIKERekey(
        _ payloads: [AnyPayload], _ offers: [Proposal], _ theirNonce: [UInt8], of sa: IKESA,
        _ session: Session, at now: Instant, _ output: inout Output
    ) throws(ChildRefusal) -> Reaction {
        let ours = sa.pending?.job == .rekeyIKE ? sa.pending?.context : nil
        // While we create, rekey or close a Child SA of it: later (§2.25.2).
        guard sa.pending == nil || sa.pending?.job == .liveness || ours != nil, ours?.rival == nil
        else { throw ChildRefusal(.temporaryFailure) }
        // Each replaced SA is held for a while: one peer shall not have us hold many.
        if let last = session.ikeRekeyed, now - last < policy.timing.linger {
            throw ChildRefusal(.temporaryFailure)
        }
        guard let theirs = payloads.keyExchange else { throw ChildRefusal(.invalidSyntax) }
        guard
            let agreement = choose(
                offers, from: session.connection.ikeSuites, group: theirs.group),
            let remoteSPI = agreement.proposal.ikeSPI
        else { throw ChildRefusal(.noProposalChosen) }
        let exchange = try answerExchange(theirs, wanted: agreement.suite.group)
        let nonce = random.bytes(32)
        guard
            let successor = successor(
                of: sa, suite: agreement.suite, shared: exchange.shared,
                nonces: theirNonce + nonce, remoteSPI: remoteSPI, localSPI: newIKESPI(),
                weInitiated: false, at: now)
        else { throw ChildRefusal(.noProposalChosen) }
        var proposal = agreement.proposal
        proposal.spi = []
        proposal.spi.put(successor.localSPI)
        let reply: [AnyPayload] = [
            .securityAssociation(SecurityAssociationPayload([proposal])),
            .nonce(NoncePayload(nonce)), .keyExchange(exchange.payload),
        ]
        if let ours {
            ours.rival = Rival(.ike(successor.localSPI), nonces: theirNonce, nonce)
            successor.phase = .contested(old: sa.localSPI)
            sas[successor.localSPI] = successor
            return .reply(reply + postponeTicket(asked: payloads, session))
        }
        let issued = issueTicket(asked: payloads, of: successor, session, at: now)
        return .replyThen(reply + issued.payloads) { [self] output in
            hand(session, from: sa, to: successor, .peer, at: now, &output)
            if let event = issued.event { output.events.append(event) }
            linger(sa, .superseded, for: policy.timing.superseded, at: now)
        }
    }

    // MARK: As we begin it

    func planIKERekey(of sa: IKESA) -> Plan? {
        guard sa.isEstablished, let exchange = privateKey(sa.suite.group) else { return nil }
        let spi = newIKESPI()
        var bytes: [UInt8] = []
        bytes.put(spi)
        let nonce = random.bytes(32)
        return Plan(
            .createChildSA,
            [
                .securityAssociation(offer([sa.suite], spi: bytes)),
                .nonce(NoncePayload(nonce)),
                .keyExchange(
                    KeyExchangePayload(
                        group: sa.suite.group.transformID,
                        publicValue: exchange.exchange.publicValue)),
            ] + ticketRequest(of: sa.session),
            RequestContext(nonce: nonce, ikeSPI: spi, exchange: exchange))
    }

    func finishIKERekey(
        _ payloads: [AnyPayload], _ pending: PendingRequest, of sa: IKESA, at now: Instant,
        _ output: inout Output
    ) {
        let context = pending.context
        let theirs = context.rival?.ikeSPI.flatMap { sas[$0] }
        let contested = theirs.flatMap { $0.isContested ? $0 : nil }
        guard payloads.error == nil, let nonce = payloads.nonce?.bytes,
            let offers = payloads.securityAssociation?.proposals,
            let agreement = choose(
                offers, from: [sa.suite], group: sa.suite.group.transformID),
            let remoteSPI = agreement.proposal.ikeSPI,
            let exchange = finish(context.exchange, with: payloads.keyExchange)?.answered,
            let successor = successor(
                of: sa, suite: agreement.suite, shared: exchange.shared,
                nonces: context.nonce + nonce, remoteSPI: remoteSPI,
                localSPI: context.ikeSPI, weInitiated: true, at: now)
        else { return notReplaced(sa, contested, payloads.error?.kind, at: now, &output) }
        if let rival = context.rival {
            let yields =
                sa.session != nil
                && (contested == nil || rival.yields(to: context.nonce, nonce))
            output.events.append(
                RekeyCollision(
                    session: (sa.session ?? theirs?.session)?.id, kind: .ike,
                    survivor: yields ? .us : .peer))
            guard yields else {
                dismiss(successor, at: now, &output)
                return adopt(contested, insteadOf: sa, at: now, &output)
            }
            if let contested {
                linger(contested, .superseded, for: policy.timing.superseded, at: now)
            }
        }
        // The session ended while we waited; the peer's goes on with the new IKE SA.
        guard let session = sa.session else { return dismiss(successor, at: now, &output) }
        let hadTicket = session.ticket != nil
        hand(session, from: sa, to: successor, .us, since: pending.begun, at: now, &output)
        keepTicket(payloads, of: successor, session, at: now)
        // In a collision the gateway could not tell whether there would be anything to come back to.
        if hadTicket, session.ticket == nil {
            request(.requestTicket, of: successor, at: now, &output)
        }
        linger(sa, .superseded, for: policy.timing.superseded, at: now)
        request(.deleteIKE, of: sa, at: now, &output)
    }

    /// The peer would not, or not now; or its own rekey was the faster.
    private func notReplaced(
        _ sa: IKESA, _ theirs: IKESA?, _ error: NotifyPayload.Kind?, at now: Instant,
        _ output: inout Output
    ) {
        guard let session = sa.session else { return }
        output.events.append(
            CreateChildSARefused(
                session: session.id, initiator: .us, kind: .ikeRekey,
                reason: CreateChildRefusal(error)))
        if theirs != nil { return adopt(theirs, insteadOf: sa, at: now, &output) }
        sa.timers[.rekeyIKE] = retryMoment(at: now)
    }

    // MARK: Collisions

    /// The peer speaks on an IKE SA of a collision, or closes the one that it is about: it has
    /// made up its mind before we heard its answer (RFC 7296 §2.8.2).
    func settleContest(
        _ header: Header, _ payloads: [AnyPayload], of sa: IKESA, on path: Path, at now: Instant,
        _ output: inout Output
    ) {
        let closes = header.exchange == .informational && payloads.deletes.contains(.ikeSA)
        if case .contested(let spi) = sa.phase {
            guard !closes, let old = sas[spi] else { return }
            adopt(sa, insteadOf: old, at: now, &output)
            follow(sa, to: path, &output)
        } else if closes, let theirs = rival(of: sa) {
            adopt(theirs, insteadOf: sa, at: now, &output)
        }
    }

    /// The IKE SA that the peer made while we wait for an answer about another.
    func rival(of sa: IKESA) -> IKESA? {
        guard let spi = sa.pending?.context.rival?.ikeSPI, let rival = sas[spi],
            rival.isContested
        else { return nil }
        return rival
    }

    /// The session goes on with the IKE SA that the peer made. Our own request is still answered.
    private func adopt(
        _ successor: IKESA?, insteadOf sa: IKESA, at now: Instant, _ output: inout Output
    ) {
        guard let successor, let session = sa.session else { return }
        successor.phase = .established
        // The peer may have moved since it was made.
        (successor.path, successor.nat) = (sa.path, sa.nat)
        hand(session, from: sa, to: successor, .peer, at: now, &output)
        let retransmission = sa.timers[.retransmit]
        linger(sa, .superseded, for: policy.timing.superseded, at: now)
        if sa.pending != nil { sa.timers[.retransmit] = retransmission }
    }

    /// The IKE SA that replaces another (RFC 7296 §2.18):
    /// `SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr)`.
    ///
    /// - Returns: nil if the cryptography refuses it.
    private func successor(
        of sa: IKESA, suite: IKESuite, shared: borrowing SecretBytes, nonces: [UInt8],
        remoteSPI: UInt64, localSPI: UInt64, weInitiated: Bool, at now: Instant
    ) -> IKESA? {
        do throws(CryptoError) {
            let seed = try sa.suite.prf.secret(
                sa.keys.skD, secretPrefix: shared, nonces)
            let keys = try IKEKeys(
                suite: suite, seed: seed, nonces: nonces,
                initiatorSPI: weInitiated ? localSPI : remoteSPI,
                responderSPI: weInitiated ? remoteSPI : localSPI, weInitiated: weInitiated,
                tap: keyTap)
            let successor = IKESA(
                weInitiated: weInitiated, localSPI: localSPI, remoteSPI: remoteSPI, suite: suite,
                keys: keys, path: sa.path, phase: .established, now: now)
            successor.nat = sa.nat
            successor.extensions = sa.extensions
            return successor
        } catch {
            return nil
        }
    }

    /// Moves a session with its Child SAs to the IKE SA that replaces its own.
    private func hand(
        _ session: Session, from old: IKESA, to successor: IKESA, _ initiator: Initiator,
        since begun: Instant? = nil, at now: Instant, _ output: inout Output
    ) {
        sas[successor.localSPI] = successor
        successor.session = session
        successor.jobs = old.jobs.filter { $0 != .rekeyIKE }
        old.jobs = []
        old.session = nil
        session.ikeSPI = successor.localSPI
        session.ikeRekeyed = now
        session.ikeSuiteName = successor.suite.name
        startTimers(of: successor, session, at: now)
        output.events.append(
            IKESARekeyed(
                session: session.id, initiator: initiator, retiredSPI: IKESPI(old.localSPI),
                successorSPI: IKESPI(successor.localSPI),
                durationMicroseconds: begun.map { (now - $0).microseconds }))
        tellIfWeak(successor.suite, of: session, &output)
        output.events.append(
            IKESAClosed(
                session: session.id, reason: .rekeyed, spi: IKESPI(old.localSPI),
                ageMilliseconds: (now - old.created).milliseconds))
        voidTickets(ofReplaced: old, session, at: now)
        if initiator == .peer, session.connection.wantsTicket {
            request(.requestTicket, of: successor, at: now, &output)
        }
        beginNextJob(of: successor, at: now, &output)
    }
}
