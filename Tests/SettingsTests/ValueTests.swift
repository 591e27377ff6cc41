import Engine
import Testing
import Vocabulary

@testable import Settings

@Suite("Values")
struct ValueTests {
    @Test(
        "proposals print as they are written",
        arguments: [
            ("aes256gcm16-prfsha384-ecp256", "aes256gcm16-prfsha384-ecp256"),
            ("aes128gcm16-prfsha256-curve25519", "aes128gcm16-prfsha256-x25519"),
            ("aes128gcm16-prfsha512-x25519", "aes128gcm16-prfsha512-x25519"),
            ("chacha20poly1305-prfsha256-curve448", "chacha20poly1305-prfsha256-x448"),
            ("aes256ccm16-prfsha384-ecp384", "aes256ccm16-prfsha384-ecp384"),
            ("aes256-sha256-modp2048", "aes256-sha256-modp2048"),
            ("aes256-sha256-prfsha256-modp2048", "aes256-sha256-modp2048"),
            ("aes128-sha384-prfsha512-modp4096", "aes128-sha384-prfsha512-modp4096"),
            ("aes128ctr-sha512-ecp521", "aes128ctr-sha512-ecp521"),
        ])
    func ike(_ example: (written: String, printed: String)) throws {
        #expect(try IKESuite(written: example.written).name == example.printed)
    }

    @Test(
        "so do ESP's",
        arguments: [
            "aes128gcm16", "aes256gcm16-x25519", "aes256gcm16-ecp256", "chacha20poly1305",
            "aes128ccm16-modp3072", "aes256-sha256", "aes256ctr-sha512-ecp384",
        ])
    func esp(_ written: String) throws {
        #expect(try ESPSuite(written: written).name == written)
    }

    @Test(
        "refused proposals",
        arguments: [
            "", "-", "aes128gcm16", "aes128gcm16-prfsha256", "a-b-c-d",
            "prfsha256-aes128gcm16-x25519", "aes256-modp2048", "aes256-sha256",
            "aes256-sha256-modp2048-x25519", "aes256-sha1-modp2048", "3des-sha256-modp2048",
            "aes256gcm16-sha256-prfsha256-ecp256", "aes256-sha256-modp1024",
            "aes256-prfsha256-sha256-modp2048",
        ])
    func refusedIKE(_ written: String) {
        #expect(throws: Refusal.self) { try IKESuite(written: written) }
    }

    @Test(
        "pools",
        arguments: [
            ("10.88.0.0/24", "10.88.0.1-10.88.0.254", 254),
            ("10.88.0.0/31", "10.88.0.0-10.88.0.1", 2),
            ("10.88.0.7", "10.88.0.7-10.88.0.7", 1),
            ("10.88.0.10-10.88.1.9", "10.88.0.10-10.88.1.9", 256),
            ("10.88.0.10 - 10.88.0.11", "10.88.0.10-10.88.0.11", 2),
            ("fd00::/112", "fd00::1-fd00::ffff", 65_535),
            (
                "fd00::ffff:ffff:ffff:fff0-fd00:0:0:1::f",
                "fd00::ffff:ffff:ffff:fff0-fd00:0:0:1::f", 32
            ),
        ] as [(String, String, UInt64)])
    func ranges(_ example: (written: String, printed: String, count: UInt64)) throws {
        let range = try AddressRange(example.written)
        #expect(range.description == example.printed)
        #expect(range.count == example.count)
        #expect(range.contains(range.first) && range.contains(range.last))
    }

    @Test(
        "refused pools",
        arguments: [
            "", "-", "/", "10.0.0.0/33", "10.0.0.0/", "0.0.0.0/0", "fd00::/64", "::/0", "::-ffff::",
            "10.0.0.1-fd00::1", "a-b", "10.0.0.1-10.0.0.2-10.0.0.3",
        ])
    func refusedRanges(_ written: String) {
        #expect(throws: Refusal.self) { try AddressRange(written) }
    }

