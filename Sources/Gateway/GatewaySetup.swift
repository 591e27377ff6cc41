package import Engine
package import Vocabulary

/// What a gateway needs to know besides its policy.
package struct GatewaySetup: Hashable, Sendable {
    /// `0.0.0.0` and `::` are every address of their own family.
    package var listen: [IPAddress]
    /// For IKE; 0 takes any that is free.
    package var port: UInt16 = 500
    /// For IKE and ESP in UDP; 0 takes any that is free.
    package var natPort: UInt16 = 4500
    /// The longest IP packet that the paths to the peers take in one piece, in bytes.
    package var pathMTU = 1_500
    /// Between two ticks; at least 100 ms.
    package var interval: Duration = .seconds(15)
    /// How many gateways of this process listen on the same ports (SO_REUSEPORT), in the order of
    /// their shards' numbers: see ``Shards``.
    package var shards = 1
    /// A request for a new IKE SA that waited longer is dropped.
    package var handshakePatience: Duration = .seconds(10)
    /// The thread's name, for people; at most 15 bytes are shown.
    package var name = "gateway"

    package init(listen: [IPAddress]) { self.listen = listen }
}

/// Where a gateway listens.
package struct ListenAddress: Hashable, Sendable {
    package let endpoint: Endpoint
    /// On the NAT traversal port.
    package let encapsulated: Bool
}

/// How a gateway is doing, for a person who asks.
package struct GatewayStatus: Hashable, Sendable {
    package let started: Instant
    package let listen: [ListenAddress]
    package let sessions: UInt64
    package let halfOpen: UInt64
    package let childSAs: UInt64
    package let traffic: Traffic
    /// NAT keepalives received (RFC 3948 §2.3).
    package let keepalives: UInt64
    /// Datagrams that the kernel did not take, or that no socket of ours was right for.
    package let unsent: UInt64
    /// Packets that the inner network did not take.
    package let innerDropped: UInt64
    /// False once the inner network's interface has gone away.
    package let innerUp: Bool
    /// Set while new sessions are refused.
    package let drain: DrainProgress?
}
