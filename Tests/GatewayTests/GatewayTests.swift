import Clocks
import Crypto
import ESP
import Engine
import Glibc
import Synchronization
import Testing
import Vocabulary

@testable import Gateway

/// A gateway on loopback with an engine that says only what it is told to say, real tunnels and an
/// echo network.
struct Bed {
    let diary = Diary()
    let sink = RecordingSink()
    let gateway: Gateway
    let ike: Endpoint
    let nat: Endpoint

    init(
        interval: Duration = .seconds(15),
        inner: sending [any InnerNetwork] = [EchoNetwork()]
    ) throws {
        let diary = diary
        var setup = GatewaySetup(listen: [.v4(0x7f00_0001)])
        (setup.port, setup.natPort, setup.interval) = (0, 0, interval)
        gateway = try Gateway(setup, inner: inner, sink: sink) { dataplane, listen in
            ScriptedEngine(diary, dataplane, knowing: listen)
        }
        let listen = gateway.listen
        ike = try #require(listen.first { !$0.encapsulated }).endpoint
        nat = try #require(listen.first { $0.encapsulated }).endpoint
        try gateway.start()
    }

    var status: GatewayStatus? {
        guard case .status(let status) = gateway.ask(.status) else { return nil }
        return status
    }
}

/// A client's end of the Child SA.
final class Client {
    let probe: Probe
    let tunnels = Tunnels()
    private let gateway: Endpoint

    /// Has the gateway install its end first.
    init(of bed: Bed, network: UInt8 = 0) throws {
        probe = try Probe()
        gateway = bed.nat
        probe.send([0, 0, 0, 0, ScriptedEngine.install, network], to: gateway)
        _ = try #require(probe.receive())
        let path = Path(local: probe.endpoint, remote: gateway, encapsulated: true)
        try tunnels.install(tunnel(atGateway: false, on: path), outbound: true)
    }

    func sealed(_ packet: [UInt8]) throws -> [UInt8] {
        let room = [UInt8](repeating: 0, count: Tunnels.headroom)
        var buffer = room + packet + [UInt8](repeating: 0, count: Tunnels.tailroom)
        let inner = Tunnels.headroom..<(Tunnels.headroom + packet.count)
        var span = buffer.mutableSpan
        let sealed = tunnels.seal(&span, inner: inner, at: SystemClock.now)
        guard case .transmit(let range, _, _) = sealed else {
            throw Unexpected(what: "\(sealed)")
        }
        return Array(buffer[range])
    }

    func opened(_ packet: [UInt8]) throws -> [UInt8] {
        var buffer = packet
        var span = buffer.mutableSpan
        let opened = tunnels.open(&span, from: gateway, at: SystemClock.now)
        guard case .deliver(let range, _, _) = opened else {
            throw Unexpected(what: "\(opened)")
        }
        return Array(buffer[range])
    }
}

struct Unexpected: Error { let what: String }

let echoRequest = bytes(hex: "4500002112344000210132ec0a5800010a6300010800f61f000700017765697221")
let echoReply = bytes(hex: "4500002112344000400113ec0a6300010a5800010000fe1f000700017765697221")

