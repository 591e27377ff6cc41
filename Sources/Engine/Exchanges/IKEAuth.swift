import Crypto
import ESP
import Vocabulary
import Wire

// IKE_AUTH with a shared key, responder's side (RFC 7296 §1.2, §2.15, §2.19).

extension Engine {
    /// Why an IKE_AUTH fails, what we know of the peer by then, and what we say.
    struct AuthRejection: Error {
        let reason: AuthFailure
        var method = AuthMethod.unknown
        var identity: Identity?
        var connection: String?
        var notify = NotifyPayload(.authenticationFailed)
    }

    func receiveAuth(
        _ header: Header, _ payloads: [AnyPayload], _ datagram: [UInt8], of sa: IKESA,
        _ handshake: ResponderHandshake, on path: Path, at now: Instant, _ output: inout Output
    ) {
        let started = policy.stopwatch()
        switch authenticate(payloads, of: sa, handshake, at: now) {
        case .failure(let rejection):
            respond([.notify(rejection.notify)], to: header, datagram, of: sa, on: path, &output)
            refuse(sa, rejection, at: now, &output)
        case .success(let login):
            do throws(AuthRejection) {
                let answer = try admit(login, payloads, of: sa, handshake, at: now, &output)
                let issued = issueTicket(asked: payloads, of: sa, sa.session, at: now)
                respond(
                    login.proof + answer + issued.payloads, to: header, datagram, of: sa,
                    on: path, &output)
                let work = handshake.workNanoseconds + (policy.stopwatch() &- started)
                announce(login, of: sa, handshake, workNanoseconds: work, at: now, &output)
                if let event = issued.event { output.events.append(event) }
            } catch {
                if let ticket = login.ticket { giveBack(ticket) }
                // The IKE SA would stand without a Child SA (RFC 7296 §1.2); a remote-access
                // user has no use for one. It hears that it is who it says, and what was wrong.
                respond(
                    login.proof + [.notify(error.notify)], to: header, datagram, of: sa,
                    on: path, &output)
                if error.reason == .noProposalChosen {
                    tellIfWeak(refused: payloads, from: path.remote.address, &output)
                }
                refuse(sa, error, at: now, &output)
            }
        }
    }

    /// A peer that proved who it is, and our proof in return.
    struct Login {
        let connection: Connection
        let identity: Identity
        let method: AuthMethod
        let proof: [AnyPayload]
        /// That it resumes its session with.
        var ticket: Ticket?
    }

    private func authenticate(
        _ payloads: [AnyPayload], of sa: IKESA, _ handshake: ResponderHandshake, at now: Instant
    ) -> Result<Login, AuthRejection> {
        guard payloads.unknownCritical == nil else {
            let data = [payloads.unknownCritical?.rawValue ?? 0]
            return .failure(
                AuthRejection(
                    reason: .unsupportedCriticalPayload,
                    notify: NotifyPayload(.unsupportedCriticalPayload, data: data)))
        }
        guard let claimed = payloads.identificationInitiator,
            payloads.asksForNoChild
                || payloads.securityAssociation != nil
                    && payloads.trafficSelectorsInitiator != nil
                    && payloads.trafficSelectorsResponder != nil
        else {
            return .failure(
                AuthRejection(reason: .invalidSyntax, notify: NotifyPayload(.invalidSyntax)))
        }
        if let ticket = handshake.ticket {
            return authenticate(payloads, claimed, by: ticket, of: sa, handshake, at: now)
        }
        guard let identity = Identity(claimed) else {
            return .failure(AuthRejection(reason: .unknownIdentity))
        }
        let candidates = connections(
            for: identity, asking: payloads.identificationResponder.flatMap { Identity($0) })
        // IKE_SA_INIT has chosen a suite of any connection's: who it is comes to light now.
        guard let connection = candidates.first(where: { $0.ikeSuites.contains(sa.suite) }) else {
            return .failure(
                AuthRejection(
                    reason: candidates.isEmpty ? .unknownIdentity : .noProposalChosen,
                    identity: identity, connection: candidates.first?.name))
        }
        var rejection = AuthRejection(
            reason: .methodNotAllowed, identity: identity, connection: connection.name)
        guard let auth = payloads.authentication, auth.method == .sharedKey else {
            return .failure(rejection)
        }
        rejection.method = .psk
        let ourID = IdentificationPayload(connection.localIdentity)
        do throws(CryptoError) {
            let pad = try keyPad(sa.suite.prf, connection.secret.bytes)
            let theirs = try sharedKeyAuth(
                sa.suite.prf, pad: pad, message: handshake.request,
                nonce: handshake.responderNonce, key: sa.keys.initiatorAuth,
                identity: claimed.bytes)
            guard SecretBytes(copying: theirs).matches(auth.data) else {
                return .failure(rejection.because(.wrongCredential))
            }
            let ours = try sharedKeyAuth(
                sa.suite.prf, pad: pad, message: handshake.response,
                nonce: handshake.initiatorNonce, key: sa.keys.responderAuth,
                identity: ourID.bytes)
            return .success(
                Login(
                    connection: connection, identity: identity, method: .psk,
                    proof: [
                        .identificationResponder(ourID),
                        .authentication(AuthenticationPayload(method: .sharedKey, data: ours)),
                    ]))
        } catch {
            return .failure(rejection.because(.wrongCredential))
        }
    }

