import Crypto
import ESP
import Vocabulary
import Wire

// Protected messages: which SA, which message id, in and out of the Encrypted payload.

extension Engine {
    /// Answers what can't be read, where the RFC wants an answer.
    func reject(
        _ failure: ParseFailure, _ datagram: [UInt8], on path: Path, at now: Instant,
        _ output: inout Output
    ) {
        guard let header = failure.header, header.majorVersion > 2 else {
            output.drop(
                failure.header.map { $0.majorVersion < 2 } ?? false
                    ? .unsupportedVersion : .malformed,
                .spoofable, from: path)
            if let header = failure.header, header.exchange == .ikeSAInit, header.majorVersion == 2,
                !header.isResponse
            {
                output.events.append(
                    IKESAInitRejected(
                        reason: .invalidSyntax, proof: .spoofable, source: path.remote.address))
            }
            return
        }
        output.drop(.unsupportedVersion, .spoofable, from: path)
        guard !header.isResponse else { return }
        // RFC 7296 §2.5: say which version we do speak.
        let answer = Header(
            initiatorSPI: header.initiatorSPI, responderSPI: header.responderSPI,
            exchange: header.exchange, fromInitiator: !header.fromInitiator, isResponse: true,
            messageID: header.messageID)
        let bytes = plain(answer, [.notify(NotifyPayload(.invalidMajorVersion))])
        // Nobody gets more out of us than they put in: the source may be forged.
        guard bytes.count <= datagram.count, defence.takeError(at: now) else { return }
        transmit(bytes, on: path, &output)
    }

    func transmit(_ bytes: [UInt8], on path: Path, _ output: inout Output) {
        messagesSent += 1
        output.transmits.append(Transmit(path: path, bytes: bytes))
    }

    /// Takes a message whose payloads are encrypted.
    func receiveProtected(
        _ header: Header, _ sealed: SealedContents, _ datagram: [UInt8], on path: Path,
        at now: Instant, _ output: inout Output
    ) {
        // The sender's role tells which of the two SPIs is ours.
        let spi = header.fromInitiator ? header.responderSPI : header.initiatorSPI
        if let half = halfOpen[spi], header.messageID != half.expectedID {
            return output.drop(.messageID, .spoofable, from: path)
        }
        guard let sa = sas[spi] ?? halfOpen[spi].flatMap(wake) else {
            return output.drop(.unknownSPI, .spoofable, from: path)
        }
        guard sa.weInitiated != header.fromInitiator,
            sa.remoteSPI == (header.fromInitiator ? header.initiatorSPI : header.responderSPI)
        else { return output.drop(.unknownSPI, .spoofable, from: path) }

        if header.isResponse {
            guard let pending = sa.pending, pending.messageID == header.messageID else {
                return output.drop(.unexpectedResponse, .spoofable, from: path)
            }
        } else if header.messageID != sa.expectedID {
            return answerAgain(sa, header, datagram, on: path, &output)
        }

        let opened = decrypt(datagram, header, sealed, with: sa)
        if case .failure(.integrity) = opened {
            output.drop(.integrity, .spoofable, from: path)
            return distrust(sa, &output)
        }
        adopt(sa)
        switch opened {
        case .failure(.integrity): break
        case .failure(.syntax) where header.isResponse:
            output.drop(.malformed, sa.proof, from: path)
            end(sa, .protocolError, tellingPeer: false, at: now, &output)
        case .failure(.syntax):
            output.drop(.malformed, sa.proof, from: path)
            refuse(sa, header, datagram, .invalidSyntax, on: path, at: now, &output)
        case .success(let payloads):
            sa.lastHeard = now
            if header.isResponse {
                receiveResponse(header, payloads, datagram, of: sa, on: path, at: now, &output)
            } else {
                follow(sa, to: path, &output)
                receiveRequest(header, payloads, datagram, of: sa, on: path, at: now, &output)
            }
        }
        schedule(sa)
    }

    /// A request that is not the next: the last one again gets the same answer, to where it came
    /// from (RFC 7296 §2.1, §2.11); anything else gets nothing.
    private func answerAgain(
        _ sa: IKESA, _ header: Header, _ datagram: [UInt8], on path: Path, _ output: inout Output
    ) {
        guard let answer = sa.answered, answer.messageID == header.messageID,
            answer.fingerprint == datagram.hashValue
        else { return output.drop(.messageID, .spoofable, from: path) }
        sa.retransmissionsSeen += 1
        transmit(answer.bytes, on: path, &output)
    }

    enum Refusal: Error { case integrity, syntax }

