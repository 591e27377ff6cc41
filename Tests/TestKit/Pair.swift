import Crypto
package import ESP
package import Engine
import LoadTest
package import Vocabulary

/// A gateway and a client, a clock and a network between them, all simulated: `drive` moves time
/// from one thing that happens to the next.
package final class Pair {
    package private(set) var gateway: Engine
    package let client: Engine
    package private(set) var gatewayPlane = Tunnels()
    package let clientPlane = Tunnels()
    package var network = Network()
    package private(set) var now = Instant(nanoseconds: 1_000_000_000)

    /// What the gateway told, in order.
    package private(set) var events: [any Event] = []
    /// What the client's driver was told.
    package private(set) var notices: [Notice] = []
    /// Every message that was sent, retransmissions aside: `-->` is the client's.
    package private(set) var trace: [String] = []
    /// Messages and events in the order of their moments, if ``tells``: to read what went wrong.
    package private(set) var story: [String] = []
    package var tells = false
    /// Every IKE datagram that was put on the wire, retransmissions too.
    package private(set) var datagrams: [(fromClient: Bool, bytes: [UInt8])] = []
    /// Whether events, traces and datagrams are kept; a flood has too many.
    package var keepsHistory = true
    /// Inner packets that came out at either end, counted without the data planes' help: `in` is
    /// what the gateway got.
    package private(set) var delivered = Traffic()
    /// Inner packets that the gateway sealed, likewise.
    package private(set) var sealed = Traffic()
    /// Where the client has been seen: what the gateway sends elsewhere does not reach it.
    private var clientSources: Set<Endpoint> = []
    /// NAT keepalives that were sent, and by whom.
    package private(set) var keepalives: [(fromClient: Bool, path: Path)] = []
    private var inFlight: [Flight] = []

    private struct Flight {
        let due: Instant
        let toGateway: Bool
        let path: Path
        let bytes: [UInt8]
        let isESP: Bool
    }

    package static let gatewayAddress = IPAddress.v4(0xc000_0201)
    package static let clientAddress = IPAddress.v4(0xc000_0207)

    /// - Parameter clientAddresses: all that the client has, to be told of by MOBIKE.
    package init(
        _ policy: EnginePolicy = .example, seed: UInt64 = 1, clientAddresses: [IPAddress] = []
    ) {
        gateway = Engine(policy, dataplane: gatewayPlane, random: SeededRandom(seed: seed))
        var clientPolicy = EnginePolicy(connections: [])
        clientPolicy.timing = policy.timing
        clientPolicy.fragmentSize = policy.fragmentSize
        clientPolicy.addresses = clientAddresses
        clientPolicy.shard = 0xcc
        client = Engine(
            clientPolicy, dataplane: clientPlane, random: SeededRandom(seed: seed &+ 1_000))
        gateway.trace = { [unowned self] in note("<-- \($0)") }
        client.trace = { [unowned self] in note("--> \($0)") }
    }

    private func note(_ message: String) {
        if keepsHistory { trace.append(message) }
        tell(message)
    }

    private func tell(_ line: @autoclosure () -> String) {
        if tells { story.append("\(now.nanoseconds / 1_000_000) ms: \(line())") }
    }

    /// The gateway's process dies, and another begins in its place: all that it knew is gone.
    package func restartGateway(_ policy: EnginePolicy, seed: UInt64 = 2_000) {
        gatewayPlane = Tunnels()
        gateway = Engine(policy, dataplane: gatewayPlane, random: SeededRandom(seed: seed))
        gateway.trace = { [unowned self] in note("<-- \($0)") }
    }

    // MARK: What a client does

    /// Comes back by a ticket.
    package func resume(
        _ ticket: ResumptionTicket, _ policy: ClientPolicy = .example,
        from address: IPAddress = clientAddress
    ) -> ConnectionHandle? {
        with(client) { engine, now, output in
            engine.resume(
                ticket, policy, on: clientPath(from: address, port: 500),
                natPath: clientPath(from: address), at: now, &output)
        }
    }

    /// - Parameters:
    ///   - address: the client's.
    ///   - gatewayAddress: of the same family.
    package func connect(
        _ policy: ClientPolicy = .example, from address: IPAddress = clientAddress,
        to gatewayAddress: IPAddress = gatewayAddress
    ) -> ConnectionHandle? {
        with(client) { engine, now, output in
            engine.connect(
                policy, on: clientPath(from: address, to: gatewayAddress, port: 500),
                natPath: clientPath(from: address, to: gatewayAddress), at: now, &output)
        }
    }

    package func act(_ body: (Engine, Instant, inout Output) -> Void) { with(client, body) }
    package func actAtGateway(_ body: (Engine, Instant, inout Output) -> Void) {
        with(gateway, body)
    }

    package func clientPath(
        from address: IPAddress = clientAddress, to gateway: IPAddress = gatewayAddress,
        port: UInt16 = 4500
    ) -> Path {
        Path(
            local: Endpoint(address, port), remote: Endpoint(gateway, port),
            encapsulated: port == 4500)
    }

    /// Sends an inner UDP packet of `length` bytes from the client to `destination`.
    package func sendFromClient(
        _ source: IPAddress, to destination: IPAddress, length: Int = 100
    ) -> Sealed {
        send(
            udpPacket(from: source, to: destination, length: length), by: clientPlane,
            toGateway: true)
    }

    package func sendFromGateway(
        _ source: IPAddress, to destination: IPAddress, length: Int = 100
    ) -> Sealed {
        send(
            udpPacket(from: source, to: destination, length: length), by: gatewayPlane,
            toGateway: false)
    }

    /// Sends an inner packet.
    package func sendFromClient(_ packet: [UInt8]) -> Sealed {
        send(packet, by: clientPlane, toGateway: true)
    }

    package func sendFromGateway(_ packet: [UInt8]) -> Sealed {
        send(packet, by: gatewayPlane, toGateway: false)
    }

    private func send(_ packet: [UInt8], by plane: Tunnels, toGateway: Bool) -> Sealed {
        var buffer =
            [UInt8](repeating: 0, count: Tunnels.headroom) + packet
            + [UInt8](repeating: 0, count: Tunnels.tailroom)
        let inner = Tunnels.headroom..<(Tunnels.headroom + packet.count)
        var span = buffer.mutableSpan
        let sealed = plane.seal(&span, inner: inner, at: now)
        if case .transmit(let range, let path, _) = sealed {
            if !toGateway {
                self.sealed += Traffic(bytesOut: UInt64(packet.count), packetsOut: 1)
            }
            put(Array(buffer[range]), path, toGateway: toGateway, isESP: true)
            tellWorn()
        }
        return sealed
    }

    // MARK: Time

    /// Lets time pass, and everything happen that it brings.
    package func drive(for span: Duration = .seconds(1)) {
        let end = now + span
        while let next = nextMoment(), next <= end {
            now = max(now, next)
            deliverDue()
            if let deadline = gateway.nextDeadline, deadline <= now {
                with(gateway) { $0.expire(at: $1, &$2) }
            }
            if let deadline = client.nextDeadline, deadline <= now {
                with(client) { $0.expire(at: $1, &$2) }
            }
        }
        now = end
    }

    private func nextMoment() -> Instant? {
        [inFlight.map(\.due).min(), gateway.nextDeadline, client.nextDeadline]
            .compactMap { $0 }.min()
    }

    private func deliverDue() {
        let due = inFlight.filter { $0.due <= now }
        inFlight.removeAll { $0.due <= now }
        for flight in due { deliver(flight) }
    }

    private func deliver(_ flight: Flight) {
        if flight.isESP {
            deliverESP(flight)
        } else {
            with(flight.toGateway ? gateway : client) { engine, now, output in
                engine.receive(flight.bytes, on: flight.path, at: now, &output)
            }
        }
    }

    private func deliverESP(_ flight: Flight) {
        open(flight.bytes, from: flight.path.remote, toGateway: flight.toGateway)
    }

    private func openEarly(by plane: Tunnels, atGateway: Bool) {
        for packet in plane.takeEarly() {
            open(packet.bytes, from: packet.remote, toGateway: atGateway)
        }
    }

    private func open(_ packet: [UInt8], from remote: Endpoint, toGateway: Bool) {
        var packet = packet
        var span = packet.mutableSpan
        let plane = toGateway ? gatewayPlane : clientPlane
        let opened = plane.open(&span, from: remote, at: now)
        guard case .deliver(let inner, let child, let moved) = opened else { return }
        tellWorn()
        let bytes = UInt64(inner.count)
        delivered +=
            toGateway
            ? Traffic(bytesIn: bytes, packetsIn: 1) : Traffic(bytesOut: bytes, packetsOut: 1)
        guard let moved else { return }
        with(toGateway ? gateway : client) { $0.observed(child, from: moved, at: $1, &$2) }
    }

    private func tellWorn() {
        for child in gatewayPlane.takeWorn() { with(gateway) { $0.worn(child, at: $1, &$2) } }
        for child in clientPlane.takeWorn() { with(client) { $0.worn(child, at: $1, &$2) } }
    }

    @discardableResult
    private func with<Value>(
        _ engine: Engine, _ body: (Engine, Instant, inout Output) -> Value
    ) -> Value {
        var output = Output()
        let value = body(engine, now, &output)
        let isClient = engine === client
        openEarly(by: isClient ? clientPlane : gatewayPlane, atGateway: !isClient)
        for transmit in output.transmits {
            if keepsHistory { datagrams.append((isClient, transmit.bytes)) }
            put(transmit.bytes, transmit.path, toGateway: isClient, isESP: false)
        }
        if isClient {
            notices += output.notices
        } else if keepsHistory {
            events += output.events
            for event in output.events { tell(event.kind) }
        }
        if keepsHistory { keepalives += output.keepalives.map { (isClient, $0) } }
        return value
    }

    /// Hands a datagram to the network, which turns its addresses around and decides its fate.
    private func put(_ bytes: [UInt8], _ path: Path, toGateway: Bool, isESP: Bool) {
        let source = toGateway ? network.nat(path.local) : path.local
        if toGateway { clientSources.insert(source) }
        guard toGateway || clientSources.contains(path.remote) else { return }
        guard toGateway || !network.unreachable.contains(path.remote.address) else { return }
        guard isESP || bytes.count <= network.longest else { return }
        let isAnswer = !isESP && bytes.count >= 28 && bytes[19] & 0x20 != 0
        guard !toGateway || !isAnswer || !network.losesAnswers else { return }
        let seen = Path(
            local: path.remote, remote: source, encapsulated: path.encapsulated)
        for delay in network.fate(isESP: isESP) {
            inFlight.append(
                Flight(
                    due: now + delay, toGateway: toGateway, path: seen, bytes: bytes, isESP: isESP))
        }
    }

    /// Throws a datagram of anybody's at the gateway.
    ///
    /// - Returns: what the gateway sent at once, to whomever. The network takes that on as well.
    @discardableResult
    package func inject(
        _ bytes: [UInt8],
        from remote: Endpoint = Endpoint(IPAddress.v4(0xcb00_7109), 500), port: UInt16 = 500
    ) -> [[UInt8]] {
        let path = Path(
            local: Endpoint(Self.gatewayAddress, port), remote: remote, encapsulated: port == 4500)
        let before = datagrams.count
        with(gateway) { $0.receive(bytes, on: path, at: $1, &$2) }
        return datagrams[before...].map(\.bytes)
    }
}

