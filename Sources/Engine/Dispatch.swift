import ESP
import Vocabulary
import Wire

// Which exchange goes where, and what is said when it belongs nowhere.

extension Engine {
    func receiveRequest(
        _ header: Header, _ payloads: [AnyPayload], _ datagram: [UInt8], of sa: IKESA,
        on path: Path, at now: Instant, _ output: inout Output
    ) {
        switch sa.phase {
        case .awaitingAuth(let handshake):
            // Nothing but IKE_AUTH before it is known who speaks (CVE-2014-2338's class).
            guard header.exchange == .ikeAuth else {
                return output.drop(.unexpectedMessage, .keyExchange, from: path)
            }
            receiveAuth(
                header, payloads, datagram, of: sa, handshake, on: path, at: now, &output)
        case .awaitingAuthResponse:
            output.drop(.unexpectedMessage, .keyExchange, from: path)
        case .established, .superseded, .refused, .contested:
            // One that asks too much is not answered now. The window is one request, so that it
            // can but repeat this one, and is slowed down to what we allow.
            let weight = header.exchange == .createChildSA ? DefencePolicy.createChildWeight : 1
            guard sa.requests.take(weight, of: policy.defence.requests, at: now) else {
                return output.drop(.rateLimit, sa.proof, from: path)
            }
            settleContest(header, payloads, of: sa, on: path, at: now, &output)
            let answer = answer(header, payloads, of: sa, on: path, at: now, &output)
            switch answer {
            case .reply(let reply):
                respond(reply, to: header, datagram, of: sa, on: path, &output)
                if reply.error?.kind == .noProposalChosen {
                    tellIfWeak(refused: payloads, from: path.remote.address, &output)
                }
            case .replyThen(let payloads, let after):
                respond(payloads, to: header, datagram, of: sa, on: path, &output)
                after(&output)
            case .ignore(let reason): output.drop(reason, sa.proof, from: path)
            }
        }
    }

    /// What to do about a request.
    enum Reaction {
        case reply([AnyPayload])
        /// Answer, and then do what the answer promises.
        case replyThen([AnyPayload], (inout Output) -> Void)
        case ignore(MessageDrop)

        static func error(_ kind: NotifyPayload.Kind, _ data: [UInt8] = []) -> Self {
            .reply([.notify(NotifyPayload(kind, data: data))])
        }

        /// The same, saying more and then doing more.
        func adding(
            _ payloads: [AnyPayload], then more: ((inout Output) -> Void)? = nil
        ) -> Self {
            switch self {
            case .reply(let own):
                if let more { .replyThen(own + payloads, more) } else { .reply(own + payloads) }
            case .replyThen(let own, let after):
                .replyThen(own + payloads) { output in
                    after(&output)
                    more?(&output)
                }
            case .ignore: self
            }
        }
    }

    private func answer(
        _ header: Header, _ payloads: [AnyPayload], of sa: IKESA, on path: Path, at now: Instant,
        _ output: inout Output
    ) -> Reaction {
        if let type = payloads.unknownCritical {
            return .error(.unsupportedCriticalPayload, [type.rawValue])
        }
        switch header.exchange {
        case .informational:
            let reaction = answerInformational(payloads, of: sa, at: now, &output)
            let paths = answerPaths(payloads, of: sa, on: path, at: now)
            guard paths.needsVerification else { return reaction.adding(paths.payloads) }
            return reaction.adding(paths.payloads) { [self] output in
                request(.verifyPath, of: sa, at: now, &output)
            }
        case .createChildSA:
            return answerCreateChild(payloads, of: sa, at: now, &output)
        case .ikeAuth: return .ignore(.unexpectedMessage)
        default: return .ignore(.unknownExchange)
        }
    }

    func receiveResponse(
        _ header: Header, _ payloads: [AnyPayload], _ datagram: [UInt8], of sa: IKESA,
        on path: Path, at now: Instant, _ output: inout Output
    ) {
        guard let pending = sa.pending else { return }
        sa.pending = nil
        sa.timers[.retransmit] = nil
        switch pending.job {
        case .authenticate:
            guard case .awaitingAuthResponse(let handshake) = sa.phase else { return }
            receiveAuthResponse(payloads, of: sa, handshake, at: now, &output)
        case .liveness: dpdAnswered += 1
        case .deleteChild(let spi): finishDelete(spi, of: sa, at: now)
        case .redirect: break
        case .requestTicket: keepTicket(payloads, of: sa, sa.session, at: now)
        case .verifyPath: finishVerification(payloads, pending.context, of: sa, at: now, &output)
        case .updateAddresses: finishUpdate(payloads, pending.context, of: sa, at: now, &output)
        case .deleteIKE: return forget(sa)
        case .rekeyChild(let child):
            finishChild(
                replacing: child, payloads, pending, of: sa, at: now, &output)
        case .createChild:
            finishChild(replacing: nil, payloads, pending, of: sa, at: now, &output)
        case .rekeyIKE: finishIKERekey(payloads, pending, of: sa, at: now, &output)
        }
        guard sas[sa.localSPI] === sa else { return }
        if sa.isEstablished || !sa.jobs.isEmpty { beginNextJob(of: sa, at: now, &output) }
    }

    /// The request that a job needs.
    ///
    /// - Returns: nil if it is pointless by now.
    func plan(_ job: Job, of sa: IKESA, at now: Instant) -> Plan? {
        switch job {
        case .authenticate: nil
        case .liveness: Plan(.informational, [])
        case .verifyPath: planVerification(of: sa)
        case .updateAddresses: planUpdate(of: sa)
        case .deleteChild(let spi): Plan(.informational, [.delete(.children([spi]))])
        case .deleteIKE: Plan(.informational, [.delete(.ikeSA)])
        case .requestTicket: Plan(.informational, [.notify(NotifyPayload(.ticketRequest))])
        case .rekeyChild(let child): planChildRekey(child, of: sa)
        case .createChild(let shape): planChild(shape, of: sa)
        case .rekeyIKE: planIKERekey(of: sa)
        case .redirect:
            draining?.nextTarget().map { Plan(.informational, [.notify($0.redirect())]) }
        }
    }

    struct Plan {
        let exchange: ExchangeType
        let payloads: [AnyPayload]
        let context: RequestContext

        init(
            _ exchange: ExchangeType, _ payloads: [AnyPayload],
            _ context: RequestContext = RequestContext()
        ) {
            self.exchange = exchange
            self.payloads = payloads
            self.context = context
        }
    }
}
