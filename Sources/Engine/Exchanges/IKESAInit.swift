import Crypto
import Vocabulary
import Wire

// IKE_SA_INIT, responder's side (RFC 7296 §1.2).

extension Engine {
    func receiveInit(
        _ header: Header, _ payloads: [AnyPayload], _ datagram: [UInt8], on path: Path,
        at now: Instant, _ output: inout Output
    ) {
        guard !header.isResponse else {
            return receiveInitResponse(header, payloads, datagram, on: path, at: now, &output)
        }
        guard header.fromInitiator, header.messageID == 0, header.responderSPI == 0 else {
            return output.drop(.malformed, .spoofable, from: path)
        }
        let key = InitKey(datagram, from: path.remote)
        if let sa = initiated[key].flatMap({ sas[$0] }) {
            // A late copy of what IKE_AUTH has followed is ignored (RFC 7296 §2.1).
            guard case .awaitingAuth(let handshake) = sa.phase else {
                return output.drop(.unexpectedMessage, .spoofable, from: path)
            }
            sa.retransmissionsSeen += 1
            return transmit(handshake.response, on: path, &output)
        }
        output.events.append(IKESAInitReceived(source: path.remote.address))
        switch answerInit(header, payloads, datagram, key, on: path, at: now) {
        case .success(let sa):
            sas[sa.localSPI] = sa
            initiated[key] = sa.localSPI
            halfOpen.insert(sa.localSPI)
            sa.timers[.halfOpen] = now + policy.timing.halfOpen
            if case .awaitingAuth(let handshake) = sa.phase {
                transmit(handshake.response, on: path, &output)
            }
            schedule(sa)
        case .failure(let rejection):
            output.events.append(
                IKESAInitRejected(reason: rejection.reason, source: path.remote.address))
            if rejection.reason == .noProposalChosen {
                tellIfWeak(refused: payloads, from: path.remote.address, &output)
            }
            guard let notify = rejection.notify else { return }
            // Our SPI stays zero: there is no SA (RFC 7296 §2.6).
            let answer = Header(
                initiatorSPI: header.initiatorSPI, responderSPI: 0, exchange: .ikeSAInit,
                fromInitiator: false, isResponse: true, messageID: 0)
            let bytes = plain(answer, [.notify(notify)])
            // Nobody gets more out of us than they put in: the source may be forged.
            guard bytes.count <= datagram.count else { return }
            transmit(bytes, on: path, &output)
        }
    }

    private struct Rejection: Error {
        let reason: InitRejection
        var notify: NotifyPayload?

        static func silent(_ reason: InitRejection) -> Self { Self(reason: reason) }
        static let invalidSyntax = Self(
            reason: .invalidSyntax, notify: NotifyPayload(.invalidSyntax))
    }

    private func answerInit(
        _ header: Header, _ payloads: [AnyPayload], _ datagram: [UInt8], _ key: InitKey,
        on path: Path, at now: Instant
    ) -> Result<IKESA, Rejection> {
        let started = policy.stopwatch()
        guard draining == nil else {
            guard let notify = redirect(payloads) else { return .failure(.silent(.draining)) }
            return .failure(Rejection(reason: .redirected, notify: notify))
        }
        guard halfOpen.count + lingering < policy.halfOpenLimit else {
            return .failure(.silent(.halfOpenLimit))
        }
        guard sessions.count < policy.sessionLimit || policy.eviction != .refuse else {
            return .failure(.silent(.sessionLimit))
        }
        if let type = payloads.unknownCritical {
            return .failure(
                Rejection(
                    reason: .unsupportedCriticalPayload,
                    notify: NotifyPayload(.unsupportedCriticalPayload, data: [type.rawValue])))
        }
        guard let offers = payloads.securityAssociation, let theirs = payloads.keyExchange,
            let nonce = payloads.nonce
        else { return .failure(.invalidSyntax) }
        // Several connections may answer here; who it is comes later.
        let suites = policy.connections.flatMap(\.ikeSuites)
        guard let agreement = choose(offers.proposals, from: suites, group: theirs.group) else {
            return .failure(
                Rejection(reason: .noProposalChosen, notify: NotifyPayload(.noProposalChosen)))
        }
        let group = agreement.suite.group
        guard theirs.group == group.transformID else {
            var wanted: [UInt8] = []
            wanted.put(group.transformID)
            return .failure(
                Rejection(
                    reason: .invalidKEPayload,
                    notify: NotifyPayload(.invalidKEPayload, data: wanted)))
        }
        do throws(CryptoError) {
            let ours = try KeyExchange(group, random: random)
            let spi = newIKESPI()
            let responderNonce = random.bytes(32)
            let shared = try ours.sharedSecret(with: theirs.publicValue)
            let nonces = nonce.bytes + responderNonce
            let keys = try IKEKeys(
                suite: agreement.suite,
                seed: try IKEKeys.seed(agreement.suite.prf, nonces: nonces, shared: shared),
                nonces: nonces, initiatorSPI: header.initiatorSPI, responderSPI: spi,
                weInitiated: false, tap: keyTap)
            let response = initResponse(
                header, agreement, publicValue: ours.publicValue, nonce: responderNonce, spi: spi,
                withNAT: payloads.has(.natDetectionSourceIP),
                withFragments: payloads.has(.fragmentationSupported), on: path)
            let handshake = ResponderHandshake(
                request: datagram, response: response, initiatorNonce: nonce.bytes,
                responderNonce: responderNonce, received: now,
                workNanoseconds: policy.stopwatch() &- started)
            let sa = IKESA(
                weInitiated: false, localSPI: spi, remoteSPI: header.initiatorSPI,
                suite: agreement.suite, keys: keys, path: path, phase: .awaitingAuth(handshake),
                now: now, initKey: key, expectedID: 1)
            sa.extensions.fragmentation = payloads.has(.fragmentationSupported)
            sa.extensions.redirection = payloads.followsRedirects
            sa.nat =
                NATDetection.situation(
                    payloads, initiatorSPI: header.initiatorSPI, responderSPI: 0, path: path)
                ?? NATSituation.none
            return .success(sa)
        } catch {
            // A public value that is no point of its group (RFC 6989).
            return .failure(.invalidSyntax)
        }
    }

    private func initResponse(
        _ request: Header, _ agreement: Agreement<IKESuite>, publicValue: [UInt8], nonce: [UInt8],
        spi: UInt64, withNAT: Bool, withFragments: Bool, on path: Path
    ) -> [UInt8] {
        var payloads: [AnyPayload] = [
            .securityAssociation(SecurityAssociationPayload([agreement.proposal])),
            .keyExchange(
                KeyExchangePayload(
                    group: agreement.suite.group.transformID, publicValue: publicValue)),
            .nonce(NoncePayload(nonce)),
        ]
        if withNAT {
            payloads += NATDetection.notifies(
                initiatorSPI: request.initiatorSPI, responderSPI: spi, path: path,
                pretending: policy.forcesEncapsulation)
        }
        payloads.append(.notify(NotifyPayload(.childlessSupported)))
        if withFragments { payloads.append(.notify(NotifyPayload(.fragmentationSupported))) }
        let header = Header(
            initiatorSPI: request.initiatorSPI, responderSPI: spi, exchange: .ikeSAInit,
            fromInitiator: false, isResponse: true, messageID: 0)
        return plain(header, payloads)
    }
}
