package import Crypto
import ESP
package import Engine
import Vocabulary

extension SharedSecret {
    package static func of(_ text: String) -> SharedSecret {
        SharedSecret(SecretBytes(copying: Array(text.utf8)))
    }
}

extension EnginePolicy {
    /// One connection, `staff`, and 10.88.0.1 to 10.88.0.14.
    package static var example: EnginePolicy {
        EnginePolicy(
            connections: [
                Connection(
                    name: "staff", localIdentity: Identity("gw.lab"),
                    remoteIdentities: [.suffix("@lab"), .exact(Identity("client.lab"))],
                    secret: .of("correct horse battery staple"), pool: "rw",
                    dns: [.v4(0x0a63_0001)],
                    localSelectors: [Selector(prefix: .v4(0x0a63_0000), length: 24)])
            ],
            pools: [PoolPolicy(name: "rw", first: 0x0a58_0001, last: 0x0a58_000e)])
    }
}

extension ClientPolicy {
    package static var example: ClientPolicy { .of("alice@lab") }

    package static func of(
        _ identity: String, secret: String = "correct horse battery staple"
    ) -> ClientPolicy {
        ClientPolicy(
            localIdentity: Identity(identity), remoteIdentity: Identity("gw.lab"),
            secret: .of(secret),
            remoteSelectors: [Selector(prefix: .v4(0x0a63_0000), length: 24)])
    }
}
