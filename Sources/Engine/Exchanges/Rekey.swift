import Crypto
import ESP
import Vocabulary
import Wire

// CREATE_CHILD_SA as we begin it: new Child SAs, and rekeys of our own (RFC 7296 §1.3, §2.8).

extension Engine {
    func planChildRekey(_ id: ChildID, of sa: IKESA) -> Plan? {
        guard let old = sa.session?.child(id), old.isInstalled else { return nil }
        var spi: [UInt8] = []
        spi.put(old.inboundSPI)
        return planChild(
            old.rekeyShape, of: sa,
            before: [.notify(NotifyPayload(.rekeySA, protocolID: .esp, spi: spi))])
    }

    /// - Parameter before: what comes first in the request.
    func planChild(_ shape: ChildShape, of sa: IKESA, before: [AnyPayload] = []) -> Plan? {
        guard sa.isEstablished, let session = sa.session else { return nil }
        let spi = newESPSPI()
        dataplane.expect(spi, of: session.id)
        let nonce = random.bytes(32)
        let exchange = shape.suite.group.flatMap { privateKey($0) }
        let suites = suites(for: shape, session)
        var payloads =
            before + [
                .securityAssociation(offer(suites, spi: spi, withGroup: exchange != nil)),
                .nonce(NoncePayload(nonce)),
            ]
        if let exchange, let group = shape.suite.group {
            payloads.append(
                .keyExchange(
                    KeyExchangePayload(
                        group: group.transformID, publicValue: exchange.exchange.publicValue)))
        }
        payloads.append(
            .trafficSelectorInitiator(TrafficSelectorPayload(shape.localSelectors.map(\.wire))))
        payloads.append(
            .trafficSelectorResponder(TrafficSelectorPayload(shape.remoteSelectors.map(\.wire))))
        return Plan(
            .createChildSA, payloads,
            RequestContext(nonce: nonce, spi: spi, exchange: exchange, shape: shape))
    }

    /// What is offered for a Child SA: its own suite first, and then the session's with the same
    /// cipher. IKE_AUTH agrees on no group (RFC 7296 §1.2), so that the peer may want another, or
    /// none.
    private func suites(for shape: ChildShape, _ session: Session) -> [ESPSuite] {
        [shape.suite]
            + session.connection.espSuites.filter {
                $0 != shape.suite && $0.cipher == shape.suite.cipher
                    && (shape.suite.group != nil || $0.group == nil)
            }
    }

    /// The peer wants the key exchange of a rekey in another group (RFC 7296 §1.3), for the first
    /// time since it agreed to one.
    ///
    /// - Returns: false if we have no suite with that.
    private func rekeyAgain(
        _ refusal: NotifyPayload?, of old: Child, of sa: IKESA, _ session: Session, at now: Instant,
        _ output: inout Output
    ) -> Bool {
        let group = refusal?.data.reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
        let suite = suites(for: old.shape, session).first {
            $0.group != nil && $0.group?.transformID == group
        }
        guard let suite, old.rekeySuite == nil, suite != old.suite else {
            session.change(old.id) { $0.rekeySuite = nil }
            return false
        }
        session.change(old.id) { $0.rekeySuite = suite }
        request(.rekeyChild(old.id), of: sa, at: now, &output)
        return true
    }

    /// Takes the answer to a request for a Child SA.
    ///
    /// - Parameter id: the one that it replaces, if it does.
    func finishChild(
        replacing id: ChildID?, _ payloads: [AnyPayload], _ pending: PendingRequest,
        of sa: IKESA, at now: Instant, _ output: inout Output
    ) {
        let context = pending.context
        guard let session = sa.session, let shape = context.shape else {
            return giveUpSPI(context.spi)
        }
        let made = agreed(payloads, context, shape, of: sa, session, at: now)
        scheduleChildren(of: sa)
        guard let made else {
            giveUpSPI(context.spi)
            output.events.append(
                CreateChildSARefused(
                    session: session.id, initiator: .us,
                    kind: id == nil ? .newChild : .childRekey,
                    reason: CreateChildRefusal(payloads.error?.kind)))
            return notReplaced(
                id, payloads.error, context, of: sa, session, at: now, &output)
        }
        announce(made.child, of: session, &output)
        if let rival = context.rival {
            let theirs = standing(rival, of: session)
            let yields = theirs == nil || rival.yields(to: context.nonce, made.nonce)
            output.events.append(
                RekeyCollision(session: session.id, kind: .child, survivor: yields ? .us : .peer))
            if let theirs, !yields {
                discard(made.child, .redundant, of: sa, session, at: now, &output)
                if let old = session.child(id) {
                    peerReplaced(old, by: theirs.id, of: session, at: now, &output)
                }
                return scheduleChildren(of: sa)
            }
            if let theirs {
                awaitDelete(of: theirs.id, session, successor: nil, .redundant, at: now)
            }
        }
        dataplane.activateOutbound(made.child.id)
        if let old = session.child(id), old.isInstalled {
            tellRekeyed(
                old, by: made.child.id, .us, since: pending.begun, of: session, at: now, &output)
            discard(old, .rekeyed, of: sa, session, at: now, &output)
        }
        scheduleChildren(of: sa)
    }

