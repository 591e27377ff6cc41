package import Vocabulary

/// An IKE message to be sent, without the non-ESP marker.
package struct Transmit: Sendable {
    package let path: Path
    package let bytes: [UInt8]

    package init(path: Path, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// What a client's driver needs to know of its own logins.
package enum Notice: Sendable {
    case connected(ConnectionHandle, SessionID, virtualAddresses: [IPAddress])
    case failed(ConnectionHandle, AuthFailure)
    case closed(ConnectionHandle, SessionEnd)
    /// The gateway sent it to another. To an address it goes by itself, and is connected there or
    /// fails; names are the driver's to look up, and the login has failed or the session is closed.
    case redirected(ConnectionHandle, RedirectTarget)
}

/// Names one login that this engine began.
package struct ConnectionHandle: Hashable, Sendable {
    let number: UInt64
}

/// Everything that one input caused. The driver carries it out and clears it.
package struct Output: Sendable {
    package var transmits: [Transmit] = []
    package var events: [any Event] = []
    package var notices: [Notice] = []
    /// Where a NAT keepalive is to go: one byte, 0xff (RFC 3948 §2.3).
    package var keepalives: [Path] = []

    package init() {}

    /// Empties it and keeps the memory.
    package mutating func clear() {
        transmits.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        notices.removeAll(keepingCapacity: true)
        keepalives.removeAll(keepingCapacity: true)
    }

    mutating func drop(_ reason: MessageDrop, _ proof: ProofLevel, from path: Path) {
        events.append(MessageDropped(reason: reason, proof: proof, source: path.remote.address))
    }
}