/// What the wire does to datagrams.
package struct Network: Sendable {
    package var latency: Duration = .milliseconds(5)
    /// Numbers of IKE datagrams, counted from 0 over the whole test, that are lost, doubled, or
    /// held back for ``delay``.
    package var lost: Set<Int> = []
    package var doubled: Set<Int> = []
    package var late: Set<Int> = []
    package var delay: Duration = .seconds(1)
    /// Nothing comes through any more.
    package var isCut = false
    /// What the gateway sees of the client's source.
    package var nat: @Sendable (Endpoint) -> Endpoint = { $0 }
    /// Addresses of the client's that nothing reaches, though it comes from there: spoofed ones.
    package var unreachable: Set<IPAddress> = []
    /// Nothing that the client answers to the gateway's requests comes through.
    package var losesAnswers = false
    /// IKE datagrams that are longer, in bytes without IP and UDP headers, vanish.
    package var longest = 65_535
    /// Chances, per thousand, of each datagram of either kind.
    package var storm: Storm?
    /// How many datagrams ``lost``, ``doubled`` and ``late`` have been asked about.
    package private(set) var count = 0

    package init() {}

    /// When each copy of the next datagram arrives.
    mutating func fate(isESP: Bool) -> [Duration] {
        guard !isCut else { return [] }
        if storm != nil { return storm?.fate(latency) ?? [] }
        guard !isESP else { return [latency] }
        defer { count += 1 }
        if lost.contains(count) { return [] }
        if late.contains(count) { return [latency + delay] }
        return doubled.contains(count) ? [latency, latency * 2] : [latency]
    }
}

/// A network that loses, doubles and holds back what it likes: the same for the same seed.
package struct Storm: Sendable {
    package var lost = 0
    package var doubled = 0
    package var late = 0
    private var dice: Dice

    package init(seed: UInt64, lost: Int, doubled: Int, late: Int) {
        dice = Dice(seed: seed)
        self.lost = lost
        self.doubled = doubled
        self.late = late
    }

    mutating func fate(_ latency: Duration) -> [Duration] {
        guard dice.roll(1_000) >= lost else { return [] }
        let first = dice.roll(1_000) < late ? latency * Int(2 + dice.roll(300)) : latency
        guard dice.roll(1_000) < doubled else { return [first] }
        return [first, latency * Int(1 + dice.roll(300))]
    }
}

/// SplitMix64.
package struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    /// 0 up to `sides` less 1.
    package mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &self) }
}
