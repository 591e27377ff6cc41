/// An IKE SA was replaced; the session goes on.
package struct IKESARekeyed: Event {
    package var session: Public<SessionID>
    package var initiator: Public<Initiator>
    package var retiredSPI: Public<IKESPI>
    package var successorSPI: Public<IKESPI>
    package var durationMicroseconds: Public<UInt64?>

    package init(
        session: SessionID, initiator: Initiator, retiredSPI: IKESPI, successorSPI: IKESPI,
        durationMicroseconds: UInt64? = nil
    ) {
        self.session = Public(session)
        self.initiator = Public(initiator)
        self.retiredSPI = Public(retiredSPI)
        self.successorSPI = Public(successorSPI)
        self.durationMicroseconds = Public(durationMicroseconds)
    }

    package static let schema = Schema<Self>(
        "ike_sa_rekeyed", since: 1, rfc: "7296 §2.8",
        "An IKE SA was replaced by its successor; the session and its Child SAs go on.",
        fields: [
            Field("session", \.session, "the session"),
            Field("initiator", \.initiator, "who began the rekey"),
            Field("retired_spi", \.retiredSPI, "our SPI of the IKE SA that ended"),
            Field("successor_spi", \.successorSPI, "our SPI of the IKE SA that began"),
            Field(
                "duration_us", \.durationMicroseconds, in: .microseconds,
                "from our request to its answer; null if the peer began"),
        ],
        counters: [
            Counter("ike_sa_rekeys_total", "IKE SAs replaced.", by: "initiator", \.initiator)
        ],
        histograms: [
            Histogram(
                "ike_sa_rekey_duration_seconds",
                "Time from our request to its answer, of rekeys of IKE SAs that we began.",
                buckets: [1], session: \Self.session, \.durationMicroseconds)
        ])

    package static let example = Self(
        session: .example, initiator: .us, retiredSPI: IKESPI(0x0100_0000_c0ff_ee01),
        successorSPI: IKESPI(0x0100_0000_c0ff_ee02), durationMicroseconds: 31_400)
}

/// An IKE SA is gone.
package struct IKESAClosed: Event {
    package var session: Public<SessionID>
    package var reason: Public<IKESAEnd>
    package var spi: Public<IKESPI>
    package var ageMilliseconds: Public<UInt64>

    package init(session: SessionID, reason: IKESAEnd, spi: IKESPI, ageMilliseconds: UInt64) {
        self.session = Public(session)
        self.reason = Public(reason)
        self.spi = Public(spi)
        self.ageMilliseconds = Public(ageMilliseconds)
    }

    package static let schema = Schema<Self>(
        "ike_sa_closed", since: 1, rfc: "7296 §1.4.1", "An IKE SA and its keys are gone.",
        fields: [
            Field("session", \.session, "the session"),
            Field("reason", \.reason, "why"),
            Field("spi", \.spi, "our SPI"),
            Field("age_ms", \.ageMilliseconds, in: .milliseconds, "how long it lived"),
        ])

    package static let example = Self(
        session: .example, reason: .sessionClosed, spi: IKESPI(0x0100_0000_c0ff_ee01),
        ageMilliseconds: 3_512_008)
}

/// A Child SA was replaced and traffic has moved to its successor.
package struct ChildSARekeyed: Event {
    package var session: Public<SessionID>
    package var retired: Public<ChildID>
    package var successor: Public<ChildID>
    package var initiator: Public<Initiator>
    package var ageMilliseconds: Public<UInt64>
    package var durationMicroseconds: Public<UInt64?>

    package init(
        session: SessionID, retired: ChildID, successor: ChildID, initiator: Initiator,
        ageMilliseconds: UInt64, durationMicroseconds: UInt64? = nil
    ) {
        self.session = Public(session)
        self.retired = Public(retired)
        self.successor = Public(successor)
        self.initiator = Public(initiator)
        self.ageMilliseconds = Public(ageMilliseconds)
        self.durationMicroseconds = Public(durationMicroseconds)
    }

    package static let schema = Schema<Self>(
        "child_sa_rekeyed", since: 1, rfc: "7296 §2.8",
        "A Child SA was replaced by its successor. The old one's counters come with its end.",
        fields: [
            Field("session", \.session, "the session"),
            Field("retired", \.retired, "the Child SA that ends"),
            Field("successor", \.successor, "the Child SA that begins"),
            Field("initiator", \.initiator, "who began the rekey"),
            Field("age_ms", \.ageMilliseconds, in: .milliseconds, "the retired one's age"),
            Field(
                "duration_us", \.durationMicroseconds, in: .microseconds,
                "from our request to its answer; null if the peer began"),
        ],
        counters: [
            Counter(
                "ipsec_child_sa_rekeys_total", "Child SAs replaced.", by: "initiator",
                \.initiator)
        ],
        histograms: [
            Histogram(
                "ipsec_child_sa_rekey_duration_seconds",
                "Time from our request to its answer, of rekeys of Child SAs that we began.",
                buckets: [1], session: \Self.session, \.durationMicroseconds)
        ])

    package static let example = Self(
        session: .example, retired: ChildID(41), successor: ChildID(57), initiator: .us,
        ageMilliseconds: 3_312_008, durationMicroseconds: 28_250)
}
