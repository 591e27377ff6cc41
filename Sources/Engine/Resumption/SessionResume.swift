import Crypto
import ESP
package import Vocabulary
import Wire

// IKE_SESSION_RESUME (RFC 5723 §4.3): a round trip without Diffie-Hellman that leads to IKE_AUTH.

extension Engine {
    /// Whether a message of this exchange means anything to us.
    func resumes(_ header: Header) -> Bool {
        policy.resumption != nil || header.isResponse && initiations[header.initiatorSPI] != nil
    }

    // MARK: The responder's side

    /// Answers a ticket. What comes of it is half-open like after IKE_SA_INIT, until IKE_AUTH shows
    /// that the peer has the keys.
    func answerResumption(
        _ request: InitRequest, _ proof: InitProof
    ) -> Result<HalfOpen, Rejection> {
        let started = policy.stopwatch()
        switch limit(request.path.remote.address) {
        case nil: break
        case .halfOpenSourceLimit: return .failure(.ticket(.halfOpenSourceLimit, nil))
        default: return .failure(.ticket(.halfOpenLimit, nil))
        }
        if let type = request.payloads.unknownCritical {
            return .failure(
                .ticket(
                    .unsupportedCriticalPayload,
                    NotifyPayload(.unsupportedCriticalPayload, data: [type.rawValue])))
        }
        let refusal = { (reason: TicketRefusal) in
            Rejection.ticket(reason, NotifyPayload(.ticketNack))
        }
        // The login that follows hears where to go (RFC 5685).
        guard draining == nil else { return .failure(refusal(.draining)) }
        guard let nonce = request.payloads.nonce,
            let shown = request.payloads.notifies(.ticketOpaque).first
        else { return .failure(refusal(.malformed)) }
        switch admitted(shown.data, at: request.now) {
        case .failure(let refused): return .failure(refusal(refused.reason))
        case .success((let ticket, let suite)):
            let spi = newIKESPI()
            let responderNonce = random.bytes(Self.nonceLength)
            let response = resumptionResponse(request, nonce: responderNonce, spi: spi)
            guard proof != .spoofable || response.count <= request.datagram.count else {
                return .failure(.amplifies)
            }
            do throws(CryptoError) {
                let seed = try IKEKeys.resumptionSeed(
                    suite.prf, skD: ticket.skD.bytes, nonces: nonce.bytes + responderNonce)
                return .success(
                    HalfOpen(
                        localSPI: spi, initiatorSPI: request.header.initiatorSPI, suite: suite,
                        seed: seed, key: request.key, request: request.datagram,
                        response: response, path: request.path,
                        nat: NATDetection.situation(
                            request.payloads, initiatorSPI: request.header.initiatorSPI,
                            responderSPI: 0, path: request.path) ?? NATSituation.none,
                        received: request.now, workNanoseconds: policy.stopwatch() &- started,
                        ticket: ticket))
            } catch {
                return .failure(refusal(.forged))
            }
        }
    }

    /// A ticket that is good as far as can be told before IKE_AUTH, and its algorithms.
    private func admitted(
        _ bytes: [UInt8], at now: Instant
    ) -> Result<(Ticket, IKESuite), RefusedTicket> {
        guard let vault = policy.resumption?.vault else {
            return .failure(RefusedTicket(.unknownKey))
        }
        let keys = vault.with { $0.keys }
        let wall = wallMilliseconds(at: now)
        return TicketFormat.open(bytes) { id in keys.first { $0.id == id } }.flatMap { ticket in
            if let objection = vault.with({ $0.objection(to: ticket, at: wall) }) {
                return .failure(RefusedTicket(objection))
            }
            return terms(of: ticket).map { (ticket, $0.1) }
        }
    }

