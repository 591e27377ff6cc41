package import Crypto
import ESP
package import Engine
import Vocabulary

extension SharedSecret {
    package static func of(_ text: String) -> SharedSecret {
        SharedSecret(SecretBytes(copying: Array(text.utf8)))
    }
}

extension PoolPolicy {
    /// A pool of one block.
    package init(name: String, first: String, last: String) {
        self.init(name: name)
        guard let first = IPAddress(first), let last = IPAddress(last),
            let block = AddressBlock(first: first, last: last)
        else { preconditionFailure("no block of addresses: \(first)-\(last)") }
        if first.isIPv4 { ipv4 = block } else { ipv6 = block }
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
            pools: [PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.14")])
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
