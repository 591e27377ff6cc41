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
        sent.count(bytes)
        output.transmits.append(Transmit(path: path, bytes: bytes))
    }

    func transmit(_ datagrams: [[UInt8]], on path: Path, _ output: inout Output) {
        for datagram in datagrams { transmit(datagram, on: path, &output) }
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
            return answerAgain(sa, header, sealed, datagram, on: path, at: now, &output)
        }
        guard sealed.fragment == nil || sa.extensions.fragmentation else {
            return output.drop(.unexpectedMessage, sa.proof, from: path)
        }

        guard !sa.failures.isEmpty(DefencePolicy.invalid, at: now) else {
            return output.drop(.rateLimit, .spoofable, from: path)
        }
        let opened = contents(of: datagram, header, sealed, with: sa)
        if case .failure(.integrity) = opened {
            output.drop(.integrity, .spoofable, from: path)
            _ = sa.failures.take(of: DefencePolicy.invalid, at: now)
            return distrust(sa, &output)
        }
        adopt(sa)
        switch opened {
        case .failure(.integrity): break
        case .failure(.syntax): malformed(header, datagram, of: sa, on: path, at: now, &output)
        case .success(let contents):
            let part = ReceivedContents(
                contents: contents, first: sealed.first, datagram: datagram)
            let whole =
                sealed.fragment.map {
                    assemble(part, $0, header, of: sa, on: path, at: now, &output)
                } ?? part
            if let whole { take(whole, header, of: sa, on: path, at: now, &output) }
        }
        schedule(sa)
    }

    /// Takes a message that is decrypted and whole.
    private func take(
        _ message: ReceivedContents, _ header: Header, of sa: IKESA, on path: Path,
        at now: Instant, _ output: inout Output
    ) {
        discardFragments(of: sa)
        let payloads: [AnyPayload]
        do throws(WireError) {
            payloads = try parsePayloads(message.contents.span, first: message.first)
        } catch {
            return malformed(header, message.datagram, of: sa, on: path, at: now, &output)
        }
        sa.lastHeard = now
        if header.isResponse {
            receiveResponse(
                header, payloads, message.datagram, of: sa, on: path, at: now, &output)
        } else {
            follow(sa, to: path, &output)
            receiveRequest(
                header, payloads, message.datagram, of: sa, on: path, at: now, &output)
        }
    }

    /// An authentic message that is none.
    private func malformed(
        _ header: Header, _ datagram: [UInt8], of sa: IKESA, on path: Path, at now: Instant,
        _ output: inout Output
    ) {
        output.drop(.malformed, sa.proof, from: path)
        if header.isResponse {
            end(sa, .protocolError, tellingPeer: false, at: now, &output)
        } else {
            refuse(sa, header, datagram, .invalidSyntax, on: path, at: now, &output)
        }
    }

    /// A request that is not the next: the last one again gets the same answer, to where it came
    /// from (RFC 7296 §2.1, §2.11); anything else gets nothing.
    private func answerAgain(
        _ sa: IKESA, _ header: Header, _ sealed: SealedContents, _ datagram: [UInt8],
        on path: Path, at now: Instant, _ output: inout Output
    ) {
        guard let answer = sa.answered, answer.messageID == header.messageID else {
            return output.drop(.messageID, .spoofable, from: path)
        }
        // Of all the fragments that come again the first brings the answer (RFC 7383 §2.6.1).
        if let fragment = sealed.fragment, fragment.number > 1 { return }
        guard
            answer.fingerprint == datagram.hashValue
                || isCutAnew(datagram, header, sealed, of: sa, at: now)
        else { return output.drop(.messageID, .spoofable, from: path) }
        sa.retransmissionsSeen += 1
        retransmissionsReceived += 1
        transmit(answer.datagrams, on: path, &output)
    }

    /// Whether it is the first fragment of a request that the peer has cut anew, because it has
    /// learned what the path takes (RFC 7383 §2.5.2).
    private func isCutAnew(
        _ datagram: [UInt8], _ header: Header, _ sealed: SealedContents, of sa: IKESA,
        at now: Instant
    ) -> Bool {
        guard sealed.fragment?.number == 1, sa.extensions.fragmentation,
            !sa.failures.isEmpty(DefencePolicy.invalid, at: now)
        else { return false }
        guard case .failure(.integrity) = contents(of: datagram, header, sealed, with: sa) else {
            return true
        }
        _ = sa.failures.take(of: DefencePolicy.invalid, at: now)
        return false
    }

    enum Refusal: Error { case integrity, syntax }

    /// Decrypts an Encrypted payload or a fragment of one.
    ///
    /// - Returns: what is inside, without the padding.
    private func contents(
        of datagram: [UInt8], _ header: Header, _ sealed: SealedContents, with sa: IKESA
    ) -> Result<[UInt8], Refusal> {
        let cipher = sa.suite.cipher
        let range = sealed.range
        let length = range.count - cipher.ivLength - cipher.tagLength
        guard length >= 1, length % cipher.blockLength == 0 else { return .failure(.integrity) }
        let start = range.lowerBound + cipher.ivLength
        let body = start..<(start + length)
        var packet = datagram
        do throws(CryptoError) {
            var bytes = packet.mutableSpan
            try sa.keys.open(
                &bytes, aad: 0..<range.lowerBound, iv: range.lowerBound..<body.lowerBound,
                body: body)
        } catch {
            return .failure(.integrity)
        }
        do throws(WireError) {
            let length = try lengthWithoutPadding(packet.span.extracting(body))
            return .success(Array(packet[body.lowerBound..<(body.lowerBound + length)]))
        } catch {
            return .failure(.syntax)
        }
    }

    /// Writes a message in the clear.
    func plain(_ header: Header, _ payloads: [AnyPayload]) -> [UInt8] {
        trace?(Trace(header, payloads))
        return Message.plain(header, payloads: payloads)
    }

    /// Encrypts a message on an SA: one datagram, or several fragments of it.
    private func encrypt(
        _ header: Header, _ payloads: [AnyPayload], with sa: IKESA, on path: Path
    ) -> [[UInt8]] {
        trace?(Trace(header, payloads))
        let contents = Message.contents(payloads)
        let first = payloads.first?.type ?? .none
        return parts(of: contents, for: sa, on: path).map { part, fragment in
            seal(
                header, first: fragment.map { $0.number > 1 } ?? false ? .none : first,
                contents: part, fragment, with: sa)
        }
    }

    private func seal(
        _ header: Header, first: PayloadType, contents: [UInt8], _ fragment: Fragment?,
        with sa: IKESA
    ) -> [UInt8] {
        let cipher = sa.suite.cipher
        let counter = sa.nextIV
        sa.nextIV += 1
        var (datagram, sealed) = Message.laidOut(
            header, first: first, contents: contents, fragment: fragment,
            iv: Array(repeating: 0, count: cipher.ivLength), blockLength: cipher.blockLength,
            tagLength: cipher.tagLength)
        let start = sealed.range.lowerBound + cipher.ivLength
        let body = start..<(sealed.range.upperBound - cipher.tagLength)
        var bytes = datagram.mutableSpan
        do throws(CryptoError) {
            try sa.keys.seal(
                &bytes, aad: 0..<sealed.range.lowerBound, iv: counter, body: body)
        } catch {
            // Nothing that a peer sends leads here: the cipher is keyed and the ranges are ours.
            preconditionFailure("BUG: the cipher refused to seal: \(error)")
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
        let datagrams = encrypt(
            header(request.exchange, of: sa, response: true, messageID: request.messageID),
            payloads, with: sa, on: path)
        sa.answered = Answer(
            messageID: request.messageID, fingerprint: datagram.hashValue, datagrams: datagrams)
        sa.expectedID &+= 1
        transmit(datagrams, on: path, &output)
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
        let datagrams = encrypt(
            header(exchange, of: sa, response: false, messageID: id), payloads, with: sa,
            on: sa.path)
        let wait = policy.timing.retransmit
        sa.pending = PendingRequest(
            messageID: id, datagrams: datagrams, job: job, begun: now, wait: wait, context: context)
        sa.timers[.retransmit] = now + wait
        sa.lastSent = now
        schedule(sa)
        transmit(datagrams, on: sa.path, &output)
    }
}
