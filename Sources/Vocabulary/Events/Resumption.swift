/// A stranger shows a ticket.
package struct IKESessionResumeReceived: SourcedEvent {
    package var proof: Public<InitProof>
    package var source: Personal<IPAddress>
    package var sourceBits: Public<UInt64>
    package var count: Public<UInt64>

    package init(proof: InitProof, source: IPAddress) {
        self.proof = Public(proof)
        self.source = Personal(source)
        sourceBits = Public(source.bits)
        count = Public(1)
    }

    package var why: Public<InitProof> { proof }

    package static let schema = Schema<Self>(
        "ike_session_resume_received", since: 1, rfc: "5723 §4.3.2",
        "A new IKE_SESSION_RESUME request came, not counting retransmissions.",
        fields: [
            Field("proof", \.proof, "whether it came with a cookie of ours"),
            Field(
                "source", \.source, "where it came from; without a cookie, anybody can write that"),
            Field(
                "source_bits", \.sourceBits, in: .none,
                "how many bits of source are told: all, or under a flood 24, 48 or 0"),
            Field("count", \.count, in: .count, "how many within the second"),
        ],
        counters: [
            Counter(
                "ike_session_resume_received_total", "IKE_SESSION_RESUME requests received.",
                adding: { $0.count.clear })
        ])

    package static let example = Self(proof: .spoofable, source: .v4(0xc000_0207))
}

/// A ticket was not good enough: the peer has to log in anew.
package struct TicketRefused: SourcedEvent {
    package var reason: Public<TicketRefusal>
    package var proof: Public<InitProof>
    package var source: Personal<IPAddress>
    package var sourceBits: Public<UInt64>
    package var count: Public<UInt64>

    package init(reason: TicketRefusal, proof: InitProof, source: IPAddress) {
        self.reason = Public(reason)
        self.proof = Public(proof)
        self.source = Personal(source)
        sourceBits = Public(source.bits)
        count = Public(1)
    }

    package struct Why: Hashable, Sendable {
        let reason: Public<TicketRefusal>
        let proof: Public<InitProof>
    }
    package var why: Why { Why(reason: reason, proof: proof) }

    package static let schema = Schema<Self>(
        "ticket_refused", since: 1, rfc: "5723 §4.3.2",
        "An IKE_SESSION_RESUME request was refused.",
        fields: [
            Field("reason", \.reason, "what was wrong with the ticket, or the limit met"),
            Field("proof", \.proof, "whether the request came with a cookie of ours"),
            Field(
                "source", \.source, "where it came from; without a cookie, anybody can write that"),
            Field(
                "source_bits", \.sourceBits, in: .none,
                "how many bits of source are told: all, or under a flood 24, 48 or 0"),
            Field("count", \.count, in: .count, "how many within the second"),
        ],
        counters: [
            Counter(
                "ike_tickets_refused_total", "Resumptions refused.", by: "reason", \.reason,
                sparse: true, adding: { $0.count.clear })
        ])

    package static let example = Self(
        reason: .expired, proof: .spoofable, source: .v4(0xc000_0207))
}

/// A session has a ticket to come back with.
package struct TicketIssued: Event {
    package var session: Public<SessionID>
    package var lifetimeSeconds: Public<UInt64>

    package init(session: SessionID, lifetimeSeconds: UInt64) {
        self.session = Public(session)
        self.lifetimeSeconds = Public(lifetimeSeconds)
    }

    package static let schema = Schema<Self>(
        "ticket_issued", since: 1, rfc: "5723 §4.2",
        "A peer was given a ticket that can bring its session back.",
        fields: [
            Field("session", \.session, "the session"),
            Field("lifetime_seconds", \.lifetimeSeconds, in: .seconds, "how long it is good"),
        ],
        counters: [Counter("ike_tickets_issued_total", "Tickets issued.")])

    package static let example = Self(session: .example, lifetimeSeconds: 28_800)
}