    @Test("overlap is symmetric")
    func overlap() throws {
        let ranges = try ["10.0.0.1-10.0.0.9", "10.0.0.9-10.0.0.20", "10.0.0.21", "fd00::1"]
            .map { text throws in try AddressRange(text) }
        #expect(ranges[0].overlaps(ranges[1]) && ranges[1].overlaps(ranges[0]))
        #expect(!ranges[1].overlaps(ranges[2]) && !ranges[2].overlaps(ranges[1]))
        #expect(!ranges[0].overlaps(ranges[3]) && !ranges[3].overlaps(ranges[0]))
    }

    @Test(
        "identities and patterns",
        arguments: [
            ("*@example.org", Identity("Alice@EXAMPLE.org"), true),
            ("*@Example.org", Identity(kind: .fqdn, bytes: Array("bob@example.org".utf8)), true),
            ("*@example.org", Identity("@example.org"), false),
            ("*@example.org", Identity("alice@example.org.evil.net"), false),
            ("*.org", Identity(kind: .keyID, bytes: Array("a.org".utf8)), false),
            ("*", Identity(kind: .keyID, bytes: [0xff]), true),
            ("gw.lab", Identity("GW.lab"), true),
            ("gw.lab", Identity("gw.lab2"), false),
            ("192.0.2.7", Identity("192.0.2.7"), true),
            ("192.0.2.7", Identity(kind: .fqdn, bytes: [1, 192, 0, 2, 7]), false),
            ("192.0.2.7", Identity(kind: .fqdn, bytes: Array("192.0.2.7".utf8)), false),
        ])
    func patterns(_ example: (pattern: String, identity: Identity, matches: Bool)) throws {
        let pattern = try IdentityPattern(written: example.pattern)
        #expect(pattern.matches(example.identity) == example.matches)
    }

    @Test(
        "suggestions",
        arguments: [
            ("listn", "listen"), ("prot", "port"), ("Listen", "listen"), ("nat-port", "nat_port"),
            ("x", nil), ("", nil), ("completely-else", nil),
            (String(repeating: "listen", count: 20), nil),
        ] as [(String, String?)])
    func suggests(_ example: (word: String, known: String?)) {
        let known = ["listen", "port", "nat_port", "tun"]
        #expect(suggestion(for: example.word, among: known) == example.known)
    }

    @Test(
        "times",
        arguments: [
            ("500ms", Duration.milliseconds(500)), ("15s", .seconds(15)), ("10m", .seconds(600)),
            ("4h", .seconds(14_400)), ("7d", .seconds(604_800)),
        ])
    func times(_ example: (written: String, value: Duration)) throws {
        let kind = Kind.duration(.zero...Duration.seconds(604_800), "1s")
        #expect(try kind.parse(example.written) == example.value)
    }

    @Test(
        "refused times",
        arguments: ["", "s", "1", "-1s", "1.5s", "1 s", "8d", "99999999999999999999s", "1w"])
    func refusedTimes(_ written: String) {
        let kind = Kind.duration(.zero...Duration.seconds(604_800), "1s")
        #expect(throws: Refusal.self) { try kind.parse(written) }
    }

    @Test("bytes of the store's log")
    func storeLogLimit() throws {
        let telemetry = try parse(smallest + "telemetry: {store_log_limit: 33554432}\n").telemetry
        #expect(telemetry.storeLogLimit == 32 << 20)
        #expect(try parse(smallest).telemetry.storeLogLimit == 1 << 30)
    }

    @Test("ages of what is kept, single kinds of event among them")
    func retention() throws {
        let retention = try parse(
            smallest
                + "telemetry: {retention: {samples: 30d, sessions: 365d, minutes: 730d, kinds: {message_dropped: 30d, peer_dead: 2h}}}\n"
        ).telemetry.retention
        #expect(retention.samples == .seconds(30 * 86_400))
        #expect(retention.sessions == .seconds(365 * 86_400))
        #expect(retention.minutes == .seconds(730 * 86_400))
        #expect(retention.hours == nil)
        #expect(
            retention.kinds == [
                "message_dropped": .seconds(30 * 86_400), "peer_dead": .seconds(7_200),
            ])
    }
}
