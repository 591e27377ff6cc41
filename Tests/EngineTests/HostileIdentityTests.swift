import Engine
import Testing
import Vocabulary

@Suite("Who an identity is taken for")
struct HostileIdentityTests {
    @Test("a pattern", arguments: [
        ("*", "anything", true), ("*", "192.0.2.7", true), ("alice@lab", "ALICE@Lab", true),
        ("alice@lab", "malice@lab", false), ("alice@lab", "alice@lab ", false),
        ("*@lab", "alice@lab", true), ("*@lab", "alice@LAB", true), ("*@lab", "@lab", false),
        ("*@lab", "alice@lab.evil", false), ("*@lab", "lab", false), ("*.lab", "gw.lab", true),
        ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
        ("192.0.2.7", "::ffff:192.0.2.7", true),
    ])
    func patterns(_ pattern: String, _ identity: String, _ matches: Bool) {
        #expect(IdentityPattern(pattern).matches(Identity(identity)) == matches)
    }

    @Test("a name with the bytes of an address is not that address", arguments: [
        Identity.Kind.fqdn, .rfc822, .keyID,
    ])
    func confusion(_ kind: Identity.Kind) {
        let forged = Identity(kind: kind, bytes: [1, 192, 0, 2, 7])
        #expect(!IdentityPattern("192.0.2.7").matches(forged))
        #expect(!IdentityPattern("*.lab").matches(Identity(kind: .keyID, bytes: Array("gw.lab".utf8))))
    }
}
