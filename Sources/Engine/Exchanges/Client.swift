import Crypto
import ESP
package import Vocabulary
import Wire

// The initiator's side of IKE_SA_INIT and IKE_AUTH: simulated clients log in with it.

extension Engine {
    /// Begins a login.
    ///
    /// - Parameters:
    ///   - path: from our socket to the gateway's IKE port.
    ///   - natPath: the same to its NAT traversal port, for when a NAT is found.
    /// - Returns: what notices will call it; nil if the cryptography refuses.
    package func connect(
        _ client: ClientPolicy, on path: Path, natPath: Path, at now: Instant,
        _ output: inout Output
    ) -> ConnectionHandle? {
        let handle = newHandle()
        let trail = RedirectTrail(client, path: path, natPath: natPath)
        return begin(handle, trail, at: now, &output) ? handle : nil
    }

    /// Logs in where a trail has led to.
    ///
    /// - Returns: false if the cryptography refuses.
    func begin(
        _ handle: ConnectionHandle, _ trail: RedirectTrail, at now: Instant,
        _ output: inout Output
    ) -> Bool {
        guard let group = trail.policy.ikeSuites.first?.group, let exchange = privateKey(group)
        else { return false }
        begin(handle, trail, .keyExchange(exchange), at: now, &output)
        return true
    }

    func begin(
        _ handle: ConnectionHandle, _ trail: RedirectTrail, _ opening: Initiation.Opening,
        at now: Instant, _ output: inout Output
    ) {
        let initiation = Initiation(
            handle: handle, trail: trail, localSPI: newIKESPI(), path: trail.path,
            natPath: trail.natPath, request: [], nonce: random.bytes(Self.clientNonceLength),
            opening: opening, cookie: nil, began: now, wait: policy.timing.retransmit,
            deadline: now)
        begin(initiation, at: now, &output)
    }

    /// In bytes. Longer than a gateway's, whose answer has a notify or two more: one that is
    /// longer than its request would want a cookie first.
    private static let clientNonceLength = 64

    /// Sends the first request of a login, or the next first one.
    private func begin(_ initiation: Initiation, at now: Instant, _ output: inout Output) {
        let client = initiation.trail.policy
        var payloads: [AnyPayload]
        switch initiation.opening {
        case .keyExchange(let key):
            payloads = [
                .securityAssociation(offer(client.ikeSuites)),
                .keyExchange(
                    KeyExchangePayload(
                        group: key.exchange.group.transformID,
                        publicValue: key.exchange.publicValue)),
                .nonce(NoncePayload(initiation.nonce)),
            ]
        case .ticket(let ticket):
            payloads = [
                .nonce(NoncePayload(initiation.nonce)),
                .notify(NotifyPayload(.ticketOpaque, data: ticket.bytes)),
            ]
        }
        payloads += NATDetection.notifies(
            initiatorSPI: initiation.localSPI, responderSPI: 0, path: initiation.path,
            pretending: client.pretendsNAT)
        if client.supportsFragmentation {
            payloads.append(.notify(NotifyPayload(.fragmentationSupported)))
        }
        if let origin = initiation.trail.origin {
            payloads.append(.notify(origin.redirectedFrom))
        } else if client.followsRedirects {
            payloads.append(.notify(NotifyPayload(.redirectSupported)))
        }
        if let cookie = initiation.cookie {
            payloads.insert(.notify(NotifyPayload(.cookie, data: cookie)), at: 0)
        }
        var initiation = initiation
        initiation.request = plain(
            Header(
                initiatorSPI: initiation.localSPI, responderSPI: 0,
                exchange: initiation.exchange, fromInitiator: true, isResponse: false, messageID: 0),
            payloads)
        initiation.attempts = 0
        initiation.wait = policy.timing.retransmit
        initiation.deadline = now + initiation.wait
        initiations[initiation.localSPI] = initiation
        schedule(initiation)
        transmit(initiation.request, on: initiation.path, &output)
    }

