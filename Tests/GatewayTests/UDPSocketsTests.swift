import Glibc
import Testing
import Vocabulary

@testable import Gateway

@Suite("UDP sockets")
struct UDPSocketsTests {
    @Test(
        "a wildcard socket knows which address was meant, and answers from it",
        arguments: [("0.0.0.0", "127.0.0.1", "127.0.0.9"), ("::", "::1", "::1")])
    func localAddress(_ wildcard: String, _ from: String, _ to: String) throws {
        let sockets = try UDPSockets([try requireAddress(wildcard)], port: 0, natPort: 0)
        let server = sockets.sockets[0]
        let probe = try Probe(from)
        let target = Endpoint(try requireAddress(to), server.local.port)
        probe.send([1, 2, 3], to: target)

        let inbox = DatagramBatch()
        var wait = pollfd(fd: server.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&wait, 1, 5000) == 1)
        #expect(inbox.receive(from: server.descriptor) == 1)
        let datagram = inbox.received(0, on: server.local.port)
        #expect(Array(datagram.bytes) == [1, 2, 3])
        #expect(datagram.local == target)
        #expect(datagram.remote == probe.endpoint)

        let outbox = Outbox(sockets)
        outbox.send(
            [4, 5], on: Path(local: datagram.local, remote: datagram.remote, encapsulated: false))
        outbox.flush()
        let answer = try #require(probe.receive())
        #expect(answer.bytes == [4, 5])
        #expect(answer.from == target)
        #expect(outbox.failures == 0)
    }

    @Test("a batch through two sockets arrives whole and in order, marked where it must be")
    func twoSockets() throws {
        let sockets = try UDPSockets([.v4(0x7f00_0001)], port: 0, natPort: 0)
        let (plain, encapsulated) = (sockets.sockets[0].local, sockets.sockets[1].local)
        let probe = try Probe()
        let outbox = Outbox(sockets)
        for number in 0..<200 as Range<UInt8> {
            let isPlain = number % 3 == 0
            outbox.send(
                [number],
                on: Path(
                    local: isPlain ? plain : encapsulated, remote: probe.endpoint,
                    encapsulated: !isPlain))
        }
        outbox.flush()
        for number in 0..<200 as Range<UInt8> {
            let datagram = try #require(probe.receive())
            #expect(datagram.from == (number % 3 == 0 ? plain : encapsulated))
            #expect(datagram.bytes == (number % 3 == 0 ? [number] : [0, 0, 0, 0, number]))
        }
        #expect(outbox.failures == 0)
    }

    @Test("what cannot be sent is counted and stops nothing")
    func failures() throws {
        let sockets = try UDPSockets([.v4(0x7f00_0001)], port: 0, natPort: 0)
        let local = sockets.sockets[0].local
        let probe = try Probe()
        let outbox = Outbox(sockets)
        let path = { (local: Endpoint, remote: Endpoint) in
            Path(local: local, remote: remote, encapsulated: false)
        }
        // To a multicast address from loopback: no route. From a port that we do not have.
        outbox.send([1], on: path(local, Endpoint(.v4(0xffff_ffff), 9)))
        outbox.send([2], on: path(Endpoint(.v4(0x7f00_0001), 9), probe.endpoint))
        outbox.send([3], on: path(local, probe.endpoint))
        outbox.send(Array(repeating: 4, count: 20_000), on: path(local, probe.endpoint))
        outbox.flush()
        #expect(probe.receive()?.bytes == [3])
        #expect(outbox.failures == 2)
        #expect(outbox.unroutable == 1)
    }

    @Test("a port in use says which, and what to do")
    func portInUse() throws {
        let first = try UDPSocket(Endpoint(.v4(0x7f00_0001), 0), encapsulated: false)
        let error = #expect(throws: GatewayError.self) {
            try UDPSockets([.v4(0x7f00_0001)], port: first.local.port, natPort: 0)
        }
        #expect(error == .socket(first.local, errno: EADDRINUSE))
        #expect(
            error?.description
                == "cannot listen on \(first.local): Address already in use; another program has "
                + "this port: find it with `ss -lunp`, stop it or choose another port")
    }

    @Test("shards share a port, and only if they say so")
    func sharedPort() throws {
        let first = try UDPSocket(
            Endpoint(.v4(0x7f00_0001), 0), encapsulated: false, sharesPort: true)
        _ = try UDPSocket(first.local, encapsulated: false, sharesPort: true)
        #expect(throws: GatewayError.socket(first.local, errno: EADDRINUSE)) {
            try UDPSocket(first.local, encapsulated: false)
        }
    }

    @Test("an ESP packet never leaves through the IKE port")
    func espNeedsEncapsulation() throws {
        let sockets = try UDPSockets([.v4(0x7f00_0001)], port: 0, natPort: 0)
        let outbox = Outbox(sockets)
        outbox.commitESP(
            0..<40,
            on: Path(
                local: sockets.sockets[0].local, remote: Endpoint(.v4(0x7f00_0001), 9),
                encapsulated: false))
        #expect(outbox.unroutable == 1)
    }

    @Test(
        "each error says in one line what to do",
        arguments: [
            (GatewayError.socket(Endpoint(.v4(0), 500), errno: EACCES), "CAP_NET_BIND_SERVICE"),
            (.socket(Endpoint(.v6(high: 0, low: 0), 500), errno: EAFNOSUPPORT), "IPv4"),
            (.tun(name: "weir0", errno: EPERM), "CAP_NET_ADMIN"),
            (.tun(name: "weir0", errno: ENOENT), "modprobe tun"),
            (.tun(name: "weir0", errno: EBUSY), "choose another name"),
            (.netlink(step: "add the route 10.0.0.0/8", name: "weir0", errno: EEXIST), "ip route"),
            (.tunName("a\nb"), "weir0"),
            (.control(path: "/run/weir/control.sock", errno: EACCES), "choose a path"),
        ])
    func remedies(_ example: (error: GatewayError, remedy: String)) {
        #expect(example.error.description.contains(example.remedy))
        #expect(!example.error.description.contains("\n"))
    }

    @Test("an address that is nobody's here, and none at all, are refused")
    func badAddresses() throws {
        let foreign = IPAddress.v4(0xc000_0201)
        #expect(throws: GatewayError.socket(Endpoint(foreign, 0), errno: EADDRNOTAVAIL)) {
            try UDPSockets([foreign], port: 0, natPort: 0)
        }
        #expect(throws: GatewayError.nothingToListenOn) {
            try UDPSockets([], port: 0, natPort: 0)
        }
    }

    @Test(
        "datagrams on the NAT traversal port are told apart",
        arguments: [
            ("ff", NATTraversalContent.keepalive), ("", .malformed), ("00", .malformed),
            ("fe", .malformed), ("ffff", .malformed), ("000000", .malformed), ("00000000", .ike),
            ("0000000001", .ike), ("00000001", .esp), ("ff000000", .esp), ("ffffffffff", .esp),
        ])
    func content(_ example: (hex: String, content: NATTraversalContent)) {
        var datagram = bytes(hex: example.hex)
        datagram.withUnsafeMutableBufferPointer {
            #expect(NATTraversalContent($0) == example.content)
        }
    }
}
