import CLinux
import Glibc
import Vocabulary

/// The kernel's own IP stack as the inner network: a TUN interface with a route per pool, and if it
/// is a tenant's, with a routing table of its own.
///
/// The interface, its routes and its rules live as long as this does. Needs CAP_NET_ADMIN.
package final class TUN: InnerNetwork {
    /// As the kernel named it.
    package let name: String
    package private(set) var dropped: UInt64 = 0
    package private(set) var routes: Set<InnerPrefix> = []
    private let table: UInt32?
    private var file: Int32

    package var descriptor: Int32? { file }

    /// - Parameters:
    ///   - name: 1 to 15 bytes.
    ///   - mtu: of inner packets, in bytes.
    ///   - routes: what peers' inner addresses are taken from.
    ///   - table: has the routes, and routes packets of peers; nil is the main table.
    /// - Throws: ``GatewayError``; nothing is left behind then.
    package init(
        name: String, mtu: Int, routes: [InnerPrefix], table: UInt32? = nil
    ) throws(GatewayError) {
        guard Self.isAcceptable(name) else { throw .tunName(name) }
        var buffer = [CChar](repeating: 0, count: Int(IFNAMSIZ))
        for (index, byte) in name.utf8.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        let result = clinux_tun_open(&buffer)
        guard result >= 0 else { throw .tun(name: name, errno: -result) }
        file = result
        self.name = name
        self.table = table
        do throws(GatewayError) {
            try Self.configure(name, mtu: mtu, table: table)
            try route(to: Set(routes))
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    package func close() {
        guard file >= 0 else { return }
        if let table, let netlink = try? Netlink(for: name) {
            netlink.release(link: name, from: table)
        }
        Glibc.close(file)
        file = -1
    }

    package func write(_ packet: UnsafeMutableBufferPointer<UInt8>) {
        if Glibc.write(file, packet.baseAddress, packet.count) != packet.count { dropped += 1 }
    }

    package func read(into room: UnsafeMutableBufferPointer<UInt8>) -> InnerRead {
        while true {
            let count = Glibc.read(file, room.baseAddress, room.count)
            if count > 0 { return .packet(count) }
            if count == 0 { return .empty }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .empty
            default: return .gone
            }
        }
    }

    private static func isAcceptable(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy {
                (0x21...0x7e).contains($0)
                    && !"/:%".utf8.contains($0)
            }
    }

    /// Adds what is missing, and then removes what is too much.
    package func route(to prefixes: Set<InnerPrefix>) throws(GatewayError) {
        let index = try Self.index(of: name)
        let netlink = try Netlink(for: name)
        var added: [InnerPrefix] = []
        // In a fixed order, so that the same mistake is told in the same words.
        for prefix in prefixes.subtracting(routes).sorted(by: { "\($0)" < "\($1)" }) {
            let failure = netlink.addRoute(prefix, link: index, table: table)
            guard failure == 0 else {
                for prefix in added {
                    _ = netlink.removeRoute(prefix, link: index, table: table)
                }
                throw .netlink(step: "add the route \(prefix)", name: name, errno: failure)
            }
            added.append(prefix)
        }
        for prefix in routes.subtracting(prefixes) {
            _ = netlink.removeRoute(prefix, link: index, table: table)
        }
        routes = prefixes
    }

    private static func index(of name: String) throws(GatewayError) -> Int32 {
        let index = Int32(clamping: if_nametoindex(name))
        guard index > 0 else { throw .tun(name: name, errno: errno) }
        return index
    }

    private static func configure(
        _ name: String, mtu: Int, table: UInt32?
    ) throws(GatewayError) {
        func check(_ errno: Int32, _ step: String) throws(GatewayError) {
            if errno != 0 { throw .netlink(step: step, name: name, errno: errno) }
        }
        let index = try index(of: name)
        let netlink = try Netlink(for: name)
        let withoutIPv6 = netlink.noOwnIPv6(link: index)
        if withoutIPv6 != EAFNOSUPPORT, withoutIPv6 != EOPNOTSUPP {
            try check(withoutIPv6, "turn off IPv6 address generation")
        }
        // Before it is up: no packet goes by another table.
        if let table {
            try check(
                netlink.confine(link: name, to: table), "set the rules for table \(table)")
        }
        try check(netlink.bringUp(link: index, mtu: UInt32(clamping: mtu)), "set MTU \(mtu)")
    }
}
