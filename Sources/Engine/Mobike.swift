import Crypto
package import Vocabulary
import Wire

// MOBIKE (RFC 4555): a peer says where it is now, and keeps its SAs.

extension Engine {
    /// Other addresses that are told or remembered, at most.
    private static let addressLimit = 16

    // MARK: Negotiation, in IKE_AUTH (§3.1)

    /// Notes whether the peer speaks MOBIKE, and what of it we say in return.
    func negotiateMobike(_ payloads: [AnyPayload], of sa: IKESA, _ session: Session) -> [AnyPayload]
    {
        guard payloads.has(.mobikeSupported) else { return [] }
        sa.extensions.mobike = true
        session.noteAddresses(payloads)
        return [.notify(NotifyPayload(.mobikeSupported))] + addressNotifies(besides: sa.path)
    }

    /// What we say of our addresses: all but the one that the peer knows (§3.4).
    func addressNotifies(besides path: Path) -> [AnyPayload] {
        let others = policy.addresses.filter { $0 != path.local.address }.prefix(Self.addressLimit)
        guard !others.isEmpty else { return [.notify(NotifyPayload(.noAdditionalAddresses))] }
        return others.map { address in
            .notify(
                NotifyPayload(
                    address.isIPv4 ? .additionalIP4Address : .additionalIP6Address,
                    data: address.bytes))
        }
    }

    /// Whether the peer forbids NATs and there is one (§3.9).
    func isForbiddenNAT(_ payloads: [AnyPayload], on path: Path) -> Bool {
        payloads.notifies(.noNATsAllowed).contains {
            $0.data != path.addresses(from: path.remote, to: path.local)
        }
    }

    // MARK: The peer moves

    /// What an INFORMATIONAL request's notifies about paths add to its answer.
    func answerPaths(
        _ payloads: [AnyPayload], of sa: IKESA, on path: Path, at now: Instant
    ) -> PathAnswer {
        guard sa.isEstablished, let session = sa.session, sa.extensions.mobike else {
            return PathAnswer()
        }
        session.noteAddresses(payloads)
        // The proof that we read what is sent to us (§3.7). 8 to 64 bytes.
        var answer = PathAnswer(
            payloads: payloads.notifies(.cookie2).prefix(1).filter { $0.data.count <= 64 }
                .map { .notify($0) })
        // Only who began the first of its IKE SAs moves, whoever replaced that since (§3).
        let isUpdate = payloads.has(.updateSAAddresses) && session.handle == nil
        if isUpdate, isForbiddenNAT(payloads, on: path) {
            answer.payloads.append(.notify(NotifyPayload(.unexpectedNATDetected)))
            return answer
        }
        if isUpdate, !isAcceptable(path) {
            answer.payloads.append(.notify(NotifyPayload(.unacceptableAddresses)))
            return answer
        }
        if payloads.has(.natDetectionSourceIP) {
            answer.payloads += NATDetection.notifies(
                initiatorSPI: sa.initiatorSPI, responderSPI: sa.responderSPI, path: path,
                pretending: policy.forcesEncapsulation)
        }
        guard isUpdate else { return answer }
        if let situation = NATDetection.situation(
            payloads, initiatorSPI: sa.initiatorSPI, responderSPI: sa.responderSPI, path: path)
        {
            sa.nat = situation
            scheduleKeepalive(of: sa, at: now)
        }
        session.depart(from: sa.path.remote, to: path.remote)
        // IKE goes there at once; ESP when the peer has shown that it is there (§3.5).
        sa.path = path
        answer.needsVerification = session.path != path
        return answer
    }

    /// ESP has to be in UDP, and a tunnel can't run within itself.
    private func isAcceptable(_ path: Path) -> Bool {
        path.encapsulated && path.remote.port != 0
            && !pools.values.contains { $0.contains(path.remote.address) }
    }

    /// Return routability (§3.7): only who reads what is sent to that address knows the cookie.
    func planVerification(of sa: IKESA) -> Plan? {
        guard sa.isEstablished, sa.session?.path != sa.path else { return nil }
        let cookie = random.bytes(16)
        return Plan(
            .informational, [.notify(NotifyPayload(.cookie2, data: cookie))],
            RequestContext(nonce: cookie, path: sa.path))
    }

