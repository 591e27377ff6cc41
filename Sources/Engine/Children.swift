import Crypto
import ESP
import Vocabulary
import Wire

// Child SAs: agreeing on one, putting it in place, taking it away.

/// What is to be said of a Child SA that was agreed on.
struct ChildAnswer {
    let child: ChildID
    let payloads: [AnyPayload]
}

/// Why there is no Child SA.
struct ChildRefusal: Error {
    let notify: NotifyPayload

    init(_ kind: NotifyPayload.Kind, _ data: [UInt8] = []) {
        notify = NotifyPayload(kind, data: data)
    }

    init(_ notify: NotifyPayload) { self.notify = notify }
}

/// Everything that two sides agreed on for one Child SA.
struct ChildTerms {
    let suite: ESPSuite
    let inboundSPI: UInt32
    let outboundSPI: UInt32
    let localSelectors: [Selector]
    let remoteSelectors: [Selector]
    let nonces: [UInt8]
    /// Who sent the request: its direction comes first in KEYMAT.
    let weAsked: Bool
}

extension Engine {
    /// Chooses the algorithms of a Child SA that a peer asks for.
    ///
    /// - Parameter withGroup: false in IKE_AUTH, which has no key exchange for it.
    func chooseChild(
        _ payloads: [AnyPayload], _ session: Session, withGroup: Bool
    ) throws(ChildRefusal) -> Agreement<ESPSuite> {
        guard let offers = payloads.securityAssociation?.proposals else {
            throw ChildRefusal(.invalidSyntax)
        }
        guard
            let agreement = choose(
                offers, from: session.connection.espSuites, withGroup: withGroup),
            agreement.proposal.espSPI != nil
        else { throw ChildRefusal(.noProposalChosen) }
        return agreement
    }

    /// Answers the Child SA part of a request: narrows, installs.
    ///
    /// - Parameters:
    ///   - nonces: Ni | Nr of this exchange.
    ///   - local: what of ours the peer may reach.
    ///   - remote: what of the peer's we send to; nil: only its outer address.
    ///   - exchange: the shared secret of this exchange, if it had one.
    ///   - outbound: whether to send on it at once.
    func answerChild(
        _ agreement: Agreement<ESPSuite>, _ payloads: [AnyPayload], nonces: [UInt8],
        local: [Selector], remote: [Selector]?, of sa: IKESA, _ session: Session,
        exchange: borrowing SecretBytes?, outbound: Bool, at now: Instant
    ) throws(ChildRefusal) -> ChildAnswer {
        guard let outboundSPI = agreement.proposal.espSPI,
            let theirs = payloads.trafficSelectorsInitiator,
            let ours = payloads.trafficSelectorsResponder
        else { throw ChildRefusal(.invalidSyntax) }
        // USE_TRANSPORT_MODE asks; not echoing it means tunnel mode (RFC 7296 §1.3.1).
        let remoteLimit = remote ?? [Selector(host: sa.path.remote.address)]
        let localSelectors = narrow(ours, to: local)
        let remoteSelectors = narrow(theirs, to: remoteLimit)
        guard !localSelectors.isEmpty, !remoteSelectors.isEmpty else {
            throw ChildRefusal(.tsUnacceptable)
        }
        let terms = ChildTerms(
            suite: agreement.suite, inboundSPI: newESPSPI(), outboundSPI: outboundSPI,
            localSelectors: localSelectors, remoteSelectors: remoteSelectors, nonces: nonces,
            weAsked: false)
        guard
            let child = install(
                terms, of: sa, session, exchange: exchange, outbound: outbound, at: now)
        else { throw ChildRefusal(.noProposalChosen) }
        var proposal = agreement.proposal
        proposal.spi = []
        proposal.spi.put(terms.inboundSPI)
        return ChildAnswer(
            child: child,
            payloads: [
                .securityAssociation(SecurityAssociationPayload([proposal])),
                .trafficSelectorInitiator(TrafficSelectorPayload(remoteSelectors.map(\.wire))),
                .trafficSelectorResponder(TrafficSelectorPayload(localSelectors.map(\.wire))),
            ])
    }

    /// Derives a Child SA's keys and gives it to the data plane.
    ///
    /// - Returns: nil if the cryptography refuses it.
    func install(
        _ terms: ChildTerms, of sa: IKESA, _ session: Session, exchange: borrowing SecretBytes?,
        outbound: Bool, at now: Instant
    ) -> ChildID? {
        let id = newChildID()
        let rekey = session.connection.rekey
        do throws(CryptoError) {
            let keys = try childKeys(
                sa.keys.skD, prf: sa.suite.prf, shared: exchange, nonces: terms.nonces,
                cipher: terms.suite.cipher)
            keyTap?("ESP_from_initiator", keys.fromInitiator)
            keyTap?("ESP_from_responder", keys.fromResponder)
            try dataplane.install(
                ChildSA(
                    session: session.id, child: id, inboundSPI: terms.inboundSPI,
                    outboundSPI: terms.outboundSPI, cipher: terms.suite.cipher,
                    inboundKey: terms.weAsked
                        ? keys.fromResponder.duplicate() : keys.fromInitiator.duplicate(),
                    outboundKey: terms.weAsked
                        ? keys.fromInitiator.duplicate() : keys.fromResponder.duplicate(),
                    localSelectors: terms.localSelectors, remoteSelectors: terms.remoteSelectors,
                    network: session.connection.network,
                    limit: rekey.childLimit.drawn(rekeyShare(rekey.jitter)),
                    path: session.path ?? sa.path),
                outbound: outbound)
        } catch {
            inboundSPIs.remove(terms.inboundSPI)
            return nil
        }
        session.children.append(
            Child(
                id: id, inboundSPI: terms.inboundSPI, outboundSPI: terms.outboundSPI,
                suite: terms.suite, localSelectors: terms.localSelectors,
                remoteSelectors: terms.remoteSelectors, installed: now,
                rekeyAt: rekeyMoment(rekey.child, jitter: rekey.jitter, at: now),
                expiresAt: now + rekey.child + rekey.grace))
        session.espSuiteName = terms.suite.name
        sessionOfChild[id] = session.id
        return id
    }

