/// A CREATE_CHILD_SA request was answered with an error.
package struct CreateChildSARefused: CoalescingEvent {
    package var session: Public<SessionID?>
    package var initiator: Public<Initiator>
    package var kind: Public<CreateChildKind>
    package var reason: Public<CreateChildRefusal>
    package var count: Public<UInt64>

    package init(
        session: SessionID?, initiator: Initiator, kind: CreateChildKind,
        reason: CreateChildRefusal
    ) {
        self.session = Public(session)
        self.initiator = Public(initiator)
        self.kind = Public(kind)
        self.reason = Public(reason)
        count = Public(1)
    }

    package struct Likeness: Hashable, Sendable {
        let session: Public<SessionID?>
        let initiator: Public<Initiator>
        let kind: Public<CreateChildKind>
        let reason: Public<CreateChildRefusal>
    }
    package var likeness: Likeness {
        Likeness(session: session, initiator: initiator, kind: kind, reason: reason)
    }

    package static let schema = Schema<Self>(
        "create_child_sa_refused", since: 1, rfc: "7296 §1.3",
        "A new Child SA, or a rekey, was asked for and refused; the session goes on.",
        fields: [
            Field("session", \.session, "the session; null once its IKE SA was replaced"),
            Field("initiator", \.initiator, "who had asked"),
            Field("kind", \.kind, "what for"),
            Field("reason", \.reason, "why"),
            Field("count", \.count, in: .count, "how many within the second"),
        ],
        counters: [
            Counter(
                "ike_create_child_sa_refusals_total", "CREATE_CHILD_SA requests refused.",
                by: "reason", \.reason, sparse: true, adding: { $0.count.clear }),
            Counter(
                "ike_create_child_sa_refusals_by_initiator_total",
                "CREATE_CHILD_SA requests refused, by who had asked.",
                by: "initiator", \.initiator, adding: { $0.count.clear }),
            Counter(
                "ike_create_child_sa_refusals_by_kind_total",
                "CREATE_CHILD_SA requests refused, by what they had asked for.",
                by: "kind", \.kind, adding: { $0.count.clear }),
        ])

    package static let example = Self(
        session: .example, initiator: .peer, kind: .newChild, reason: .noAdditionalSAs)
}

/// Both sides replaced the same SA at once.
package struct RekeyCollision: Event {
    package var session: Public<SessionID?>
    package var kind: Public<SAKind>
    package var survivor: Public<Initiator>

    package init(session: SessionID?, kind: SAKind, survivor: Initiator) {
        self.session = Public(session)
        self.kind = Public(kind)
        self.survivor = Public(survivor)
    }

    package static let schema = Schema<Self>(
        "rekey_collision", since: 1, rfc: "7296 §2.8.1",
        "Both sides rekeyed the same SA at once; the successor with the lowest nonce goes.",
        fields: [
            Field("session", \.session, "the session; null if it ended meanwhile"),
            Field("kind", \.kind, "which sort of SA"),
            Field("survivor", \.survivor, "whose rekey stands"),
        ],
        counters: [
            Counter(
                "ike_rekey_collisions_total", "Rekeys that both sides began at once.", by: "kind",
                \.kind)
        ])

    package static let example = Self(session: .example, kind: .child, survivor: .peer)
}
