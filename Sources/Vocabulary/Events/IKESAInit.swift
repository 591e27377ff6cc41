/// A stranger asks for an IKE SA.
package struct IKESAInitReceived: SourcedEvent {
    package var proof: Public<InitProof>
    package var origin: EventOrigin

    package init(proof: InitProof, source: IPAddress) {
        self.proof = Public(proof)
        origin = EventOrigin(source)
    }

    package var why: Public<InitProof> { proof }

    package static let schema = Schema<Self>(
        "ike_sa_init_received", since: 1, rfc: "7296 §1.2",
        "A new IKE_SA_INIT request came, not counting retransmissions.",
        fields: [
            Field("proof", \.proof, "whether it came with a cookie of ours")
        ] + .origin("where it came from; without a cookie, anybody can write that"),
        counters: [
            Counter(
                "ike_sa_init_received_total", "IKE_SA_INIT requests received.", by: "proof",
                \.proof, adding: { $0.count.clear })
        ])

    package static let example = Self(proof: .spoofable, source: .v4(0xc000_0207))
}

/// A stranger must prove its address first.
package struct CookieChallenged: SourcedEvent {
    package var cause: Public<CookieCause>
    package var origin: EventOrigin

    package init(cause: CookieCause, source: IPAddress) {
        self.cause = Public(cause)
        origin = EventOrigin(source)
    }

    package var why: Public<CookieCause> { cause }

    package static let schema = Schema<Self>(
        "cookie_challenged", since: 1, rfc: "7296 §2.6",
        "A first request was answered with a cookie, and forgotten.",
        fields: [
            Field("cause", \.cause, "what made it necessary")
        ] + .origin("where the request came from; anybody can write that"),
        counters: [
            Counter(
                "ike_cookies_challenged_total",
                "First requests answered with a cookie.", by: "cause", \.cause,
                adding: { $0.count.clear })
        ])

    package static let example = Self(cause: .halfOpen, source: .v4(0xc000_0207))
}

/// A stranger's IKE_SA_INIT was refused.
package struct IKESAInitRejected: SourcedEvent {
    package var reason: Public<InitRejection>
    package var proof: Public<InitProof>
    package var origin: EventOrigin

    package init(reason: InitRejection, proof: InitProof, source: IPAddress) {
        self.reason = Public(reason)
        self.proof = Public(proof)
        origin = EventOrigin(source)
    }

    package var why: Both<Public<InitRejection>, Public<InitProof>> { Both(reason, proof) }

    package static let schema = Schema<Self>(
        "ike_sa_init_rejected", since: 1, rfc: "7296 §2.21.1",
        "An IKE_SA_INIT request was answered with an error, or not at all.",
        fields: [
            Field("reason", \.reason, "the notify sent, or the limit met"),
            Field("proof", \.proof, "whether the request came with a cookie of ours"),
        ] + .origin("where it came from; without a cookie, anybody can write that"),
        counters: [
            Counter(
                "ike_sa_init_rejected_total", "IKE_SA_INIT requests refused.", by: "reason",
                \.reason, sparse: true, adding: { $0.count.clear })
        ])

    package static let example = Self(
        reason: .noProposalChosen, proof: .spoofable, source: .v4(0xc000_0207))
}
