/// Traffic can flow: a pair of ESP SAs is in place.
package struct ChildSAInstalled: Event {
    package var session: Public<SessionID>
    package var child: Public<ChildID>
    package var inboundSPI: Public<ESPSPI>
    package var outboundSPI: Public<ESPSPI>
    package var suite: Public<String>
    package var lifetimeMilliseconds: Public<UInt64>

    package init(
        session: SessionID, child: ChildID, inboundSPI: ESPSPI, outboundSPI: ESPSPI,
        suite: String, lifetimeMilliseconds: UInt64
    ) {
        self.session = Public(session)
        self.child = Public(child)
        self.inboundSPI = Public(inboundSPI)
        self.outboundSPI = Public(outboundSPI)
        self.suite = Public(suite)
        self.lifetimeMilliseconds = Public(lifetimeMilliseconds)
    }

    package static let schema = Schema<Self>(
        "child_sa_installed", since: 1, rfc: "7296 §1.3",
        "A Child SA is in place in both directions.",
        fields: [
            Field("session", \.session, "the session"),
            Field("child", \.child, "the Child SA's number within this run"),
            Field("inbound_spi", \.inboundSPI, "the SPI that we chose"),
            Field("outbound_spi", \.outboundSPI, "the SPI that the peer chose"),
            Field("suite", \.suite, "its algorithms"),
            Field(
                "lifetime_ms", \.lifetimeMilliseconds, in: .milliseconds,
                "when we shall rekey it, if the peer does not"),
        ],
        counters: [Counter("ipsec_child_sas_installed_total", "Child SAs put in place.")])

    package static let example = Self(
        session: .example, child: ChildID(41), inboundSPI: ESPSPI(0xc0ff_ee01),
        outboundSPI: ESPSPI(0x0bad_cafe), suite: "aes128gcm16", lifetimeMilliseconds: 3_300_000)
}

/// A Child SA is gone, and these are its last counts.
package struct ChildSAClosed: FinalTrafficEvent {
    package var session: Public<SessionID>
    package var child: Public<ChildID>
    package var reason: Public<ChildEnd>
    package var final: FinalTraffic

    package init(
        session: SessionID, child: ChildID, reason: ChildEnd, total: Traffic,
        uncertaintyMilliseconds: UInt64 = 0
    ) {
        self.session = Public(session)
        self.child = Public(child)
        self.reason = Public(reason)
        final = FinalTraffic(total, uncertaintyMilliseconds: uncertaintyMilliseconds)
    }

    package static let schema = Schema<Self>(
        "child_sa_closed", since: 1, rfc: "7296 §1.4.1",
        "A Child SA is gone in both directions; these are its final counters.",
        fields: [
            Field("session", \.session, "the session"),
            Field("child", \.child, "the Child SA's number within this run"),
            Field("reason", \.reason, "why it ended"),
        ] + .finalTraffic(),
        counters: [
            Counter("ipsec_child_sas_closed_total", "Child SAs that ended.", by: "reason", \.reason)
        ])

    package static let example = Self(
        session: .example, child: ChildID(41), reason: .rekeyed,
        total: Traffic(bytesIn: 120_000, packetsIn: 900, bytesOut: 840_000, packetsOut: 1_100))
}

/// ESP packets went nowhere.
package struct ESPDropped: CoalescingEvent {
    package var reason: Public<ESPDrop>
    package var session: Public<SessionID?>
    package var source: Personal<IPAddress?>
    package var count: Public<UInt64>

    package init(reason: ESPDrop, session: SessionID?, source: IPAddress?, count: UInt64 = 1) {
        self.reason = Public(reason)
        self.session = Public(session)
        self.source = Personal(source)
        self.count = Public(count)
    }

    package struct Likeness: Hashable, Sendable {
        let reason: Public<ESPDrop>
        let session: Public<SessionID?>
        let source: Personal<IPAddress?>
    }
    package var likeness: Likeness { Likeness(reason: reason, session: session, source: source) }

    package static let schema = Schema<Self>(
        "esp_dropped", since: 1, rfc: "4303 §3.4",
        "ESP packets of one kind were not forwarded.",
        fields: [
            Field("reason", \.reason, "why"),
            Field("session", \.session, "the session, if the SPI is one of ours"),
            Field("source", \.source, "where they came from; null for packets from the inside"),
            Field("count", \.count, in: .packets, "how many within the second"),
        ],
        counters: [
            Counter(
                "ipsec_packets_dropped_total", "Packets not forwarded.", by: "reason", \.reason,
                adding: { $0.count.clear })
        ])

    package static let example = Self(
        reason: .replay, session: .example, source: .v4(0xc000_0207), count: 3)
}