    func expired(_ initiation: Initiation, at now: Instant, _ output: inout Output) {
        guard initiation.attempts < policy.timing.retransmissions else {
            return fail(initiation, .timeout, &output)
        }
        // A gateway that knows nothing of tickets says nothing to them.
        if case .ticket = initiation.opening, initiation.attempts >= Self.ticketAttempts {
            return logInInstead(initiation, at: now, &output)
        }
        var initiation = initiation
        initiation.attempts += 1
        initiation.wait = initiation.wait * policy.timing.backoff
        initiation.deadline = now + initiation.wait
        initiations[initiation.localSPI] = initiation
        schedule(initiation)
        retransmissionsSent += 1
        transmit(initiation.request, on: initiation.path, &output)
    }

    private func fail(
        _ initiation: Initiation, _ reason: AuthFailure, _ output: inout Output
    ) {
        initiations[initiation.localSPI] = nil
        output.notices.append(.failed(initiation.handle, reason))
    }

    func receiveInitResponse(
        _ header: Header, _ payloads: [AnyPayload], _ datagram: [UInt8], on path: Path,
        at now: Instant, _ output: inout Output
    ) {
        guard let initiation = initiations[header.initiatorSPI], !header.fromInitiator,
            header.messageID == 0, !initiation.isBehindUs(header, payloads)
        else { return output.drop(.unexpectedResponse, .spoofable, from: path) }
        if let redirect = payloads.notifies(.redirect).first {
            // Only who saw our request knows its nonce (RFC 5685 §3).
            guard initiation.trail.policy.followsRedirects,
                let (target, nonce) = RedirectTarget.parse(redirect), nonce == initiation.nonce
            else { return output.drop(.unexpectedMessage, .spoofable, from: path) }
            initiations[initiation.localSPI] = nil
            return followRedirect(target, initiation.handle, initiation.trail, at: now, &output)
        }
        if let cookie = payloads.notifies(.cookie).first {
            return restart(initiation, cookie: cookie.data, at: now, &output)
        }
        if case .ticket = initiation.opening, header.responderSPI == 0 {
            return logInInstead(initiation, at: now, &output)
        }
        if let wanted = payloads.notifies(.invalidKEPayload).first {
            let number = wanted.data.reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
            let suite = initiation.trail.policy.ikeSuites.first { $0.group.transformID == number }
            guard let suite else { return fail(initiation, .noProposalChosen, &output) }
            return restart(initiation, group: suite.group, at: now, &output)
        }
        guard payloads.error == nil else { return fail(initiation, .noProposalChosen, &output) }
        guard let sa = answered(initiation, header, payloads, datagram, at: now) else {
            return fail(initiation, .invalidSyntax, &output)
        }
        initiations[initiation.localSPI] = nil
        sas[sa.localSPI] = sa
        authenticate(sa, initiation, at: now, &output)
    }

    /// Asks again with a cookie or another group, and all else unchanged (RFC 7296 §1.2, §2.6).
    private func restart(
        _ initiation: Initiation, cookie: [UInt8]? = nil, group: DHGroup? = nil, at now: Instant,
        _ output: inout Output
    ) {
        guard initiation.restarts < 3 else { return fail(initiation, .noProposalChosen, &output) }
        var opening = initiation.opening
        if let group {
            guard let exchange = privateKey(group) else {
                return fail(initiation, .invalidSyntax, &output)
            }
            opening = .keyExchange(exchange)
        }
        let next = Initiation(
            handle: initiation.handle, trail: initiation.trail, localSPI: initiation.localSPI,
            path: initiation.path, natPath: initiation.natPath, request: [],
            nonce: initiation.nonce, opening: opening, cookie: cookie ?? initiation.cookie,
            began: initiation.began, wait: initiation.wait, deadline: now,
            restarts: initiation.restarts + 1)
        begin(next, at: now, &output)
    }

    /// How often a ticket is shown to a gateway that does not answer.
    private static let ticketAttempts = 2

    /// The gateway takes no ticket, or not this one (RFC 5723 §4.3.2).
    private func logInInstead(
        _ initiation: Initiation, at now: Instant, _ output: inout Output
    ) {
        guard let group = initiation.trail.policy.ikeSuites.first?.group else {
            return fail(initiation, .noProposalChosen, &output)
        }
        restart(initiation, group: group, at: now, &output)
    }

