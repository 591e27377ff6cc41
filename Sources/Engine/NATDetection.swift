import Crypto
import Vocabulary
import Wire

/// NAT detection (RFC 7296 §2.23): each side tells a hash of the addresses that it sees.
enum NATDetection {
    /// `SHA-1(SPIi | SPIr | address | port)`.
    static func hash(initiatorSPI: UInt64, responderSPI: UInt64, _ endpoint: Endpoint) -> [UInt8] {
        var data: [UInt8] = []
        data.put(initiatorSPI)
        data.put(responderSPI)
        data += endpoint.address.bytes
        data.put(endpoint.port)
        return sha1(data)
    }

    /// The two notifies of a message.
    ///
    /// - Parameter pretending: hide our own address, so that the peer finds a NAT.
    static func notifies(
        initiatorSPI: UInt64, responderSPI: UInt64, path: Path, pretending: Bool
    ) -> [AnyPayload] {
        var source = hash(
            initiatorSPI: initiatorSPI, responderSPI: responderSPI, path.local)
        if pretending { source = sha1(source) }
        let destination = hash(
            initiatorSPI: initiatorSPI, responderSPI: responderSPI, path.remote)
        return [
            .notify(NotifyPayload(.natDetectionSourceIP, data: source)),
            .notify(NotifyPayload(.natDetectionDestinationIP, data: destination)),
        ]
    }

    /// Who is behind a NAT, by the peer's notifies. There may be several source hashes, of which
    /// one must fit. None at all: the peer does not know NAT traversal.
    static func situation(
        _ payloads: [AnyPayload], initiatorSPI: UInt64, responderSPI: UInt64, path: Path
    ) -> NATSituation? {
        let sources = payloads.notifies(.natDetectionSourceIP).map(\.data)
        let destinations = payloads.notifies(.natDetectionDestinationIP).map(\.data)
        guard !sources.isEmpty, !destinations.isEmpty else { return nil }
        let peer = !sources.contains(
            hash(initiatorSPI: initiatorSPI, responderSPI: responderSPI, path.remote))
        let us = !destinations.contains(
            hash(initiatorSPI: initiatorSPI, responderSPI: responderSPI, path.local))
        switch (peer, us) {
        case (true, true): return .both
        case (true, false): return .peer
        case (false, true): return .us
        case (false, false): return NATSituation.none
        }
    }
}
