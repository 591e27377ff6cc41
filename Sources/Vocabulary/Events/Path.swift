/// The peer has moved, or its NAT has forgotten it.
package struct AddressChanged: Event {
    package var session: Public<SessionID>
    package var cause: Public<AddressChangeCause>
    package var from: Personal<IPAddress>
    package var to: Personal<IPAddress>

    package init(session: SessionID, cause: AddressChangeCause, from: IPAddress, to: IPAddress) {
        self.session = Public(session)
        self.cause = Public(cause)
        self.from = Personal(from)
        self.to = Personal(to)
    }

    package static let schema = Schema<Self>(
        "address_changed", since: 1, rfc: "7296 §2.23",
        "A peer's outer address or port changed, and its traffic follows.",
        fields: [
            Field("session", \.session, "the session"),
            Field("cause", \.cause, "how we learned of it"),
            Field("from_address", \.from, "the address before"),
            Field("to_address", \.to, "the address now; the same if only the port changed"),
        ],
        counters: [
            Counter("ike_address_changes_total", "Peers that moved.", by: "cause", \.cause)
        ])

    package static let example = Self(
        session: .example, cause: .natRebinding, from: .v4(0xc000_0207), to: .v4(0xc633_6409))
}

/// A peer does not answer any more.
package struct PeerDead: Event {
    package var session: Public<SessionID>
    package var retransmissions: Public<UInt64>

    package init(session: SessionID, retransmissions: UInt64) {
        self.session = Public(session)
        self.retransmissions = Public(retransmissions)
    }

    package static let schema = Schema<Self>(
        "peer_dead", since: 1, rfc: "7296 §2.4",
        "A peer left a request unanswered through all its retransmissions.",
        fields: [
            Field("session", \.session, "the session"),
            Field("retransmissions", \.retransmissions, in: .count, "how often we asked again"),
        ],
        counters: [Counter("ike_peers_dead_total", "Peers that stopped answering.")])

    package static let example = Self(session: .example, retransmissions: 5)
}

/// An IKE message had no effect.
package struct MessageDropped: SourcedEvent {
    package var reason: Public<MessageDrop>
    package var proof: Public<ProofLevel>
    package var origin: EventOrigin

    package init(reason: MessageDrop, proof: ProofLevel, source: IPAddress) {
        self.reason = Public(reason)
        self.proof = Public(proof)
        origin = EventOrigin(source)
    }

    package var why: Both<Public<MessageDrop>, Public<ProofLevel>> { Both(reason, proof) }

    package static let schema = Schema<Self>(
        "message_dropped", since: 1, rfc: "7296 §2.21.4",
        "IKE messages were ignored, as the RFC demands.",
        fields: [
            Field("reason", \.reason, "why"),
            Field("proof", \.proof, "how much the source address had proved"),
        ] + .origin("where they came from"),
        counters: [
            Counter(
                "ike_messages_dropped_total", "IKE messages ignored.", by: "reason", \.reason,
                adding: { $0.count.clear })
        ])

    package static let example = Self(
        reason: .unknownSPI, proof: .spoofable, source: .v4(0xc000_0207))
}
