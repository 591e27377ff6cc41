package import Crypto
import ESP
package import Engine
package import Vocabulary

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

/// A UDP packet of `length` bytes over IPv4, ports 4000 to 7, with a right header checksum.
package func innerPacket(from source: IPAddress, to destination: IPAddress, length: Int) -> [UInt8] {
    var packet: [UInt8] = [
        0x45, 0, UInt8(length >> 8), UInt8(length & 0xff), 0, 0, 0, 0, 64, 17, 0, 0,
    ]
    packet += source.bytes + destination.bytes
    var sum: UInt32 = 0
    for index in stride(from: 0, to: 20, by: 2) {
        sum += UInt32(packet[index]) << 8 | UInt32(packet[index + 1])
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    packet[10] = UInt8(truncatingIfNeeded: ~sum >> 8)
    packet[11] = UInt8(truncatingIfNeeded: ~sum)
    let udp = length - 20
    packet += [0x0f, 0xa0, 0, 7, UInt8(udp >> 8), UInt8(udp & 0xff), 0, 0]
    packet += [UInt8](repeating: 0x5a, count: max(0, length - 28))
    return packet
}