    func finishVerification(
        _ payloads: [AnyPayload], _ context: RequestContext, of sa: IKESA, at now: Instant,
        _ output: inout Output
    ) {
        guard payloads.notifies(.cookie2).contains(where: { $0.data == context.nonce }) else {
            // Somebody answers for a peer that does not hear us: the IKE SA must go.
            return end(sa, .protocolError, tellingPeer: true, at: now, &output)
        }
        // A cookie that was sent to two places proves nothing of the second.
        guard context.path == sa.path else {
            return request(.verifyPath, of: sa, at: now, &output)
        }
        if let session = sa.session { move(session, to: sa.path, .mobike, &output) }
    }

    // MARK: We move

    /// Our address, or the gateway's, has changed: tells the gateway, if it speaks MOBIKE, and
    /// sends everything the new way once it has agreed.
    ///
    /// - Returns: false if there is no such session, or its gateway does not speak MOBIKE.
    package func relocate(
        _ handle: ConnectionHandle, to path: Path, at now: Instant, _ output: inout Output
    ) -> Bool {
        guard let session = sessions.values.first(where: { $0.handle == handle }),
            let sa = sas[session.ikeSPI], sa.isEstablished, sa.extensions.mobike
        else { return false }
        sa.path = path
        request(.updateAddresses, of: sa, at: now, &output)
        schedule(sa)
        return true
    }

    /// Other addresses that the gateway of a session of ours can be reached at.
    package func gatewayAddresses(_ handle: ConnectionHandle) -> [IPAddress] {
        sessions.values.first { $0.handle == handle }?.peerAddresses ?? []
    }

    func planUpdate(of sa: IKESA) -> Plan? {
        guard sa.isEstablished else { return nil }
        var payloads: [AnyPayload] = [.notify(NotifyPayload(.updateSAAddresses))]
        payloads += NATDetection.notifies(
            initiatorSPI: sa.initiatorSPI, responderSPI: sa.responderSPI, path: sa.path,
            pretending: sa.session?.connection.pretendsNAT ?? false)
        if sa.session?.connection.allowsNAT == false {
            payloads.append(.noNATs(on: sa.path))
        }
        // Our other addresses are not what they were, either (§3.6).
        if !policy.addresses.isEmpty { payloads += addressNotifies(besides: sa.path) }
        return Plan(.informational, payloads, RequestContext(path: sa.path))
    }

    func finishUpdate(
        _ payloads: [AnyPayload], _ context: RequestContext, of sa: IKESA, at now: Instant,
        _ output: inout Output
    ) {
        guard let session = sa.session else { return }
        if payloads.has(.unexpectedNATDetected) {
            return end(sa, .protocolError, tellingPeer: true, at: now, &output)
        }
        // We moved on before the answer came: it is not about where we are now.
        guard context.path == sa.path else {
            return request(.updateAddresses, of: sa, at: now, &output)
        }
        guard payloads.error == nil else {
            // It stays as it was (§3.5).
            sa.path = session.path ?? sa.path
            return
        }
        if let situation = NATDetection.situation(
            payloads, initiatorSPI: sa.initiatorSPI, responderSPI: sa.responderSPI, path: sa.path)
        {
            sa.nat = situation
            scheduleKeepalive(of: sa, at: now)
        }
        move(session, to: sa.path, .mobike, &output)
    }
}

/// What an answer says of paths, and what it promises.
struct PathAnswer {
    var payloads: [AnyPayload] = []
    var needsVerification = false
}

extension Session {
    fileprivate func depart(from old: Endpoint, to new: Endpoint) {
        departed.removeAll { $0 == new || $0 == old }
        if old != new { departed = departed.suffix(3) + [old] }
    }

    /// Each message that speaks of the peer's addresses replaces what was known (RFC 4555 §3.6).
    fileprivate func noteAddresses(_ payloads: [AnyPayload]) {
        let told =
            (payloads.notifies(.additionalIP4Address)
            + payloads.notifies(.additionalIP6Address)).prefix(16)
        guard !told.isEmpty || payloads.has(.noAdditionalAddresses) else { return }
        peerAddresses = told.compactMap { IPAddress($0.data) }
    }
}

extension AnyPayload {
    /// NO_NATS_ALLOWED of a message that we send (RFC 4555 §4.2.6).
    static func noNATs(on path: Path) -> AnyPayload {
        .notify(
            NotifyPayload(
                .noNATsAllowed, data: path.addresses(from: path.local, to: path.remote)))
    }
}

extension Path {
    /// As NO_NATS_ALLOWED has them: addresses, then ports.
    fileprivate func addresses(from source: Endpoint, to destination: Endpoint) -> [UInt8] {
        var bytes = source.address.bytes + destination.address.bytes
        bytes.put(source.port)
        bytes.put(destination.port)
        return bytes
    }
}