    private func answered(
        _ initiation: Initiation, _ header: Header, _ payloads: [AnyPayload],
        _ datagram: [UInt8], at now: Instant
    ) -> IKESA? {
        guard case .keyExchange(let key) = initiation.opening else {
            return resumed(initiation, header, payloads, datagram, at: now)
        }
        guard header.responderSPI != 0, let theirs = payloads.keyExchange,
            let nonce = payloads.nonce, let chosen = payloads.securityAssociation?.proposals,
            let agreement = choose(
                chosen, from: initiation.trail.policy.ikeSuites, group: theirs.group),
            agreement.suite.group == key.exchange.group,
            theirs.group == agreement.suite.group.transformID
        else { return nil }
        do throws(CryptoError) {
            let shared = try key.exchange.sharedSecret(with: theirs.publicValue)
            let nonces = initiation.nonce + nonce.bytes
            let keys = try IKEKeys(
                suite: agreement.suite,
                seed: try IKEKeys.seed(agreement.suite.prf, nonces: nonces, shared: shared),
                nonces: nonces, initiatorSPI: initiation.localSPI,
                responderSPI: header.responderSPI, weInitiated: true, tap: keyTap)
            let situation = NATDetection.situation(
                payloads, initiatorSPI: initiation.localSPI, responderSPI: header.responderSPI,
                path: initiation.path)
            let sa = IKESA(
                weInitiated: true, localSPI: initiation.localSPI, remoteSPI: header.responderSPI,
                suite: agreement.suite, keys: keys, path: initiation.natPath,
                phase: .awaitingAuthResponse(
                    ClientHandshake(
                        handle: initiation.handle, policy: initiation.trail.policy,
                        request: initiation.request, response: datagram,
                        initiatorNonce: initiation.nonce, responderNonce: nonce.bytes,
                        began: initiation.began, childSPI: newESPSPI(),
                        trail: initiation.trail)),
                now: now, nextID: 1)
            sa.nat = situation ?? NATSituation.none
            sa.extensions.fragmentation =
                initiation.trail.policy.supportsFragmentation
                && payloads.has(.fragmentationSupported)
            return sa
        } catch {
            return nil
        }
    }

    /// Sends IKE_AUTH.
    private func authenticate(
        _ sa: IKESA, _ initiation: Initiation, at now: Instant, _ output: inout Output
    ) {
        guard case .awaitingAuthResponse(let handshake) = sa.phase else { return }
        let client = handshake.policy
        let identity = IdentificationPayload(client.localIdentity)
        let auth: [UInt8]
        do throws(CryptoError) {
            auth = try handshake.auth(
                sa.suite.prf, message: handshake.request, nonce: handshake.responderNonce,
                key: sa.keys.initiatorAuth, identity: identity.bytes)
        } catch {
            forget(sa)
            return output.notices.append(.failed(handshake.handle, .wrongCredential))
        }
        var payloads: [AnyPayload] = [.identificationInitiator(identity)]
        if client.initialContact { payloads.append(.notify(NotifyPayload(.initialContact))) }
        if let remote = client.remoteIdentity {
            payloads.append(.identificationResponder(IdentificationPayload(remote)))
        }
        payloads.append(
            .authentication(AuthenticationPayload(method: .sharedKey, data: auth)))
        if !client.wantedAddresses.isEmpty {
            let wanted = client.wantedAddresses.flatMap { family in
                [family.addressAttribute, family == .ipv4 ? .ip4DNS : .ip6DNS]
            }
            payloads.append(
                .configuration(
                    ConfigurationPayload(
                        .request,
                        wanted.map { kind in
                            let again = client.requestedAddresses.first {
                                $0.family.addressAttribute == kind
                            }
                            return .init(kind, again.map { $0.family.value(of: $0) } ?? [])
                        })))
        }
        if !client.childless { payloads += childPayloads(client, spi: handshake.childSPI) }
        if client.supportsMobike {
            payloads.append(.notify(NotifyPayload(.mobikeSupported)))
            payloads += addressNotifies(besides: sa.path)
        }
        if !client.allowsNAT { payloads.append(.noNATs(on: sa.path)) }
        if client.wantsTicket { payloads.append(.notify(NotifyPayload(.ticketRequest))) }
        send(payloads, as: .ikeAuth, .authenticate, of: sa, at: now, &output)
        schedule(sa)
    }

    private func childPayloads(_ client: ClientPolicy, spi: UInt32) -> [AnyPayload] {
        [
            .securityAssociation(
                offer(client.espSuites, spi: spi, withGroup: false)),
            .trafficSelectorInitiator(TrafficSelectorPayload(client.localSelectors.map(\.wire))),
            .trafficSelectorResponder(
                TrafficSelectorPayload(client.remoteSelectors.map(\.wire))),
        ]
    }