@Suite("Gateway")
struct GatewayTests {
    @Test("IKE on both ports: the marker is taken off, and put back on")
    func ike() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        let probe = try Probe()
        probe.send([1, 2, 3], to: bed.ike)
        #expect(probe.receive()?.bytes == [3, 2, 1])
        probe.send([0, 0, 0, 0, 4, 5], to: bed.nat)
        #expect(probe.receive()?.bytes == [0, 0, 0, 0, 5, 4])
        let path = { Path(local: $0, remote: probe.endpoint, encapsulated: $1) }
        #expect(
            bed.diary.received.withLock { $0 } == [
                Diary.Entry(message: [1, 2, 3], path: path(bed.ike, false)),
                Diary.Entry(message: [4, 5], path: path(bed.nat, true)),
            ])
        #expect(eventually { bed.sink.all(IKESAInitReceived.self).count == 2 })
        #expect(bed.diary.listen.withLock { $0 } == bed.gateway.listen)
    }

    @Test("a packet goes to the network of its Child SA, and the answer comes from there")
    func networks() throws {
        let bed = try Bed(inner: [EchoNetwork(), EchoNetwork()])
        defer { bed.gateway.stop() }
        let client = try Client(of: bed, network: 1)
        client.probe.send(try client.sealed(echoRequest), to: bed.nat)
        let answer = try #require(client.probe.receive())
        #expect(try client.opened(answer.bytes) == echoReply)
    }

    @Test("timers expire when the engine wants them to, with no traffic to wake anybody")
    func timers() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        try Probe().send([1], to: bed.ike)
        #expect(eventually { bed.diary.expiries.withLock { $0 } == 1 })
    }

    @Test("a ping goes in through the tunnel, is answered inside and comes back")
    func ping() throws {
        let bed = try Bed()
        let client = try Client(of: bed)
        for _ in 0..<300 {
            client.probe.send(try client.sealed(echoRequest), to: bed.nat)
            let answer = try #require(client.probe.receive())
            #expect(answer.from == bed.nat)
            #expect(try client.opened(answer.bytes) == echoReply)
        }
        bed.gateway.stop()
        let tick = try #require(bed.sink.ticks.withLock { $0.last })
        let expected = Traffic(
            bytesIn: 300 * 33, packetsIn: 300, bytesOut: 300 * 33, packetsOut: 300)
        #expect(tick.traffic == expected)
        #expect(tick.childSAs == 1)
        #expect(
            tick.children == [
                ChildSample(session: .example, child: ChildID(1), traffic: expected)
            ])
    }

    @Test("a client that moves is reported with its new endpoint")
    func moved() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        let client = try Client(of: bed)
        let elsewhere = try Probe()
        elsewhere.send(try client.sealed(echoRequest), to: bed.nat)
        #expect(eventually { bed.diary.moved.withLock { $0 } == [elsewhere.endpoint] })
    }

    @Test("what is dropped is counted exactly, with its reason")
    func drops() throws {
        let bed = try Bed()
        let client = try Client(of: bed)
        let packet = try client.sealed(echoRequest)
        var damaged = packet
        damaged[damaged.count - 1] ^= 1
        client.probe.send(damaged, to: bed.nat)
        for _ in 0..<4 { client.probe.send(packet, to: bed.nat) }
        for _ in 0..<5 { client.probe.send(bytes(hex: "abad1dea") + packet, to: bed.nat) }
        for _ in 0..<6 { client.probe.send([0, 1], to: bed.nat) }
        for _ in 0..<7 { client.probe.send([0xff], to: bed.nat) }
        client.probe.send([UInt8](repeating: 9, count: 16_384), to: bed.nat)
        #expect(eventually { bed.status?.keepalives == 7 })
        bed.gateway.stop()
        var counts: [ESPDrop: UInt64] = [:]
        for drop in bed.sink.all(ESPDropped.self) {
            counts[drop.reason.clear, default: 0] += drop.count.clear
        }
        #expect(counts == [.integrity: 1, .replay: 3, .unknownSPI: 6, .malformed: 6])
    }

    @Test("a datagram that is too long for its slot is malformed, never cut")
    func tooLong() throws {
        let bed = try Bed()
        defer { bed.gateway.stop() }
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        for endpoint in [bed.ike, bed.nat] {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = endpoint.port.bigEndian
            name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let long = [UInt8](repeating: 7, count: 16_385)
            let sent = withUnsafeBytes(of: &name) {
                sendto(
                    descriptor, long, long.count, 0,
                    $0.assumingMemoryBound(to: sockaddr.self).baseAddress,
                    socklen_t($0.count))
            }
            #expect(sent == 16_385)
        }
        #expect(
            eventually {
                bed.sink.all(MessageDropped.self).map(\.reason.clear) == [.malformed]
                    && bed.sink.all(ESPDropped.self).map(\.reason.clear) == [.malformed]
            })
        #expect(bed.diary.received.withLock { $0.isEmpty })
    }

    @Test("ticks come at the start, at each interval, and at the end")
    func ticks() throws {
        let bed = try Bed(interval: .milliseconds(100))
        let begin = SystemClock.now
        #expect(eventually { bed.sink.ticks.withLock { $0.count } == 4 })
        let taken = SystemClock.now - begin
        #expect(taken >= .milliseconds(250) && taken < .milliseconds(1500))
        bed.gateway.stop()
        #expect((5...6).contains(bed.sink.ticks.withLock { $0.count }))
    }

    @Test("stopping says goodbye, records it, and frees the ports; again does nothing")
    func stop() throws {
        let bed = try Bed()
        bed.gateway.stop()
        bed.gateway.stop()
        #expect(bed.diary.shutDowns.withLock { $0 } == 1)
        #expect(bed.sink.all(SessionClosed.self).map(\.reason.clear) == [.shutdown])
        #expect(bed.gateway.ask(.sessions) == nil)
        _ = try UDPSocket(bed.ike, encapsulated: false)
        _ = try UDPSocket(bed.nat, encapsulated: true)
    }

    @Test("a gateway that was never started stops, too")
    func neverStarted() throws {
        var setup = GatewaySetup(listen: [.v4(0x7f00_0001)])
        (setup.port, setup.natPort) = (0, 0)
        let gateway = try Gateway(setup, inner: [EchoNetwork()], sink: RecordingSink()) {
            ScriptedEngine(Diary(), $0, knowing: $1)
        }
        let port = try #require(gateway.listen.first).endpoint
        gateway.stop()
        #expect(gateway.ask(.status, within: .milliseconds(1)) == nil)
        _ = try UDPSocket(port, encapsulated: false)
    }

    @Test("the engine proper is driven, and its counts come with the tick")
    func realEngine() throws {
        var setup = GatewaySetup(listen: [.v4(0x7f00_0001)])
        (setup.port, setup.natPort) = (0, 0)
        let sink = RecordingSink()
        let gateway = try Gateway(setup, inner: [EchoNetwork()], sink: sink) { dataplane, _ in
            Engine(EnginePolicy(connections: []), dataplane: dataplane, random: SystemRandom())
        }
        try gateway.start()
        // INFORMATIONAL without an SK payload (RFC 7296 §2.21.4).
        let message = bytes(hex: "0102030405060708 1112131415161718 00 20 25 08 00000000 0000001c")
        try Probe().send(message, to: try #require(gateway.listen.first).endpoint)
        #expect(eventually { sink.all(MessageDropped.self).map(\.reason.clear) == [.unprotected] })
        gateway.stop()
        #expect(sink.ticks.withLock { $0.last }?.messagesReceived == 1)
    }

    @Test("answers questions from many threads at once")
    func questions() async throws {
        let bed = try Bed()
        let gateway = bed.gateway
        defer { gateway.stop() }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    guard case .sessions(let list) = gateway.ask(.sessions) else { return false }
                    return list.map(\.session) == [.example]
                }
            }
            for await answered in group { #expect(answered) }
        }
        guard case .terminated(true) = gateway.ask(.terminate(.example)),
            case .terminated(false) = gateway.ask(.terminate(.example))
        else {
            Issue.record("terminate does not tell the truth")
            return
        }
        #expect(bed.status?.sessions == 0)
    }
}