    /// The Child SA that the peer made in a collision, as long as it is up. The peer may have
    /// deleted it since, most often because it knew before us that ours is to stay.
    func standing(_ rival: Rival?, of session: Session) -> Child? {
        session.child(rival?.child).flatMap { $0.isInstalled ? $0 : nil }
    }

    /// Installs what the peer agreed to, not yet for sending.
    ///
    /// - Returns: nil if it did not, or said so badly; and the peer's nonce.
    private func agreed(
        _ payloads: [AnyPayload], _ context: RequestContext, _ shape: ChildShape, of sa: IKESA,
        _ session: Session, at now: Instant
    ) -> (child: Child, nonce: [UInt8])? {
        guard payloads.error == nil, let nonce = payloads.nonce,
            let offers = payloads.securityAssociation?.proposals,
            let agreement = choose(
                offers, from: suites(for: shape, session), withGroup: context.exchange != nil),
            let outboundSPI = agreement.proposal.espSPI,
            agreement.suite.group == nil || agreement.suite.group == shape.suite.group,
            let exchange = finish(
                agreement.suite.group == nil ? nil : context.exchange, with: payloads.keyExchange)
        else { return nil }
        let local = narrow(payloads.trafficSelectorsInitiator ?? [], to: shape.localSelectors)
        let remote = narrow(payloads.trafficSelectorsResponder ?? [], to: shape.remoteSelectors)
        guard !local.isEmpty, !remote.isEmpty else { return nil }
        let terms = ChildTerms(
            suite: agreement.suite, inboundSPI: context.spi, outboundSPI: outboundSPI,
            localSelectors: local, remoteSelectors: remote,
            nonces: context.nonce + nonce.bytes, weAsked: true)
        let installed = withShared(exchange.answered) { shared in
            install(terms, of: sa, session, exchange: shared, outbound: false, at: now)
        }
        return session.child(installed).map { ($0, nonce.bytes) }
    }

    /// Deletes a Child SA, and hears its last packets. Of one that was replaced these come until the
    /// peer has heard of the Delete.
    func discard(
        _ child: Child, _ reason: ChildEnd, of sa: IKESA, _ session: Session, at now: Instant,
        _ output: inout Output
    ) {
        let span =
            reason == .rekeyed || reason == .redundant
            ? policy.timing.unheardDelete : policy.timing.retiredInbound
        retire(child.id, of: session, reason, until: now + span)
        request(.deleteChild(child.inboundSPI), of: sa, at: now, &output)
    }

    /// The peer would not, or not now.
    private func notReplaced(
        _ id: ChildID?, _ error: NotifyPayload?, _ context: RequestContext, of sa: IKESA,
        _ session: Session, at now: Instant, _ output: inout Output
    ) {
        guard let old = session.child(id), old.isInstalled else { return }
        if let theirs = standing(context.rival, of: session) {
            // It had replaced the Child SA before it heard of our wish (RFC 7296 §2.8.1).
            peerReplaced(old, by: theirs.id, of: session, at: now, &output)
        } else if error?.kind == .childSANotFound {
            // It has none of that SPI any more: another is made from scratch (§2.25.1).
            remove(old, of: session, .deletedByPeer, &output)
            request(.createChild(old.shape), of: sa, at: now, &output)
        } else if error?.kind != .invalidKEPayload
            || !rekeyAgain(error, of: old, of: sa, session, at: now, &output)
        {
            session.postponeRekey(of: old.id, until: retryMoment(at: now))
        }
        scheduleChildren(of: sa)
    }

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
    func finish(
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
}