    private func decrypt(
        _ datagram: [UInt8], _ header: Header, _ sealed: SealedContents, with sa: IKESA
    ) -> Result<[AnyPayload], Refusal> {
        let (iv, tag) = (sa.suite.aead.ivLength, sa.suite.aead.tagLength)
        let range = sealed.range
        guard range.count >= iv + tag + 1 else { return .failure(.integrity) }
        let body = (range.lowerBound + iv)..<(range.upperBound - tag)
        var packet = datagram
        do throws(CryptoError) {
            var bytes = packet.mutableSpan
            try sa.keys.opener.open(
                &bytes, aad: 0..<range.lowerBound, iv: range.lowerBound..<body.lowerBound,
                body: body)
        } catch {
            return .failure(.integrity)
        }
        do throws(WireError) {
            return .success(
                try parseDecrypted(packet.span.extracting(body), first: sealed.first))
        } catch {
            return .failure(.syntax)
        }
    }

    /// Writes a message in the clear.
    func plain(_ header: Header, _ payloads: [AnyPayload]) -> [UInt8] {
        trace?(Trace(header, payloads))
        return Message.plain(header, payloads: payloads)
    }

    /// Encrypts a message on an SA.
    private func encrypt(_ header: Header, _ payloads: [AnyPayload], with sa: IKESA) -> [UInt8] {
        trace?(Trace(header, payloads))
        let aead = sa.suite.aead
        let counter = sa.nextIV
        sa.nextIV += 1
        var iv: [UInt8] = []
        iv.put(counter)
        var (datagram, sealed) = Message.laidOut(
            header, payloads: payloads, iv: iv, tagLength: aead.tagLength)
        let body =
            (sealed.range.lowerBound + aead.ivLength)..<(sealed.range.upperBound - aead.tagLength)
        var bytes = datagram.mutableSpan
        do throws(CryptoError) {
            try sa.keys.sealer.seal(
                &bytes, aad: 0..<sealed.range.lowerBound, iv: counter, body: body)
        } catch {
            // Nothing that a peer sends leads here: the cipher is keyed and the ranges are ours.
            preconditionFailure("BUG: AEAD refused to seal: \(error)")
        }
        return datagram
    }

    func header(
        _ exchange: ExchangeType, of sa: IKESA, response: Bool, messageID: UInt32
    ) -> Header {
        Header(
            initiatorSPI: sa.initiatorSPI, responderSPI: sa.responderSPI, exchange: exchange,
            fromInitiator: sa.weInitiated, isResponse: response, messageID: messageID)
    }

    /// Answers the request that is being handled, and remembers the answer.
    func respond(
        _ payloads: [AnyPayload], to request: Header, _ datagram: [UInt8], of sa: IKESA,
        on path: Path, _ output: inout Output
    ) {
        let bytes = encrypt(
            header(request.exchange, of: sa, response: true, messageID: request.messageID),
            payloads, with: sa)
        sa.answered = Answer(
            messageID: request.messageID, fingerprint: datagram.hashValue, bytes: bytes)
        sa.expectedID &+= 1
        transmit(bytes, on: path, &output)
    }

    /// Begins an exchange of ours, now if none is under way, else after it.
    func request(_ job: Job, of sa: IKESA, at now: Instant, _ output: inout Output) {
        if !sa.jobs.contains(job), sa.pending?.job != job { sa.jobs.append(job) }
        beginNextJob(of: sa, at: now, &output)
    }

    func beginNextJob(of sa: IKESA, at now: Instant, _ output: inout Output) {
        while sa.pending == nil, !sa.jobs.isEmpty {
            let job = sa.jobs.removeFirst()
            guard let plan = plan(job, of: sa, at: now) else { continue }
            send(plan.payloads, as: plan.exchange, job, plan.context, of: sa, at: now, &output)
        }
    }

    func send(
        _ payloads: [AnyPayload], as exchange: ExchangeType, _ job: Job,
        _ context: RequestContext = RequestContext(), of sa: IKESA, at now: Instant,
        _ output: inout Output
    ) {
        let id = sa.nextID
        sa.nextID &+= 1
        let bytes = encrypt(
            header(exchange, of: sa, response: false, messageID: id), payloads, with: sa)
        let wait = policy.timing.retransmit
        sa.pending = PendingRequest(
            messageID: id, bytes: bytes, job: job, wait: wait, context: context)
        sa.timers[.retransmit] = now + wait
        transmit(bytes, on: sa.path, &output)
    }

    /// A peer that is behind a NAT may come from elsewhere at any time: what it proves itself
    /// from is where it is (RFC 7296 §2.23). One that is not stays where it was.
    func follow(_ sa: IKESA, to path: Path, _ output: inout Output) {
        guard path != sa.path else { return }
        if case .established = sa.phase {
            guard sa.nat == .peer || sa.nat == .both else { return }
            let before = sa.path
            sa.path = path
            guard let session = sa.session else { return }
            for child in session.children { dataplane.move(child.id, to: path) }
            output.events.append(
                AddressChanged(
                    session: session.id, cause: .natRebinding, from: before.remote.address,
                    to: path.remote.address))
        } else {
            // IKE_AUTH floats to the NAT traversal port.
            sa.path = path
        }
    }
}
