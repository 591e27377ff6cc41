import Testing
import Vocabulary

@Suite("Identities")
struct IdentityTests {
    @Test(
        "never break a line, a terminal or a log",
        arguments: [
            (Array("alice@lab".utf8), "alice@lab"), (Array("a\nb".utf8), #"a\x0ab"#),
            (Array("a\r\nb".utf8), #"a\x0d\x0ab"#), (Array("\u{1b}[31mred".utf8), #"\x1b[31mred"#),
            (Array("quo\"te'".utf8), "quo\"te'"), (Array(#"back\slash"#.utf8), #"back\x5cslash"#),
            ([0], #"\x00"#), ([0x7f, 0x9b, 0xff], #"\x7f\x9b\xff"#),
            (Array("é".utf8), #"\xc3\xa9"#),
            ([0xed, 0xa0, 0x80], #"\xed\xa0\x80"#), ([], ""), ([0x20, 0x7e], " ~"),
        ])
    func escaping(_ bytes: [UInt8], _ text: String) {
        #expect(Identity(kind: .fqdn, bytes: bytes).text == text)
        #expect(Identity(kind: .rfc822, bytes: bytes).datum == .text(text))
        #expect(escaped(bytes) == text)
    }

    @Test("of every byte are printable ASCII, and tell every byte from every other")
    func everyByte() {
        let texts = (0...255).map { escaped([UInt8($0)]) }
        #expect(Set(texts).count == 256)
        #expect(texts.allSatisfy { $0.utf8.allSatisfy { (0x20..<0x7f).contains($0) } })
    }

    @Test("show at most 256 bytes")
    func long() {
        #expect(escaped([UInt8](repeating: 0x61, count: 256)).count == 256)
        #expect(escaped([UInt8](repeating: 0x61, count: 257)).count == 257)
        #expect(escaped([UInt8](repeating: 0x61, count: 60_000)).hasSuffix("a…"))
        #expect(
            Identity(kind: .keyID, bytes: [UInt8](repeating: 1, count: 60_000)).text.count == 129)
    }

    @Test(
        "are read as a person means them",
        arguments: [
            ("192.0.2.7", Identity.Kind.ipv4), ("2001:db8::1", .ipv6), ("alice@lab", .rfc822),
            ("gw.lab", .fqdn), ("", .fqdn), ("1.2.3", .fqdn),
        ])
    func reading(_ text: String, _ kind: Identity.Kind) {
        #expect(Identity(text).kind == kind)
        #expect(Identity(text).text == text)
    }

    @Test("of an address type with the wrong length are shown all the same")
    func odd() {
        #expect(Identity(kind: .ipv4, bytes: [1, 2, 3]).text == #"\x01\x02\x03"#)
        #expect(Identity(kind: .ipv6, bytes: []).text == "")
    }

    @Test("compare without case, across the kinds of names")
    func canonical() {
        let names = [
            Identity(kind: .fqdn, bytes: Array("Alice@LAB".utf8)), Identity("alice@lab"),
            Identity("ALICE@lab"),
        ]
        #expect(Set(names.map(\.canonicalBytes)).count == 1)
        #expect(
            Identity("192.0.2.7").canonicalBytes
                != Identity(kind: .keyID, bytes: [192, 0, 2, 7]).canonicalBytes)
    }

    @Test("generalise to their domain only")
    func domains() {
        #expect(Identity("a@b@lab").generalised == .text("@lab"))
        #expect(Identity(kind: .rfc822, bytes: Array("a@\n".utf8)).generalised == .text(#"@\x0a"#))
        #expect(Identity(kind: .rfc822, bytes: Array("nobody".utf8)).generalised == .null)
        #expect(Identity("host.example.org").generalised == .null)
    }
}
