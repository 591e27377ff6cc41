import Crypto
import ESP
import Engine
import Vocabulary

/// One user of the demonstration: the engine as initiator, a data plane, a socket, and habits.
final class SimulatedClient {
    /// What the user is up to.
    private enum State {
        case away(until: Instant)
        case loggingIn
        case online(ConnectionHandle, address: IPAddress, until: Instant)
    }

    private let plan: FleetPlan
    private let policy: ClientPolicy
    private let isHonest: Bool
    private let address: IPAddress
    private let random: any RandomSource
    private let engine: Engine
    private let tunnels = Tunnels()
    private var socket: ClientSocket?
    private var state: State
    private var output = Output()
    private var buffer = [UInt8](repeating: 0, count: 2_048)
    private var nextPacket = Instant(nanoseconds: 0)
    private var nextHabit = Instant(nanoseconds: 0)
    private(set) var counts = FleetCounts()

    init(_ plan: FleetPlan, number: Int, isHonest: Bool, at now: Instant) {
        self.plan = plan
        self.isHonest = isHonest
        address =
            isHonest
            ? .v4(0x7f00_0101 + UInt32(clamping: number))
            : .v4(0x7f00_0242 + UInt32(clamping: number))
        policy = plan.policy(number: number, isHonest: isHonest)
        random = SystemRandom()
        var engineSettings = EnginePolicy(connections: [])
        engineSettings.timing = plan.timing
        engine = Engine(engineSettings, dataplane: tunnels, random: random)
        state = .away(until: now)
        state = .away(until: now + draw(from: .zero, to: plan.rampUp))
    }

    var descriptor: Int32 {
        switch socket {
        case .some(let socket): socket.descriptor
        case nil: -1
        }
    }

    /// Reads all that has come.
    func receive(at now: Instant) {
        while let (count, from) = takeDatagram() {
            let datagram = Array(buffer.prefix(count))
            if from.port == plan.natPort {
                receiveEncapsulated(datagram, from: from, at: now)
            } else {
                engine.receive(datagram, on: path(to: from), at: now, &output)
            }
            carryOut(at: now)
        }
    }

    private func takeDatagram() -> (count: Int, from: Endpoint)? {
        switch socket {
        case .some(let socket): socket.receive(into: &buffer)
        case nil: nil
        }
    }

    /// On the NAT traversal port: IKE after four zero bytes, else ESP (RFC 3948 §2).
    private func receiveEncapsulated(_ datagram: [UInt8], from: Endpoint, at now: Instant) {
        guard datagram.count > 4 else { return }
        if datagram.prefix(4).allSatisfy({ $0 == 0 }) {
            engine.receive(Array(datagram.dropFirst(4)), on: path(to: from), at: now, &output)
            for packet in tunnels.takeEarly() { open(packet.bytes, from: packet.remote, at: now) }
        } else {
            open(datagram, from: from, at: now)
        }
    }

    private func open(_ packet: [UInt8], from remote: Endpoint, at now: Instant) {
        var packet = packet
        var span = packet.mutableSpan
        if case .deliver(let inner, _, _) = tunnels.open(&span, from: remote, at: now) {
            counts.packetsReceived += 1
            counts.bytesReceived += UInt64(inner.count)
        }
    }

    private func path(to remote: Endpoint) -> Path {
        let local =
            switch socket {
            case .some(let socket): socket.local
            case nil: Endpoint(address, 0)
            }
        return Path(local: local, remote: remote, encapsulated: remote.port == plan.natPort)
    }

    /// Does what is due, in the protocol and in the user's day.
    func live(at now: Instant) {
        if let deadline = engine.nextDeadline, deadline <= now {
            engine.expire(at: now, &output)
        }
        switch state {
        case .away(let until) where until <= now: logIn(at: now)
        case .online(let handle, _, let until) where until <= now:
            engine.disconnect(handle, at: now, &output)
            counts.logouts += 1
            state = .away(until: now + draw(from: plan.awayShortest, to: plan.awayLongest))
        case .online(let handle, let address, _): beOnline(handle, address, at: now)
        default: break
        }
        carryOut(at: now)
    }

