import Crypto
import Vocabulary
import Wire

// IKE_SA_INIT, responder's side (RFC 7296 §1.2). What comes before anything is known of the peer
// holds for IKE_SESSION_RESUME too (RFC 5723 §4.3.2).

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
        guard datagram.count <= DefencePolicy.longestInit else {
            return output.drop(.tooLong, .spoofable, from: path)
        }
        let key = InitKey(datagram, from: path.remote)
        if let spi = initiated[key] { return answerAgain(spi, on: path, &output) }
        let request = InitRequest(
            header: header, payloads: payloads, datagram: datagram, key: key, path: path, now: now)
        let cookie = check(request)
        let proof = cookie == .valid ? InitProof.cookie : .spoofable
        announce(request, proof, &output)
        if let cause = demandsCookie(request, cookie) {
            return challenge(request, cause, &output)
        }
        switch request.showsTicket
            ? answerResumption(request, proof) : answerInit(request, proof)
        {
        case .success(let half):
            halfOpen.insert(half)
            initiated[key] = half.localSPI
            schedule(half)
            transmit(half.response, on: path, &output)
        case .failure(.amplifies): challenge(request, .amplification, &output)
        case .failure(.refused(let reason, let notify)):
            refuse(request, proof, reason, notify, &output)
        case .failure(.ticket(let reason, let notify)):
            output.events.append(
                TicketRefused(reason: reason, proof: proof, source: path.remote.address))
            if let notify { answer(request, proof, notify, &output) }
        }
    }

    private func announce(_ request: InitRequest, _ proof: InitProof, _ output: inout Output) {
        let source = request.path.remote.address
        if request.showsTicket {
            output.events.append(IKESessionResumeReceived(proof: proof, source: source))
        } else {
            output.events.append(IKESAInitReceived(proof: proof, source: source))
        }
    }

    /// The same request again gets the same answer (RFC 7296 §2.1), unless IKE_AUTH has followed
    /// and this is a late copy.
    private func answerAgain(_ spi: UInt64, on path: Path, _ output: inout Output) {
        if let half = halfOpen[spi] {
            half.retransmissions &+= 1
            transmit(half.response, on: path, &output)
        } else if let sa = sas[spi], case .awaitingAuth(let handshake) = sa.phase {
            sa.retransmissionsSeen += 1
            transmit(handshake.response, on: path, &output)
        } else {
            output.drop(.unexpectedMessage, .spoofable, from: path)
        }
    }

    /// A first request that is not a retransmission, and when and how it came.
    struct InitRequest {
        let header: Header
        let payloads: [AnyPayload]
        let datagram: [UInt8]
        let key: InitKey
        let path: Path
        let now: Instant

        /// It is an IKE_SESSION_RESUME.
        var showsTicket: Bool { header.exchange == .ikeSessionResume }
    }

    enum Rejection: Error {
        case refused(InitRejection, NotifyPayload?)
        case ticket(TicketRefusal, NotifyPayload?)
        /// The answer would be longer than the request, and its source may be spoofed.
        case amplifies

        static func silent(_ reason: InitRejection) -> Self { .refused(reason, nil) }
        static let invalidSyntax = Self.refused(.invalidSyntax, NotifyPayload(.invalidSyntax))
    }

    // MARK: Cookies (RFC 7296 §2.6)

    private enum Cookie { case none, valid, invalid }

    private func claim(_ request: InitRequest) -> CookieClaim? {
        request.payloads.nonce.map {
            CookieClaim(
                initiatorSPI: request.header.initiatorSPI, nonce: $0.bytes,
                source: request.path.remote.address)
        }
    }

    private func check(_ request: InitRequest) -> Cookie {
        guard let cookie = request.payloads.notifies(.cookie).first else { return .none }
        guard let claim = claim(request) else { return .invalid }
        return defence.isValid(cookie.data, for: claim, at: request.now, random) ? .valid : .invalid
    }

    private func demandsCookie(_ request: InitRequest, _ cookie: Cookie) -> CookieCause? {
        switch cookie {
        case .valid: nil
        case .invalid: .invalid
        case .none:
            defence.demandsCookie(
                request.path.remote.address, halfOpen: halfOpen, under: policy.defence,
                at: request.now)
        }
    }

    /// Asks for the request again, with a cookie. Keeps nothing.
    private func challenge(
        _ request: InitRequest, _ cause: CookieCause, _ output: inout Output
    ) {
        guard let claim = claim(request) else {
            if request.showsTicket {
                return output.events.append(
                    TicketRefused(
                        reason: .malformed, proof: .spoofable, source: request.path.remote.address))
            }
            return refuse(request, .spoofable, .invalidSyntax, nil, &output)
        }
        output.events.append(
            CookieChallenged(cause: cause, source: request.path.remote.address))
        let cookie = defence.cookie(for: claim, at: request.now, random)
        answer(request, .spoofable, NotifyPayload(.cookie, data: cookie), &output)
    }

    private func refuse(
        _ request: InitRequest, _ proof: InitProof, _ reason: InitRejection,
        _ notify: NotifyPayload?, _ output: inout Output
    ) {
        output.events.append(
            IKESAInitRejected(reason: reason, proof: proof, source: request.path.remote.address))
        if reason == .noProposalChosen {
            tellIfWeak(refused: request.payloads, from: request.path.remote.address, &output)
        }
        if let notify { answer(request, proof, notify, &output) }
    }

    /// Answers with one notify. Our SPI stays zero: there is no SA (RFC 7296 §2.6).
    private func answer(
        _ request: InitRequest, _ proof: InitProof, _ notify: NotifyPayload,
        _ output: inout Output
    ) {
        let header = Header(
            initiatorSPI: request.header.initiatorSPI, responderSPI: 0,
            exchange: request.header.exchange, fromInitiator: false, isResponse: true,
            messageID: 0)
        let bytes = plain(header, [.notify(notify)])
        // Nobody shall have us send more to a third party than he sends to us.
        guard proof != .spoofable || bytes.count <= request.datagram.count else {
            return output.drop(.amplification, proof.level, from: request.path)
        }
        transmit(bytes, on: request.path, &output)
    }

    // MARK: The answer

    private func answerInit(
        _ request: InitRequest, _ proof: InitProof
    ) -> Result<HalfOpen, Rejection> {
        let started = policy.stopwatch()
        let (payloads, source) = (request.payloads, request.path.remote.address)
        if draining != nil {
            guard let notify = redirect(payloads) else { return .failure(.silent(.draining)) }
            return .failure(.refused(.redirected, notify))
        }
        if let reason = limit(source) { return .failure(.silent(reason)) }
        if let type = payloads.unknownCritical {
            return .failure(
                .refused(
                    .unsupportedCriticalPayload,
                    NotifyPayload(.unsupportedCriticalPayload, data: [type.rawValue])))
        }
        guard let offers = payloads.securityAssociation, let theirs = payloads.keyExchange,
            let nonce = payloads.nonce
        else { return .failure(.invalidSyntax) }
        // Several connections may answer here; who it is comes later.
        let suites = policy.connections.flatMap(\.ikeSuites)
        guard let agreement = choose(offers.proposals, from: suites, group: theirs.group) else {
            return .failure(.refused(.noProposalChosen, NotifyPayload(.noProposalChosen)))
        }
        let group = agreement.suite.group
        guard theirs.group == group.transformID else {
            var wanted: [UInt8] = []
            wanted.put(group.transformID)
            return .failure(
                .refused(.invalidKEPayload, NotifyPayload(.invalidKEPayload, data: wanted)))
        }
        let spi = newIKESPI()
        var answer = sketch(request, agreement, spi: spi)
        guard proof != .spoofable || answer.length <= request.datagram.count else {
            return .failure(.amplifies)
        }
        if let reason = defence.takeKeyExchange(for: source, under: policy.defence, at: request.now)
        {
            return .failure(.silent(reason))
        }
        do throws(CryptoError) {
            let ours = try KeyExchange(group, random: random)
            let responderNonce = random.bytes(Self.nonceLength)
            let shared = try ours.sharedSecret(with: theirs.publicValue)
            let seed = try IKEKeys.seed(
                agreement.suite.prf, nonces: nonce.bytes + responderNonce, shared: shared)
            answer.publicValue = KeyExchangePayload(
                group: group.transformID, publicValue: ours.publicValue)
            answer.nonce = NoncePayload(responderNonce)
            return .success(
                HalfOpen(
                    localSPI: spi, initiatorSPI: request.header.initiatorSPI,
                    suite: agreement.suite, seed: seed, key: request.key,
                    request: request.datagram,
                    response: plain(answer.header, answer.payloads), path: request.path,
                    nat: NATDetection.situation(
                        payloads, initiatorSPI: request.header.initiatorSPI, responderSPI: 0,
                        path: request.path) ?? NATSituation.none,
                    received: request.now, workNanoseconds: policy.stopwatch() &- started))
        } catch {
            // A public value that is no point of its group (RFC 6989).
            return .failure(.invalidSyntax)
        }
    }

    /// In bytes; between 16 and 256 (RFC 7296 §2.10).
    static let nonceLength = 32

    /// The limit that forbids one more half-open IKE SA.
    func limit(_ source: IPAddress) -> InitRejection? {
        if halfOpen.count + lingering >= policy.halfOpenLimit { return .halfOpenLimit }
        if halfOpen.count(of: source) >= policy.defence.halfOpenPerSource {
            return .halfOpenSourceLimit
        }
        return nil
    }

    /// A response without what costs a key exchange.
    private struct InitAnswer {
        let header: Header
        let proposal: SecurityAssociationPayload
        /// Zeros, as long as what they stand for.
        var publicValue: KeyExchangePayload
        var nonce: NoncePayload
        let notifies: [AnyPayload]

        var payloads: [AnyPayload] {
            [.securityAssociation(proposal), .keyExchange(publicValue), .nonce(nonce)] + notifies
        }

        /// In bytes.
        var length: Int { Message.plain(header, payloads: payloads).count }
    }

    private func sketch(
        _ request: InitRequest, _ agreement: Agreement<IKESuite>, spi: UInt64
    ) -> InitAnswer {
        var notifies: [AnyPayload] = []
        if request.payloads.has(.natDetectionSourceIP) {
            notifies += NATDetection.notifies(
                initiatorSPI: request.header.initiatorSPI, responderSPI: spi, path: request.path,
                pretending: policy.forcesEncapsulation)
        }
        notifies.append(.notify(NotifyPayload(.childlessSupported)))
        if request.payloads.has(.fragmentationSupported) {
            notifies.append(.notify(NotifyPayload(.fragmentationSupported)))
        }
        let group = agreement.suite.group
        return InitAnswer(
            header: Header(
                initiatorSPI: request.header.initiatorSPI, responderSPI: spi,
                exchange: .ikeSAInit, fromInitiator: false, isResponse: true, messageID: 0),
            proposal: SecurityAssociationPayload([agreement.proposal]),
            publicValue: KeyExchangePayload(
                group: group.transformID,
                publicValue: Array(repeating: 0, count: group.publicValueLength)),
            nonce: NoncePayload(Array(repeating: 0, count: Self.nonceLength)),
            notifies: notifies)
    }
}
