import Testing
import Vocabulary

@Suite("Privacy")
struct PrivacyTests {
    /// What the examples hold of people.
    static let secrets = [
        "alice", "example.org", "192.0.2.7", "198.51.100.9", "10.88.0.1", "3221225991", "173539329",
    ]

    @Test("no personal value survives being printed", arguments: Catalogue.events)
    func printing(_ event: EventKind) {
        var dumped = ""
        dump(event.example, to: &dumped)
        let texts = [
            String(describing: event.example), String(reflecting: event.example),
            "\(event.example)", dumped,
            "\(Mirror(reflecting: event.example).children.map { "\($0.value)" })",
        ]
        for text in texts {
            for secret in Self.secrets { #expect(!text.contains(secret)) }
        }
    }

    @Test(
        "no personal value is in an event under pseudonyms, or omitted", arguments: Catalogue.events
    )
    func redacted(_ event: EventKind) {
        for treatment in [Disclosure.Treatment.omit, .pseudonym] {
            let text = "\(event.example.disclosed(under: .all(treatment)))"
            for secret in Self.secrets { #expect(!text.contains(secret)) }
        }
    }

    struct Case: Sendable {
        let value: Personal<Identity?>
        let clear: Datum
        let pseudonym: Datum
        let prefix: Datum
    }

    @Test(
        "identities",
        arguments: [
            Case(
                value: Personal(Identity("Alice@Example.org")), clear: .text("Alice@Example.org"),
                pseudonym: .text("id:616c696365406578616d706c652e6f7267"),
                prefix: .text("@Example.org")),
            Case(
                value: Personal(Identity("gw.lab")), clear: .text("gw.lab"),
                pseudonym: .text("id:67772e6c6162"), prefix: .null),
            Case(
                value: Personal(Identity("192.0.2.7")), clear: .text("192.0.2.7"),
                pseudonym: .text("id:01c0000207"), prefix: .null),
            Case(
                value: Personal(Identity(kind: .keyID, bytes: [0xab, 1])), clear: .text("#ab01"),
                pseudonym: .text("id:0bab01"), prefix: .null),
            Case(value: Personal(nil), clear: .null, pseudonym: .null, prefix: .null),
        ])
    func identities(_ example: Case) {
        #expect(example.value.datum(under: .all(.clear)) == example.clear)
        #expect(example.value.datum(under: .all(.pseudonym)) == example.pseudonym)
        #expect(example.value.datum(under: .all(.prefix)) == example.prefix)
        #expect(example.value.datum(under: .all(.omit)) == .null)
    }

    @Test(
        "addresses, outer and virtual",
        arguments: [
            ("192.0.2.7", "c0000207", "192.0.2.0/24"),
            ("2001:db8:1:2::7", "20010db8000100020000000000000007", "2001:db8:1::/48"),
        ])
    func addresses(_ text: String, bytes: String, prefix: String) throws {
        let address = try #require(IPAddress(text))
        let outer = Personal<IPAddress>(address)
        #expect(outer.datum(under: .all(.clear)) == .text(text))
        #expect(outer.datum(under: .all(.pseudonym)) == .text("addr:\(bytes)"))
        #expect(outer.datum(under: .all(.prefix)) == .text(prefix))
        #expect(outer.datum(under: .all(.omit)) == .null)
        let inner = Personal<VirtualAddress>(VirtualAddress(address))
        #expect(inner.datum(under: .all(.pseudonym)) == .text("vip:\(bytes)"))
        #expect(inner.datum(under: .all(.prefix)) == .text(prefix))
    }

    @Test("each purpose has its own treatment")
    func purposes() {
        let policy = Disclosure(
            identities: .omit, addresses: .prefix, virtualAddresses: .clear,
            pseudonymiser: Transparent())
        #expect(Purpose.allCases.map(policy.treatment) == [.omit, .prefix, .clear])
        let disclosed = LeaseGranted.example.disclosed(under: policy)
        #expect(disclosed.values.suffix(2) == [.null, .text("10.88.0.1")])
    }

    @Test("by default nothing is in the clear")
    func defaults() {
        let policy = Disclosure(pseudonymiser: Transparent())
        #expect(Purpose.allCases.allSatisfy { policy.treatment(of: $0) == .pseudonym })
    }

    @Test("equal values can be grouped without being read")
    func grouping() {
        func likeness(_ address: UInt32) -> SourcedLikeness<Public<InitProof>> {
            IKESAInitReceived(proof: .spoofable, source: .v4(address)).likeness
        }
        #expect(likeness(1) == likeness(1))
        #expect(likeness(1) != likeness(2))
    }
}