    /// Frees an SPI that no Child SA came of.
    func giveUpSPI(_ spi: UInt32) {
        inboundSPIs.remove(spi)
        dataplane.giveUp(spi)
    }

    func announce(_ child: Child, of session: Session, _ output: inout Output) {
        output.events.append(
            ChildSAInstalled(
                session: session.id, child: child.id, inboundSPI: ESPSPI(child.inboundSPI),
                outboundSPI: ESPSPI(child.outboundSPI), suite: child.suite.name,
                lifetimeMilliseconds: (child.rekeyAt - child.installed).milliseconds))
        tellIfWeak(child.suite, of: session, &output)
    }

    /// Takes a Child SA out of the data plane, with its last counts.
    func remove(_ child: Child, of session: Session, _ reason: ChildEnd, _ output: inout Output) {
        if let last = dataplane.lastInbound(of: child.id) {
            session.lastTraffic = max(session.lastTraffic, last)
        }
        let total = dataplane.remove(child.id)
        session.closedTraffic += total
        session.children.removeAll { $0.id == child.id }
        inboundSPIs.remove(child.inboundSPI)
        sessionOfChild[child.id] = nil
        output.events.append(
            ChildSAClosed(session: session.id, child: child.id, reason: reason, total: total))
    }

    /// Stops using a Child SA but hears its last packets (RFC 7296 §2.8).
    ///
    /// - Parameter until: when it goes for good.
    func retire(_ id: ChildID, of session: Session, _ reason: ChildEnd, until: Instant) {
        session.change(id) { child in
            guard !child.isRetired else { return }
            child.state = .retired(until: until)
            child.end = reason
            dataplane.deactivateOutbound(id)
        }
    }

    /// The peer knows that a Child SA is deleted: what it sent by it is on the way, at most.
    func finishDelete(_ inboundSPI: UInt32, of sa: IKESA, at now: Instant) {
        guard let session = sa.session,
            let child = session.children.first(where: { $0.inboundSPI == inboundSPI })
        else { return }
        session.change(child.id) {
            $0.state = .retired(until: now + policy.timing.retiredInbound)
        }
        scheduleChildren(of: sa)
    }

    /// The peer is to delete a Child SA: the one that it replaced, or its own redundant one.
    ///
    /// - Parameter successor: what we shall send on then.
    func awaitDelete(
        of id: ChildID, _ session: Session, successor: ChildID?, _ reason: ChildEnd,
        at now: Instant
    ) {
        session.change(id) { child in
            guard child.isInstalled else { return }
            child.state = .replaced(until: now + policy.timing.superseded)
            child.successor = successor
            child.end = reason
        }
    }

    /// Sets the SA's timer for its session's Child SAs to the first thing to be done to one.
    func scheduleChildren(of sa: IKESA) {
        guard let session = sa.session else { return }
        sa.timers[.children] = session.children.map(\.due).min()
        schedule(sa)
    }

    /// What both allow (RFC 7296 §2.9), without doubles, at most 16.
    func narrow(_ offered: [Wire.TrafficSelector], to allowed: [Selector]) -> [Selector] {
        var common: [Selector] = []
        for offer in offered.compactMap({ Selector($0) }) {
            for limit in allowed {
                if let both = offer.intersection(limit), !common.contains(both), common.count < 16 {
                    common.append(both)
                }
            }
        }
        return common
    }
}

extension Proposal {
    /// The ESP SPI that the sender will receive on.
    var espSPI: UInt32? {
        guard spi.count == 4 else { return nil }
        let value = spi.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return value > 255 ? value : nil
    }

    /// The IKE SPI of a rekey.
    var ikeSPI: UInt64? {
        guard spi.count == 8 else { return nil }
        let value = spi.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return value == 0 ? nil : value
    }
}

extension Selector {
    init(host: IPAddress) { self.init(prefix: host, length: host.isIPv4 ? 32 : 128) }

    /// - Returns: nil for what can't select plain packets: unknown types and "opaque" ports.
    init?(_ selector: Wire.TrafficSelector) {
        guard case .addresses(let range) = selector, range.firstPort <= range.lastPort,
            let first = IPAddress(range.first), let last = IPAddress(range.last)
        else { return nil }
        self.init(
            protocolNumber: range.protocolID, ports: range.firstPort...range.lastPort,
            first: first, last: last)
    }

    var wire: Wire.TrafficSelector {
        .addresses(
            .init(
                protocolID: protocolNumber, firstPort: ports.lowerBound,
                lastPort: ports.upperBound, first: first.bytes, last: last.bytes))
    }
}

extension Duration {
    /// Whole milliseconds, 0 if negative.
    var milliseconds: UInt64 { UInt64(max(0, nanoseconds / 1_000_000)) }
    var microseconds: UInt64 { UInt64(max(0, nanoseconds / 1_000)) }
}
