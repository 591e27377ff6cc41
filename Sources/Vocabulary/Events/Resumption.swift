/// A stranger shows a ticket.
package struct IKESessionResumeReceived: SourcedEvent {
    package var proof: Public<InitProof>
    package var origin: EventOrigin

    package init(proof: InitProof, source: IPAddress) {
        self.proof = Public(proof)
        origin = EventOrigin(source)
    }

    package var why: Public<InitProof> { proof }

    package static let schema = Schema<Self>(
        "ike_session_resume_received", since: 1, rfc: "5723 §4.3.2",
        "A new IKE_SESSION_RESUME request came, not counting retransmissions.",
        fields: [
            Field("proof", \.proof, "whether it came with a cookie of ours")
        ] + .origin("where it came from; without a cookie, anybody can write that"),
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
    package var origin: EventOrigin

    package init(reason: TicketRefusal, proof: InitProof, source: IPAddress) {
        self.reason = Public(reason)
        self.proof = Public(proof)
        origin = EventOrigin(source)
    }

    package var why: Both<Public<TicketRefusal>, Public<InitProof>> { Both(reason, proof) }

    package static let schema = Schema<Self>(
        "ticket_refused", since: 1, rfc: "5723 §4.3.2",
        "An IKE_SESSION_RESUME request was refused.",
        fields: [
            Field("reason", \.reason, "what was wrong with the ticket, or the limit met"),
            Field("proof", \.proof, "whether the request came with a cookie of ours"),
        ] + .origin("where it came from; without a cookie, anybody can write that"),
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
