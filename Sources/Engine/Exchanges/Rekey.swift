import Crypto
import ESP
import Vocabulary
import Wire

// CREATE_CHILD_SA as we begin it: rekeys of our own (RFC 7296 §2.8).

extension Engine {
    // MARK: Child SA

    func planChildRekey(_ id: ChildID, of sa: IKESA) -> Plan? {
        guard sa.isEstablished, let session = sa.session,
            let old = session.children.first(where: { $0.id == id && !$0.isRetired })
        else { return nil }
        var rekeyed: [UInt8] = []
        rekeyed.put(old.inboundSPI)
        let spi = newESPSPI()
        let nonce = random.bytes(32)
        let exchange = old.suite.group.flatMap { privateKey($0) }
        var payloads: [AnyPayload] = [
            .notify(NotifyPayload(.rekeySA, protocolID: .esp, spi: rekeyed)),
            .securityAssociation(offer([old.suite], spi: spi, withGroup: exchange != nil)),
            .nonce(NoncePayload(nonce)),
        ]
        if let exchange, let group = old.suite.group {
            payloads.append(
                .keyExchange(
                    KeyExchangePayload(
                        group: group.transformID, publicValue: exchange.exchange.publicValue)))
        }
        payloads.append(
            .trafficSelectorInitiator(TrafficSelectorPayload(old.localSelectors.map(\.wire))))
        payloads.append(
            .trafficSelectorResponder(TrafficSelectorPayload(old.remoteSelectors.map(\.wire))))
        return Plan(
            .createChildSA, payloads,
            RequestContext(nonce: nonce, spi: spi, exchange: exchange))
    }

    func finishChildRekey(
        _ id: ChildID, _ payloads: [AnyPayload], _ context: RequestContext, of sa: IKESA,
        at now: Instant, _ output: inout Output
    ) {
        guard let session = sa.session,
            let old = session.children.first(where: { $0.id == id }), !old.isRetired
        else { return abandon(context) }
        guard payloads.error == nil, let theirNonce = payloads.nonce,
            let offers = payloads.securityAssociation?.proposals,
            let agreement = choose(offers, from: [old.suite], withGroup: context.exchange != nil),
            let outboundSPI = agreement.proposal.espSPI
        else {
            return retryChildRekey(old, payloads.error?.kind, context, of: sa, at: now, &output)
        }
        guard let exchange = finish(context.exchange, with: payloads.keyExchange) else {
            return retryChildRekey(old, nil, context, of: sa, at: now, &output)
        }
        let terms = ChildTerms(
            suite: agreement.suite, inboundSPI: context.spi, outboundSPI: outboundSPI,
            localSelectors: old.localSelectors, remoteSelectors: old.remoteSelectors,
            nonces: context.nonce + theirNonce.bytes, weAsked: true)
        let installed = withShared(exchange.answered) { shared in
            install(terms, of: sa, session, exchange: shared, outbound: true, at: now)
        }
        guard let child = installed else { return }
        tellChildRekeyed(old, by: child, .us, of: session, at: now, &output)
        retire(old.id, of: session, .rekeyed, at: now)
        request(.deleteChild(old.inboundSPI), of: sa, at: now, &output)
        scheduleChildren(of: sa)
    }

    /// The peer would not, or not now. CHILD_SA_NOT_FOUND: it has none of that SPI any more.
    private func retryChildRekey(
        _ old: Child, _ error: NotifyPayload.Kind?, _ context: RequestContext, of sa: IKESA,
        at now: Instant, _ output: inout Output
    ) {
        abandon(context)
        guard let session = sa.session else { return }
        if error == .childSANotFound {
            remove(old, of: session, .deletedByPeer, &output)
        } else {
            session.postponeRekey(of: old.id, until: retryMoment(at: now))
        }
        scheduleChildren(of: sa)
    }

    private func abandon(_ context: RequestContext) { inboundSPIs.remove(context.spi) }

    func privateKey(_ group: DHGroup) -> PrivateKey? {
        do throws(CryptoError) {
            return PrivateKey(try KeyExchange(group, random: random))
        } catch {
            return nil
        }
    }

    /// The secret of an exchange that we began; `answered` is nil if there was none.
    ///
    /// - Returns: nil if the peer's half is missing or bad.
    private func finish(
        _ ours: PrivateKey?, with theirs: KeyExchangePayload?
    ) -> (answered: AnsweredExchange?, Void)? {
        guard let ours else { return (nil, ()) }
        guard let theirs, theirs.group == ours.exchange.group.transformID else { return nil }
        do throws(CryptoError) {
            return (
                AnsweredExchange(
                    theirs, try ours.exchange.sharedSecret(with: theirs.publicValue)), ()
            )
        } catch {
            return nil
        }
    }

    // MARK: IKE SA

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
            ], RequestContext(nonce: nonce, ikeSPI: spi, exchange: exchange))
    }

    func finishIKERekey(
        _ payloads: [AnyPayload], _ context: RequestContext, of sa: IKESA, at now: Instant,
        _ output: inout Output
    ) {
        guard let session = sa.session else { return }
        guard payloads.error == nil, let theirNonce = payloads.nonce,
            let offers = payloads.securityAssociation?.proposals,
            let agreement = choose(
                offers, from: [sa.suite], group: sa.suite.group.transformID),
            let remoteSPI = agreement.proposal.ikeSPI,
            let exchange = finish(context.exchange, with: payloads.keyExchange)?.answered,
            let successor = successor(
                of: sa, suite: agreement.suite, shared: exchange.shared,
                nonces: context.nonce + theirNonce.bytes, remoteSPI: remoteSPI,
                localSPI: context.ikeSPI, weInitiated: true, at: now)
        else {
            sa.timers[.rekeyIKE] = retryMoment(at: now)
            return
        }
        hand(session, from: sa, to: successor, .us, at: now, &output)
        linger(sa, .superseded, for: policy.timing.superseded, at: now)
        sa.jobs = []
        request(.deleteIKE, of: sa, at: now, &output)
    }

    /// The IKE SA that replaces another (RFC 7296 §2.18):
    /// `SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr)`.
    ///
    /// - Returns: nil if the cryptography refuses it.
    func successor(
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
    func hand(
        _ session: Session, from old: IKESA, to successor: IKESA, _ initiator: Initiator,
        at now: Instant, _ output: inout Output
    ) {
        sas[successor.localSPI] = successor
        successor.session = session
        successor.jobs = old.jobs
        old.jobs = []
        old.session = nil
        session.ikeSPI = successor.localSPI
        session.ikeRekeyed = now
        session.ikeSuiteName = successor.suite.name
        startTimers(of: successor, session, at: now)
        output.events.append(
            IKESARekeyed(
                session: session.id, initiator: initiator, retiredSPI: IKESPI(old.localSPI),
                successorSPI: IKESPI(successor.localSPI)))
        output.events.append(
            IKESAClosed(
                session: session.id, reason: .rekeyed, spi: IKESPI(old.localSPI),
                ageMilliseconds: (now - old.created).milliseconds))
        beginNextJob(of: successor, at: now, &output)
    }
}