    func receiveAuthResponse(
        _ payloads: [AnyPayload], of sa: IKESA, _ handshake: ClientHandshake, at now: Instant,
        _ output: inout Output
    ) {
        if let error = payloads.error {
            fail(sa, handshake, AuthFailure(error.kind), &output)
            return
        }
        guard proves(payloads, sa, handshake) else {
            return fail(sa, handshake, .wrongCredential, &output)
        }
        if let redirect = payloads.notifies(.redirect).first {
            return leave(sa, handshake, for: redirect, at: now, &output)
        }
        let addresses = payloads.configuration?.addresses ?? []
        let client = handshake.policy
        let session = Session(
            id: newSessionID(at: now),
            connection: SessionTerms(
                name: "client", localIdentity: client.localIdentity, ikeSuites: client.ikeSuites,
                espSuites: client.espSuites,
                rekey: client.rekey, livenessInterval: client.livenessInterval,
                pretendsNAT: client.pretendsNAT, allowsNAT: client.allowsNAT,
                wantsTicket: client.wantsTicket),
            identity: client.localIdentity, established: now, ikeSuiteName: sa.suite.name,
            ikeSPI: sa.localSPI)
        session.handle = handshake.handle
        session.trail = handshake.trail
        session.gatewayIdentity = payloads.identificationResponder.flatMap { Identity($0) }
        session.wasResumed = handshake.ticket != nil
        session.local =
            addresses.isEmpty ? client.localSelectors : addresses.map { Selector(host: $0) }
        session.remote = client.remoteSelectors
        if client.childless {
            inboundSPIs.remove(handshake.childSPI)
        } else if !installFirstChild(payloads, of: sa, session, handshake, at: now) {
            return fail(sa, handshake, .noProposalChosen, &output)
        }
        establish(sa, session, at: now)
        handshake.ticket?.isVoid = true
        keepTicket(payloads, of: sa, session, at: now)
        if client.supportsMobike { _ = negotiateMobike(payloads, of: sa, session) }
        output.notices.append(
            .connected(handshake.handle, session.id, virtualAddresses: addresses))
    }

    private func installFirstChild(
        _ payloads: [AnyPayload], of sa: IKESA, _ session: Session,
        _ handshake: ClientHandshake, at now: Instant
    ) -> Bool {
        guard let offers = payloads.securityAssociation?.proposals,
            let agreement = choose(offers, from: handshake.policy.espSuites, withGroup: false),
            let outboundSPI = agreement.proposal.espSPI,
            let theirs = payloads.trafficSelectorsInitiator,
            let ours = payloads.trafficSelectorsResponder
        else { return false }
        let terms = ChildTerms(
            suite: agreement.suite, inboundSPI: handshake.childSPI, outboundSPI: outboundSPI,
            localSelectors: theirs.compactMap { Selector($0) },
            remoteSelectors: ours.compactMap { Selector($0) },
            nonces: handshake.initiatorNonce + handshake.responderNonce, weAsked: true)
        return install(terms, of: sa, session, exchange: nil, outbound: true, at: now) != nil
    }

    private func proves(
        _ payloads: [AnyPayload], _ sa: IKESA, _ handshake: ClientHandshake
    ) -> Bool {
        guard let identity = payloads.identificationResponder, let auth = payloads.authentication,
            auth.method == .sharedKey,
            handshake.policy.remoteIdentity == nil
                || Identity(identity)?.canonicalBytes
                    == handshake.policy.remoteIdentity?.canonicalBytes,
            handshake.ticket == nil || Identity(identity) == handshake.ticket?.gatewayIdentity
        else { return false }
        do throws(CryptoError) {
            let expected = try handshake.auth(
                sa.suite.prf, message: handshake.response, nonce: handshake.initiatorNonce,
                key: sa.keys.responderAuth, identity: identity.bytes)
            return SecretBytes(copying: expected).matches(auth.data)
        } catch {
            return false
        }
    }

    func fail(
        _ sa: IKESA, _ handshake: ClientHandshake, _ reason: AuthFailure, _ output: inout Output
    ) {
        output.notices.append(.failed(handshake.handle, reason))
        forget(sa)
    }
}