    private func resumptionResponse(
        _ request: InitRequest, nonce: [UInt8], spi: UInt64
    ) -> [UInt8] {
        var payloads: [AnyPayload] = [.nonce(NoncePayload(nonce))]
        if request.payloads.has(.natDetectionSourceIP) {
            payloads += NATDetection.notifies(
                initiatorSPI: request.header.initiatorSPI, responderSPI: spi, path: request.path,
                pretending: policy.forcesEncapsulation)
        }
        if request.payloads.has(.fragmentationSupported) {
            payloads.append(.notify(NotifyPayload(.fragmentationSupported)))
        }
        return plain(
            Header(
                initiatorSPI: request.header.initiatorSPI, responderSPI: spi,
                exchange: .ikeSessionResume, fromInitiator: false, isResponse: true,
                messageID: 0), payloads)
    }

    // MARK: The client's side

    /// Comes back with a ticket; logs in if the gateway does not take it.
    ///
    /// - Parameters: as of ``connect(_:on:natPath:at:_:)``.
    /// - Returns: as that.
    package func resume(
        _ ticket: ResumptionTicket, _ client: ClientPolicy, on path: Path, natPath: Path,
        at now: Instant, _ output: inout Output
    ) -> ConnectionHandle? {
        // One that has expired, or was used, must not be shown (§4.3.1).
        guard now < ticket.expires, !ticket.isVoid else {
            return connect(client, on: path, natPath: natPath, at: now, &output)
        }
        let handle = newHandle()
        begin(
            handle, RedirectTrail(client, path: path, natPath: natPath), .ticket(ticket), at: now,
            &output)
        return handle
    }

    /// The IKE SA that the gateway has agreed to.
    func resumed(
        _ initiation: Initiation, _ header: Header, _ payloads: [AnyPayload],
        _ datagram: [UInt8], at now: Instant
    ) -> IKESA? {
        guard case .ticket(let ticket) = initiation.opening, header.responderSPI != 0,
            header.exchange == .ikeSessionResume, let nonce = payloads.nonce
        else { return nil }
        do throws(CryptoError) {
            let nonces = initiation.nonce + nonce.bytes
            let keys = try IKEKeys(
                suite: ticket.suite,
                seed: try IKEKeys.resumptionSeed(
                    ticket.suite.prf, skD: ticket.skD.bytes, nonces: nonces),
                nonces: nonces, initiatorSPI: initiation.localSPI,
                responderSPI: header.responderSPI, weInitiated: true, tap: keyTap)
            let sa = IKESA(
                weInitiated: true, localSPI: initiation.localSPI, remoteSPI: header.responderSPI,
                suite: ticket.suite, keys: keys, path: initiation.natPath,
                phase: .awaitingAuthResponse(
                    ClientHandshake(
                        handle: initiation.handle, policy: initiation.trail.policy,
                        request: initiation.request, response: datagram,
                        initiatorNonce: initiation.nonce, responderNonce: nonce.bytes,
                        began: initiation.began, childSPI: newESPSPI(),
                        trail: initiation.trail, ticket: ticket)),
                now: now, nextID: 1)
            sa.nat =
                NATDetection.situation(
                    payloads, initiatorSPI: initiation.localSPI,
                    responderSPI: header.responderSPI, path: initiation.path)
                ?? NATSituation.none
            sa.extensions.fragmentation =
                initiation.trail.policy.supportsFragmentation
                && payloads.has(.fragmentationSupported)
            return sa
        } catch {
            return nil
        }
    }
}

extension ClientHandshake {
    /// The AUTH value of either side, by the shared key or by the ticket.
    func auth(
        _ prf: PRF, message: [UInt8], nonce: [UInt8], key: borrowing SecretBytes,
        identity: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        guard ticket == nil else {
            return try resumptionAuth(
                prf, message: message, nonce: nonce, key: key, identity: identity)
        }
        return try sharedKeyAuth(
            prf, pad: keyPad(prf, policy.secret.bytes), message: message, nonce: nonce, key: key,
            identity: identity)
    }
}