    /// The connections that take this identity and answer to the name that the peer asks for.
    private func connections(for identity: Identity, asking: Identity?) -> [Connection] {
        policy.connections.filter { connection in
            connection.remoteIdentities.contains { $0.matches(identity) }
                && (asking == nil
                    || asking?.canonicalBytes == connection.localIdentity.canonicalBytes)
        }
    }

    /// Tells of a new session, its lease and its Child SA, in that order.
    private func announce(
        _ login: Login, of sa: IKESA, _ handshake: ResponderHandshake, workNanoseconds: UInt64,
        at now: Instant, _ output: inout Output
    ) {
        guard let session = sa.session else { return }
        let total = UInt64(clamping: (now - handshake.received).nanoseconds / 1_000)
        let authentication = (workNanoseconds &- handshake.workNanoseconds) / 1_000
        output.events.append(
            SessionEstablished(
                session: session.id, connection: session.connection.name,
                identity: session.identity, source: sa.path.remote.address,
                virtualAddress: session.virtualAddress,
                method: login.method, ikeSuite: sa.suite.name, espSuite: session.espSuiteName,
                nat: sa.nat,
                initiatorSPI: IKESPI(sa.initiatorSPI), responderSPI: IKESPI(sa.responderSPI),
                initMicroseconds: handshake.workNanoseconds / 1_000,
                authMicroseconds: authentication,
                totalMicroseconds: max(total, workNanoseconds / 1_000),
                retransmissions: sa.retransmissionsSeen, replaces: session.replaces,
                resumes: session.resumes))
        tellIfWeak(sa.suite, of: session, &output)
        if let lease = session.lease {
            for address in lease.addresses {
                output.events.append(
                    LeaseGranted(
                        session: session.id, pool: lease.pool, identity: session.identity,
                        address: VirtualAddress(address)))
            }
        }
        for child in session.children { announce(child, of: session, &output) }
    }

    /// Ends a handshake with an error that was just answered.
    func refuse(
        _ sa: IKESA, _ rejection: AuthRejection, at now: Instant, _ output: inout Output
    ) {
        output.events.append(
            IKEAuthFailed(
                reason: rejection.reason, method: rejection.method,
                proof: rejection.connection == nil ? .keyExchange : .identity,
                identity: rejection.identity, source: sa.path.remote.address,
                connection: rejection.connection))
        linger(sa, .refused, for: policy.timing.linger, at: now)
    }
}

extension Engine.AuthRejection {
    func because(
        _ reason: AuthFailure, _ notify: NotifyPayload.Kind = .authenticationFailed
    ) -> Self {
        Self(
            reason: reason, method: method, identity: identity, connection: connection,
            notify: NotifyPayload(notify))
    }
}

extension Identity {
    /// - Returns: nil for a type that we don't know.
    init?(_ payload: IdentificationPayload) {
        guard let kind = Kind(rawValue: payload.type), payload.data.count <= 1_024 else {
            return nil
        }
        self.init(kind: kind, bytes: payload.data)
    }
}

extension IdentificationPayload {
    init(_ identity: Identity) {
        self.init(type: identity.kind.rawValue, data: identity.bytes)
    }
}
