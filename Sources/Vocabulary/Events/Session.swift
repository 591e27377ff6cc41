/// A user has logged in.
package struct SessionEstablished: Event {
    package var session: Public<SessionID>
    package var connection: Public<String>
    package var identity: Personal<Identity>
    package var source: Personal<IPAddress>
    package var virtualAddress: Personal<VirtualAddress?>
    package var method: Public<AuthMethod>
    package var ikeSuite: Public<String>
    package var espSuite: Public<String?>
    package var nat: Public<NATSituation>
    package var initiatorSPI: Public<IKESPI>
    package var responderSPI: Public<IKESPI>
    package var initMicroseconds: Public<UInt64>
    package var authMicroseconds: Public<UInt64>
    package var totalMicroseconds: Public<UInt64>
    package var retransmissions: Public<UInt64>
    package var replaces: Public<SessionID?>
    package var resumes: Public<SessionID?>

    package init(
        session: SessionID, connection: String, identity: Identity, source: IPAddress,
        virtualAddress: VirtualAddress?, method: AuthMethod, ikeSuite: String, espSuite: String?,
        nat: NATSituation, initiatorSPI: IKESPI, responderSPI: IKESPI,
        initMicroseconds: UInt64, authMicroseconds: UInt64, totalMicroseconds: UInt64,
        retransmissions: UInt64, replaces: SessionID? = nil, resumes: SessionID? = nil
    ) {
        self.session = Public(session)
        self.connection = Public(connection)
        self.identity = Personal(identity)
        self.source = Personal(source)
        self.virtualAddress = Personal(virtualAddress)
        self.method = Public(method)
        self.ikeSuite = Public(ikeSuite)
        self.espSuite = Public(espSuite)
        self.nat = Public(nat)
        self.initiatorSPI = Public(initiatorSPI)
        self.responderSPI = Public(responderSPI)
        self.initMicroseconds = Public(initMicroseconds)
        self.authMicroseconds = Public(authMicroseconds)
        self.totalMicroseconds = Public(totalMicroseconds)
        self.retransmissions = Public(retransmissions)
        self.replaces = Public(replaces)
        self.resumes = Public(resumes)
    }

    package static let schema = Schema<Self>(
        "session_established", since: 1, rfc: "7296 §1.2",
        "A user has logged in; the session begins.",
        fields: [
            Field("session", \.session, "the session's name for good"),
            Field("connection", \.connection, "the configured connection that matched"),
            Field("identity", \.identity, "who the peer proved to be"),
            Field("source", \.source, "where the peer is"),
            Field("virtual_address", \.virtualAddress, "the inner address it was given"),
            Field("method", \.method, "how the peer proved itself"),
            Field("ike_suite", \.ikeSuite, "the IKE SA's algorithms"),
            Field("esp_suite", \.espSuite, "the first Child SA's algorithms"),
            Field("nat", \.nat, "which side is behind a NAT"),
            Field("initiator_spi", \.initiatorSPI, "the IKE SA's initiator SPI"),
            Field("responder_spi", \.responderSPI, "the IKE SA's responder SPI"),
            Field("init_us", \.initMicroseconds, in: .microseconds, "our work on IKE_SA_INIT"),
            Field("auth_us", \.authMicroseconds, in: .microseconds, "our work on IKE_AUTH"),
            Field(
                "total_us", \.totalMicroseconds, in: .microseconds,
                "IKE_SA_INIT request in to the last IKE_AUTH response out"),
            Field(
                "retransmissions", \.retransmissions, in: .count,
                "requests that the peer sent more than once"),
            Field(
                "replaces", \.replaces,
                "the session of the same user whose place it takes; null for a login"),
            Field(
                "resumes", \.resumes,
                "the session that its ticket was issued to (RFC 5723); null for a login"),
        ],
        counters: [
            Counter(
                "ike_sessions_established_total", "Logins that succeeded.", by: "method",
                \.method)
        ],
        histograms: [
            Histogram(
                "ike_handshake_duration_seconds", "Time taken by handshakes that succeeded.",
                by: "stage",
                buckets: [0.001, 0.01, 0.05, 0.25, 1],
                session: \Self.session,
                [
                    (HandshakeStage.initiation, \.initMicroseconds),
                    (HandshakeStage.authentication, \.authMicroseconds),
                    (HandshakeStage.total, \.totalMicroseconds),
                ])
        ])

    package static let example = Self(
        session: .example, connection: "staff", identity: Identity("alice@example.org"),
        source: .v4(0xc000_0207), virtualAddress: VirtualAddress(.v4(0x0a58_0001)), method: .psk,
        ikeSuite: "aes128gcm16-prfsha256-x25519", espSuite: "aes128gcm16", nat: .peer,
        initiatorSPI: IKESPI(0x1122_3344_5566_7788), responderSPI: IKESPI(0x0100_0000_c0ff_ee01),
        initMicroseconds: 210, authMicroseconds: 340, totalMicroseconds: 24_500,
        retransmissions: 0)
}

extension SessionID {
    package static let example = SessionID(
        milliseconds: 1_795_000_000_000, random: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
}

/// A user's stay is over.
package struct SessionClosed: FinalTrafficEvent {
    package var session: Public<SessionID>
    package var reason: Public<SessionEnd>
    package var durationMilliseconds: Public<UInt64>
    package var final: FinalTraffic

    package init(
        session: SessionID, reason: SessionEnd, durationMilliseconds: UInt64, total: Traffic,
        uncertaintyMilliseconds: UInt64 = 0
    ) {
        self.session = Public(session)
        self.reason = Public(reason)
        self.durationMilliseconds = Public(durationMilliseconds)
        final = FinalTraffic(total, uncertaintyMilliseconds: uncertaintyMilliseconds)
    }

    package static let schema = Schema<Self>(
        "session_closed", since: 1, rfc: "7296 §1.4.1",
        "A session ended; the totals are of all its Child SAs.",
        fields: [
            Field("session", \.session, "the session"),
            Field("reason", \.reason, "why it ended"),
            Field(
                "duration_ms", \.durationMilliseconds, in: .milliseconds,
                "from session_established to its end"),
        ] + .finalTraffic(),
        counters: [
            Counter(
                "ike_sessions_closed_total", "Sessions that ended.", by: "reason", \.reason)
        ])

    package static let example = Self(
        session: .example, reason: .deletedByPeer, durationMilliseconds: 3_512_008,
        total: Traffic(
            bytesIn: 1_200_000, packetsIn: 9_000, bytesOut: 8_400_000, packetsOut: 11_000))
}
