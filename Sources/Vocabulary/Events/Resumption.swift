/// A stranger shows a ticket.
package struct IKESessionResumeReceived: CoalescingEvent {
    package var source: Personal<IPAddress>
    package var count: Public<UInt64>

    package init(source: IPAddress) {
        self.source = Personal(source)
        count = Public(1)
    }

    package var likeness: Personal<IPAddress> { source }

    package static let schema = Schema<Self>(
        "ike_session_resume_received", since: 1, rfc: "5723 §4.3.2",
        "A new IKE_SESSION_RESUME request came, not counting retransmissions.",
        fields: [
            Field("source", \.source, "where it came from; anybody can write that"),
            Field("count", \.count, in: .count, "how many within the second"),
        ],
        counters: [
            Counter(
                "ike_session_resume_received_total", "IKE_SESSION_RESUME requests received.",
                adding: { $0.count.clear })
        ])

    package static let example = Self(source: .v4(0xc000_0207))
}

/// A ticket was not good enough: the peer has to log in anew.
package struct TicketRefused: CoalescingEvent {
    package var reason: Public<TicketRefusal>
    package var source: Personal<IPAddress>
    package var count: Public<UInt64>

    package init(reason: TicketRefusal, source: IPAddress) {
        self.reason = Public(reason)
        self.source = Personal(source)
        count = Public(1)
    }

    package struct Likeness: Hashable, Sendable {
        let reason: Public<TicketRefusal>
        let source: Personal<IPAddress>
    }
    package var likeness: Likeness { Likeness(reason: reason, source: source) }

    package static let schema = Schema<Self>(
        "ticket_refused", since: 1, rfc: "5723 §4.3.2",
        "An IKE_SESSION_RESUME request was refused.",
        fields: [
            Field("reason", \.reason, "what was wrong with the ticket, or the limit met"),
            Field("source", \.source, "where it came from; anybody can write that"),
            Field("count", \.count, in: .count, "how many within the second"),
        ],
        counters: [
            Counter(
                "ike_tickets_refused_total", "Resumptions refused.", by: "reason", \.reason,
                adding: { $0.count.clear })
        ])

    package static let example = Self(reason: .expired, source: .v4(0xc000_0207))
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
