import CLinux
import Glibc
package import Vocabulary

/// A UDP socket that knows the local address of each datagram. Not thread-safe.
package final class UDPSocket {
    /// Where it is bound; the address may be the wildcard.
    package let local: Endpoint
    /// Whether this is the NAT traversal port, where ESP packets and IKE messages share the
    /// socket (RFC 3948 §2).
    package let encapsulated: Bool
    package let descriptor: Int32

    /// What to ask of the kernel for its buffers, in bytes.
    private static let bufferBytes: Int32 = 4 << 20

    /// - Parameters:
    ///   - local: port 0 takes any that is free.
    ///   - sharesPort: several sockets on one port, of one user (SO_REUSEPORT).
    /// - Throws: ``GatewayError/socket(_:errno:)``.
    package init(
        _ local: Endpoint, encapsulated: Bool, sharesPort: Bool = false
    ) throws(GatewayError) {
        var name = clinux_endpoint(local)
        let result = clinux_udp_open(&name, Self.bufferBytes, sharesPort)
        guard result >= 0 else { throw .socket(local, errno: -result) }
        descriptor = result
        let named = clinux_udp_name(descriptor, &name)
        guard named >= 0 else {
            close(descriptor)
            throw .socket(local, errno: -named)
        }
        self.local = Endpoint(local.address, name.port)
        self.encapsulated = encapsulated
    }

    deinit { close(descriptor) }

    var isWildcard: Bool { local.address == .v4(0) || local.address == .v6(high: 0, low: 0) }
}

/// The IKE port and the NAT traversal port on each listen address. Not thread-safe.
package final class UDPSockets {
    package let sockets: [UDPSocket]

    /// - Parameters:
    ///   - addresses: the wildcards `0.0.0.0` and `::` are for their own family only.
    ///   - port: for IKE; 0 takes any that is free.
    ///   - natPort: for IKE and ESP in UDP; 0 takes any that is free.
    /// - Throws: ``GatewayError/socket(_:errno:)`` for the first that cannot be bound.
    package init(
        _ addresses: [IPAddress], port: UInt16, natPort: UInt16, sharesPorts: Bool = false
    ) throws(GatewayError) {
        guard !addresses.isEmpty else { throw .nothingToListenOn }
        var sockets: [UDPSocket] = []
        for address in addresses {
            for (number, encapsulated) in [(port, false), (natPort, true)] {
                sockets.append(
                    try UDPSocket(
                        Endpoint(address, number), encapsulated: encapsulated,
                        sharesPort: sharesPorts))
            }
        }
        self.sockets = sockets
    }

    /// Has the kernel hand each datagram to the shard whose number the SPI of ours begins with.
    /// The sockets of one port are numbered in the order in which they were bound.
    func steer(amongst shards: Int) throws(GatewayError) {
        for socket in sockets {
            let result = clinux_udp_steer(
                socket.descriptor, socket.encapsulated, Int32(clamping: shards))
            guard result >= 0 else {
                throw .system(what: "the steering of datagrams to threads", errno: -result)
            }
        }
    }

    /// The socket to send from, if we still have one that is bound there.
    package func socket(for path: Path) -> UDPSocket? {
        sockets.first { $0.encapsulated == path.encapsulated && $0.local == path.local }
            ?? sockets.first {
                $0.encapsulated == path.encapsulated && $0.local.port == path.local.port
                    && $0.isWildcard && $0.local.address.isIPv4 == path.local.address.isIPv4
            }
    }
}

/// What a datagram on the NAT traversal port is (RFC 3948 §2).
package enum NATTraversalContent: Hashable, Sendable {
    /// One byte, 0xff: keeps the peer's NAT from forgetting it (§2.3).
    case keepalive
    /// Too short to be anything.
    case malformed
    /// An IKE message follows four zero bytes (§2.2).
    case ike
    /// An ESP packet: its SPI is never zero (§2.1).
    case esp

    package init(_ bytes: UnsafeMutableBufferPointer<UInt8>) {
        if bytes.count == 1, bytes[0] == 0xff {
            self = .keepalive
        } else if bytes.count < 4 {
            self = .malformed
        } else if bytes[0] | bytes[1] | bytes[2] | bytes[3] == 0 {
            self = .ike
        } else {
            self = .esp
        }
    }
}
