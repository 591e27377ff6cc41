import Engine
import Testing
import Vocabulary

@Suite("Who an identity is taken for")
struct HostileIdentityTests {
    static let alice = IdentityPattern.exact(Identity("alice@lab"))
    static let host = IdentityPattern.exact(Identity("192.0.2.7"))

    @Test(
        "a pattern",
        arguments: [
            (.any, "anything", true), (.any, "192.0.2.7", true), (alice, "ALICE@Lab", true),
            (alice, "malice@lab", false), (alice, "alice@lab ", false),
            (.suffix("@lab"), "alice@lab", true), (.suffix("@lab"), "alice@LAB", true),
            (.suffix("@lab"), "@lab", false), (.suffix("@lab"), "alice@lab.evil", false),
            (.suffix("@lab"), "lab", false), (.suffix(".lab"), "gw.lab", true),
            (host, "192.0.2.7", true), (host, "192.0.2.8", false),
            (host, "::ffff:192.0.2.7", true),
        ] as [(IdentityPattern, String, Bool)])
    func patterns(_ pattern: IdentityPattern, _ identity: String, _ matches: Bool) {
        #expect(pattern.matches(Identity(identity)) == matches)
    }

    @Test(
        "a name with the bytes of an address is not that address",
        arguments: [Identity.Kind.fqdn, .rfc822, .keyID])
    func confusion(_ kind: Identity.Kind) {
        let forged = Identity(kind: kind, bytes: [1, 192, 0, 2, 7])
        #expect(!Self.host.matches(forged))
        let key = Identity(kind: .keyID, bytes: Array("gw.lab".utf8))
        #expect(!IdentityPattern.suffix(".lab").matches(key))
    }
}
