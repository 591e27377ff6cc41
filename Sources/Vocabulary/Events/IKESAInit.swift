/// A stranger asks for an IKE SA.
package struct IKESAInitReceived: CoalescingEvent {
    package var source: Personal<IPAddress>
    package var count: Public<UInt64>

    package init(source: IPAddress) {
        self.source = Personal(source)
        count = Public(1)
    }

    package var likeness: Personal<IPAddress> { source }

    package static let schema = Schema<Self>(
        "ike_sa_init_received", since: 1, rfc: "7296 §1.2",
        "A new IKE_SA_INIT request came, not counting retransmissions.",
        fields: [
            Field("source", \.source, "where it came from; anybody can write that"),
            Field("count", \.count, in: .count, "how many within the second"),
        ],
        counters: [
            Counter(
                "ike_sa_init_received_total", "IKE_SA_INIT requests received.",
                adding: { $0.count.clear })
        ])

    package static let example = Self(source: .v4(0xc000_0207))
}

/// A stranger's IKE_SA_INIT was refused.
package struct IKESAInitRejected: CoalescingEvent {
    package var reason: Public<InitRejection>
    package var source: Personal<IPAddress>
    package var count: Public<UInt64>

    package init(reason: InitRejection, source: IPAddress) {
        self.reason = Public(reason)
        self.source = Personal(source)
        count = Public(1)
    }

    package struct Likeness: Hashable, Sendable {
        let reason: Public<InitRejection>
        let source: Personal<IPAddress>
    }
    package var likeness: Likeness { Likeness(reason: reason, source: source) }

    package static let schema = Schema<Self>(
        "ike_sa_init_rejected", since: 1, rfc: "7296 §2.21.1",
        "An IKE_SA_INIT request was answered with an error, or not at all.",
        fields: [
            Field("reason", \.reason, "the notify sent, or the limit met"),
            Field("source", \.source, "where it came from; anybody can write that"),
            Field("count", \.count, in: .count, "how many within the second"),
        ],
        counters: [
            Counter(
                "ike_sa_init_rejected_total", "IKE_SA_INIT requests refused.", by: "reason",
                \.reason, adding: { $0.count.clear })
        ])

    package static let example = Self(reason: .noProposalChosen, source: .v4(0xc000_0207))
}
