/// An SA in use has an algorithm that is there for old clients only.
package struct WeakSuiteChosen: Event {
    package var session: Public<SessionID>
    package var sa: Public<SAKind>
    package var algorithm: Public<WeakAlgorithm>
    package var suite: Public<String>

    package init(session: SessionID, sa: SAKind, algorithm: WeakAlgorithm, suite: String) {
        self.session = Public(session)
        self.sa = Public(sa)
        self.algorithm = Public(algorithm)
        self.suite = Public(suite)
    }

    package static let schema = Schema<Self>(
        "weak_suite_chosen", since: 1, rfc: "8247 §2",
        "An SA has an algorithm that the configuration allows for old clients only.",
        fields: [
            Field("session", \.session, "the session"),
            Field("sa", \.sa, "which of its SAs"),
            Field("algorithm", \.algorithm, "the weakest of its algorithms"),
            Field("suite", \.suite, "all of its algorithms"),
        ],
        counters: [
            Counter(
                "ike_weak_suites_chosen_total", "SAs with an algorithm for old clients.",
                by: "algorithm", \.algorithm, among: WeakAlgorithm.ours)
        ])

    package static let example = Self(
        session: .example, sa: .ike, algorithm: .modp2048, suite: "aes256-sha256-modp2048")
}

/// A peer's offer could only have made a weak SA, and there is none.
package struct WeakSuiteRefused: SourcedEvent {
    package var sa: Public<SAKind>
    package var algorithm: Public<WeakAlgorithm>
    package var origin: EventOrigin

    package init(sa: SAKind, algorithm: WeakAlgorithm, source: IPAddress) {
        self.sa = Public(sa)
        self.algorithm = Public(algorithm)
        origin = EventOrigin(source)
    }

    package var why: Both<Public<SAKind>, Public<WeakAlgorithm>> { Both(sa, algorithm) }

    package static let schema = Schema<Self>(
        "weak_suite_refused", since: 1, rfc: "8247 §2",
        "No proposal was chosen, and one of those that a peer made could only have been weak.",
        fields: [
            Field("sa", \.sa, "which SA it was for"),
            Field("algorithm", \.algorithm, "the weakest that it could not have done without"),
        ] + .origin("where it came from; for IKE, anybody can write that"),
        counters: [
            Counter(
                "ike_weak_suites_refused_total", "Weak offers that no SA came of.",
                by: "sa", \.sa, adding: { $0.count.clear })
        ])

    package static let example = Self(
        sa: .ike, algorithm: .modp1024, source: .v4(0xc000_0207))
}
