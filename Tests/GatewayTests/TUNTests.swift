import CLinux
import Glibc
import Synchronization
import Testing
import Vocabulary

@testable import Gateway

/// In a network namespace that lives as long as the thread that the test body runs on: nothing is
/// left behind whatever happens.
@Suite("TUN", .enabled(if: geteuid() == 0, "needs root"))
struct TUNTests {
    private let routes = [
        InnerPrefix(.v4(0x0a58_0000), length: 24),
        InnerPrefix(.v6(high: 0xfd00_0088_0000_0000, low: 0), length: 64),
    ]

    @Test("is up with its MTU and its routes, silent, and gone when it is closed")
    func lifecycle() throws {
        let routes = routes
        try inNamespace {
            let tun = try TUN(name: "weirtest0", mtu: 1400, routes: routes)
            #expect(tun.name == "weirtest0")
            #expect(table("dev").contains("weirtest0:"))
            // Destination 10.88.0.0, up, mask /24, in the kernel's own byte order; then its MTU.
            #expect(table("route").contains("weirtest0\t0000580A\t00000000\t0001"))
            #expect(table("route").contains("00FFFFFF"))
            let prefix = "fd000088000000000000000000000000 40 "
            #expect(
                table("ipv6_route").split(separator: "\n").contains {
                    $0.hasPrefix(prefix) && $0.hasSuffix("weirtest0")
                })
            #expect(!table("if_inet6").contains("weirtest0"))
            usleep(300_000)
            var room = [UInt8](repeating: 0, count: 4096)
            #expect(read(tun, &room) == .empty)
            tun.close()
            #expect(!table("dev").contains("weirtest0"))
            #expect(!table("route").contains("weirtest0"))
        }
    }

    @Test("a tenant's has routes in its table, and rules that lead there and nowhere else")
    func tenant() throws {
        let routes = routes
        try inNamespace {
            let tun = try TUN(name: "weirtest2", mtu: 1400, routes: routes, table: 70_000)
            // The file has the main table alone.
            #expect(!table("route").contains("weirtest2"))
            #expect(run("ip route show table 70000").contains("10.88.0.0/24 dev weirtest2"))
            #expect(run("ip -6 route show table 70000").contains("fd00:88::/64 dev weirtest2"))
            for command in ["ip rule", "ip -6 rule"] {
                let rules = run(command).split(separator: "\n").filter {
                    $0.contains("iif weirtest2")
                }
                #expect(
                    rules.map { $0.split(separator: "\t").last } == [
                        "from all iif weirtest2 lookup 70000", "from all iif weirtest2 unreachable",
                    ])
            }
            tun.close()
            #expect(!run("ip rule").contains("weirtest2"))
            #expect(!run("ip -6 rule").contains("weirtest2"))
        }
    }

    @Test("packets for the pool come out, no longer than the MTU; packets written go in")
    func traffic() throws {
        let routes = routes
        try inNamespace {
            let tun = try TUN(name: "weirtest1", mtu: 1300, routes: routes)
            let probe = try Probe("0.0.0.0")
            let target = Endpoint(.v4(0x0a58_0005), 9)
            probe.send([UInt8](repeating: 1, count: 1272), to: target)
            var room = [UInt8](repeating: 0, count: 4096)
            #expect(read(tun, &room) == .packet(1300))
            #expect(room[0] == 0x45 && Array(room[16..<20]) == [10, 88, 0, 5])
            probe.send([UInt8](repeating: 1, count: 1273), to: target)
            guard case .packet(let fragment) = read(tun, &room) else {
                Issue.record("no fragment")
                return
            }
            #expect(fragment <= 1300)
            #expect(room[6] & 0x20 != 0, "more fragments")

            var packet = echoRequest
            packet.withUnsafeMutableBufferPointer { tun.write($0) }
            #expect(tun.dropped == 0)
            packet[0] = 0xf5
            packet.withUnsafeMutableBufferPointer { tun.write($0) }
            #expect(tun.dropped == 1)
        }
    }

    @Test(
        "a second interface of the same name or with the same route is refused, and leaves nothing")
    func conflicts() throws {
        let routes = routes
        try inNamespace {
            let tun = try TUN(name: "weirtest2", mtu: 1400, routes: routes)
            let same = #expect(throws: GatewayError.self) {
                try TUN(name: "weirtest2", mtu: 1400, routes: [])
            }
            #expect(same?.description.contains("weirtest2: Device or resource busy") == true)
            let route = #expect(throws: GatewayError.self) {
                try TUN(name: "weirtest3", mtu: 1400, routes: routes)
            }
            #expect(
                route
                    == .netlink(
                        step: "add the route 10.88.0.0/24", name: "weirtest3", errno: EEXIST))
            #expect(!table("dev").contains("weirtest3"))
            let mtu = #expect(throws: GatewayError.self) {
                try TUN(name: "weirtest4", mtu: 70_000, routes: [])
            }
            #expect(mtu?.description.contains("set MTU 70000") == true)
            #expect(!table("dev").contains("weirtest4"))
            tun.close()
        }
    }

    @Test("an interface that somebody deletes is gone, once and for all")
    func deleted() throws {
        try inNamespace {
            let tun = try TUN(name: "weirtest5", mtu: 1400, routes: [])
            try #require(system("ip link delete weirtest5") == 0, "apt-get install iproute2")
            var room = [UInt8](repeating: 0, count: 4096)
            #expect(read(tun, &room) == .gone)
        }
    }

    @Test("a ping through a gateway is answered by the kernel; without its interface it goes on")
    func throughGateway() throws {
        let routes = routes
        try inNamespace {
            let ready = system("ip link set lo up && ip address add 10.99.0.1/32 dev lo") == 0
            try #require(ready, "apt-get install iproute2")
            let bed = try Bed(inner: [TUN(name: "weirtest6", mtu: 1400, routes: routes)])
            defer { bed.gateway.stop() }
            let client = try Client(of: bed)
            client.probe.send(try client.sealed(echoRequest), to: bed.nat)
            let answer = try client.opened(try #require(client.probe.receive()).bytes)
            #expect(Array(answer[12..<20]) == [10, 99, 0, 1, 10, 88, 0, 1])
            #expect(answer.dropFirst(20).elementsEqual(echoReply.dropFirst(20)))
            #expect(bed.sink.all(ESPDropped.self).isEmpty)

            #expect(bed.status?.innerUp == true)
            #expect(system("ip link delete weirtest6") == 0)
            #expect(eventually { bed.status?.innerUp == false })
            client.probe.send(try client.sealed(echoRequest), to: bed.nat)
            #expect(eventually { bed.status?.innerDropped == 1 })
        }
    }

    private func read(_ tun: TUN, _ room: inout [UInt8]) -> InnerRead {
        room.withUnsafeMutableBufferPointer { tun.read(into: $0) }
    }

    /// A table of /proc/net, of this thread's namespace.
    private func table(_ name: String) -> String {
        guard let file = fopen("/proc/thread-self/net/\(name)", "r") else { return "" }
        defer { fclose(file) }
        return content(of: file)
    }

    /// What a command prints.
    private func run(_ command: String) -> String {
        guard let pipe = popen(command, "r") else { return "" }
        defer { pclose(pipe) }
        return content(of: pipe)
    }

    private func content(of file: UnsafeMutablePointer<FILE>) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            text += buffer.prefix(count)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func inNamespace(_ body: @escaping @Sendable () throws -> Void) throws {
        let outcome = Mutex<(any Error)?>(nil)
        let worker = try Worker(named: "namespace") {
            guard clinux_unshare_network() == 0 else {
                outcome.withLock { $0 = Unexpected(what: "no network namespace") }
                return
            }
            do { try body() } catch { outcome.withLock { $0 = error } }
        }
        worker.join()
        if let error = outcome.withLock({ $0 }) { throw error }
    }
}

@Suite("TUN names")
struct TUNNameTests {
    @Test(
        "what no interface can be called is refused",
        arguments: ["", "a/b", "a b", "..", "sixteen-letters!", "weir%d", "\u{e9}", "a\0b"])
    func refused(_ name: String) {
        #expect(throws: GatewayError.tunName(name)) { try TUN(name: name, mtu: 1400, routes: []) }
    }
}