    func logOut(at now: Instant) {
        if case .online(let handle, _, _) = state {
            engine.disconnect(handle, at: now, &output)
            counts.logouts += 1
            carryOut(at: now)
        }
        state = .away(until: now + .seconds(86_400))
    }

    private func logIn(at now: Instant) {
        socket = ClientSocket(at: address)
        counts.attempts += 1
        let handle = engine.connect(
            policy, on: path(to: plan.gateway), natPath: path(to: plan.natGateway), at: now,
            &output)
        state = handle == nil ? .away(until: now + .seconds(1)) : .loggingIn
    }

    private func beOnline(_ handle: ConnectionHandle, _ address: IPAddress, at now: Instant) {
        if nextPacket <= now {
            sendPacket(from: address, at: now)
            nextPacket = now + draw(from: .milliseconds(20), to: plan.packetGap)
        }
        guard nextHabit <= now else { return }
        nextHabit = now + draw(from: plan.habitShortest, to: plan.habitLongest)
        switch random.uint32() % 4 {
        case 0, 1:
            engine.rekeyChild(handle, at: now, &output)
            counts.rekeys += 1
        case 2:
            engine.rekeyIKE(handle, at: now, &output)
            counts.rekeys += 1
        default: roam(handle, at: now)
        }
    }

    /// Another socket, another port: as if a NAT had forgotten us.
    private func roam(_ handle: ConnectionHandle, at now: Instant) {
        socket = ClientSocket(at: address)
        engine.move(handle, toLocal: path(to: plan.natGateway).local, at: now)
        counts.moves += 1
    }

    private func sendPacket(from source: IPAddress, at now: Instant) {
        let length = 60 + Int(random.uint32() % 1_300)
        let packet = udpPacket(from: source, to: plan.innerHost, length: length)
        for (index, byte) in packet.enumerated() { buffer[Tunnels.headroom + index] = byte }
        let inner = Tunnels.headroom..<(Tunnels.headroom + packet.count)
        var span = buffer.mutableSpan
        guard case .transmit(let range, let path, _) = tunnels.seal(&span, inner: inner, at: now)
        else { return }
        counts.packetsSent += 1
        counts.bytesSent += UInt64(packet.count)
        send(Array(buffer[range]).span, to: path.remote)
    }

    private func send(_ bytes: Span<UInt8>, to remote: Endpoint) {
        switch socket {
        case .some(let socket): socket.send(bytes, to: remote)
        case nil: break
        }
    }

    private func carryOut(at now: Instant) {
        for transmit in output.transmits {
            let bytes = transmit.path.encapsulated ? [0, 0, 0, 0] + transmit.bytes : transmit.bytes
            send(bytes.span, to: transmit.path.remote)
        }
        for path in output.keepalives { send([0xff].span, to: path.remote) }
        for notice in output.notices { take(notice, at: now) }
        output.clear()
    }

    private func take(_ notice: Notice, at now: Instant) {
        switch notice {
        case .connected(let handle, _, let addresses):
            counts.logins += 1
            nextHabit = now + draw(from: plan.habitShortest, to: plan.habitLongest)
            let stay = draw(from: plan.onlineShortest, to: plan.onlineLongest)
            state = .online(handle, address: addresses.first ?? plan.innerHost, until: now + stay)
        case .failed:
            counts.failures += 1
            state = .away(until: now + plan.failureGap)
        case .closed(_, let reason) where reason != .deletedByAdmin:
            state = .away(until: now + draw(from: plan.awayShortest, to: plan.awayLongest))
        case .closed, .redirected: break
        }
    }

    private func draw(from shortest: Duration, to longest: Duration) -> Duration {
        let share = Double(random.uint32()) / Double(UInt32.max)
        return shortest + .nanoseconds(Int64(Double((longest - shortest).nanoseconds) * share))
    }
}
