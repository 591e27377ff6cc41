import Glibc
import Vocabulary

/// A UDP socket of one simulated client, on loopback, IPv4.
struct ClientSocket: ~Copyable {
    let descriptor: Int32
    let local: Endpoint

    /// - Parameter address: within 127.0.0.0/8, all of which is here.
    /// - Returns: nil if the system gives no socket.
    init?(at address: IPAddress) {
        guard case .v4(let word) = address else { return nil }
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var name = Self.name(word, port: 0)
        guard Self.withAddress(&name, { bind(descriptor, $0, $1) }) == 0 else {
            Glibc.close(descriptor)
            return nil
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = Self.withAddress(&name) { pointer, _ in getsockname(descriptor, pointer, &length) }
        self.descriptor = descriptor
        local = Endpoint(address, UInt16(bigEndian: name.sin_port))
    }

    deinit { Glibc.close(descriptor) }

    /// Loses the datagram if the kernel has no room, as a network would.
    borrowing func send(_ bytes: Span<UInt8>, to remote: Endpoint) {
        guard case .v4(let word) = remote.address else { return }
        var name = Self.name(word, port: remote.port)
        _ = bytes.withUnsafeBytes { bytes in
            Self.withAddress(&name) {
                sendto(descriptor, bytes.baseAddress, bytes.count, 0, $0, $1)
            }
        }
    }

    /// - Returns: the length, and where it came from; nil if nothing is there.
    borrowing func receive(into room: inout [UInt8]) -> (count: Int, from: Endpoint)? {
        var name = sockaddr_in()
        let count = room.withUnsafeMutableBytes { bytes in
            withUnsafeMutablePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                    return recvfrom(descriptor, bytes.baseAddress, bytes.count, 0, pointer, &length)
                }
            }
        }
        guard count >= 0 else { return nil }
        let address = IPAddress.v4(UInt32(bigEndian: name.sin_addr.s_addr))
        return (count, Endpoint(address, UInt16(bigEndian: name.sin_port)))
    }

    private static func name(_ address: UInt32, port: UInt16) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = address.bigEndian
        name.sin_port = port.bigEndian
        return name
    }

    private static func withAddress<Value>(
        _ name: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
