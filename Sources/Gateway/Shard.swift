import CLinux
import Clocks
import ESP
import Engine
import Glibc
import Vocabulary

/// One thread's share of the gateway: sockets, engine, tunnels and inner network, with no lock
/// around any of them.
///
///     datagram ─► sockets ─► engine ──► outbox ─► datagrams
///                    └────► tunnels ─► inner network ─► tunnels ─► outbox
///
/// A turn of the loop waits, drains what is ready within bounds, lets timers expire, sends, and
/// records.
final class Shard {
    /// Batches taken from one source in one turn, so that no source starves the others or the
    /// timers.
    private static let batchesPerTurn = 8
    /// ICMP errors are rationed (RFC 1812 §4.3.2.8, RFC 4443 §2.4).
    private static let tooBigPerSecond = 100
    /// Time for new IKE SAs in one turn, in nanoseconds: what waits meanwhile is ESP and peers
    /// that are logged in.
    private static let handshakeBudget: Int64 = 2_000_000
    /// Events of a flood that are recorded one by one in each second; the rest are added up.
    private static let eventsPassing = 256
    private static let mailboxTag: UInt32 = 0

    let listen: [ListenAddress]
    private let sockets: UDPSockets
    /// By number.
    let inner: [any InnerNetwork]
    /// The numbers of those that can't be waited for.
    private let silent: [Int]
    private let sink: any FactSink
    let mailbox: Mailbox
    /// The other shards, if there are any.
    let neighbours: Neighbours?
    let tunnels: Tunnels
    let engine: any GatewayEngine
    let outbox: Outbox
    private let inbox = DatagramBatch()
    private let epoll: Int32
    private let interval: Duration

    var output = Output()
    private var handshakes: HandshakeQueue
    private var coalescer = Coalescer(passing: eventsPassing)
    var now: Instant
    let started: Instant
    private var nextTick: Instant
    private var nextSecond: Instant
    var keepalives: UInt64 = 0
    private var keepalivesSent: UInt64 = 0
    private var tooBigBudget = tooBigPerSecond
    var innerUp: [Bool]
    var stopping = false

    init(
        _ setup: GatewaySetup, inner: [any InnerNetwork], sink: any FactSink, mailbox: Mailbox,
        neighbours: Neighbours?, engine: (any Dataplane, [ListenAddress]) -> any GatewayEngine
    ) throws(GatewayError) {
        sockets = try UDPSockets(
            setup.listen, port: setup.port, natPort: setup.natPort,
            sharesPorts: setup.shards > 1)
        if setup.shards > 1 { try sockets.steer(amongst: setup.shards) }
        listen = sockets.sockets.map {
            ListenAddress(endpoint: $0.local, encapsulated: $0.encapsulated)
        }
        epoll = clinux_epoll_create()
        guard epoll >= 0 else { throw .system(what: "an epoll descriptor", errno: -epoll) }
        now = SystemClock.now
        started = now
        nextTick = now
        nextSecond = now
        interval = max(setup.interval, .milliseconds(100))
        handshakes = HandshakeQueue(patience: setup.handshakePatience)
        self.inner = inner
        silent = inner.indices.filter { inner[$0].descriptor == nil }
        innerUp = inner.map { _ in true }
        self.sink = sink
        self.mailbox = mailbox
        self.neighbours = neighbours
        tunnels = Tunnels()
        tunnels.pathMTU = setup.pathMTU
        self.engine = engine(tunnels, listen)
        outbox = Outbox(sockets)
        try watch()
    }

    deinit { Glibc.close(epoll) }

    /// Tags: the mailbox, then the inner networks, then the sockets.
    private func watch() throws(GatewayError) {
        let sources =
            [mailbox.wakeUp.descriptor] + inner.map(\.descriptor)
            + sockets.sockets.map(\.descriptor)
        for (tag, descriptor) in sources.enumerated() {
            guard let descriptor else { continue }
            let result = clinux_epoll_add(epoll, descriptor, UInt32(tag))
            guard result >= 0 else { throw .system(what: "an epoll entry", errno: -result) }
        }
    }

    // MARK: The loop

    /// Runs until the mailbox says stop, then closes.
    func run() {
        engine.wallOffset = SystemClock.wallOffset
        var tags = [UInt32](repeating: 0, count: Int(CLINUX_BATCH))
        while !stopping {
            keepTime()
            outbox.flush()
            let ready = clinux_epoll_wait(epoll, &tags, CLINUX_BATCH, patience())
            guard ready >= 0 else { break }
            now = SystemClock.now
            for tag in tags.prefix(Int(ready)) { serve(tag) }
            serveHandshakes()
        }
        shutDown()
    }

    /// How long to wait at most, in milliseconds, rounded up.
    private func patience() -> Int32 {
        guard handshakes.isEmpty else { return 0 }
        var deadline = min(nextSecond, nextTick)
        if let next = engine.nextDeadline { deadline = min(deadline, next) }
        let left = max((deadline - SystemClock.now).nanoseconds, 0)
        return Int32(clamping: (left + 999_999) / 1_000_000)
    }

    private func serve(_ tag: UInt32) {
        guard tag != Self.mailboxTag else { return answerLetters() }
        let network = Int(tag) - 1
        guard !inner.indices.contains(network) else { return drainInner(network) }
        let index = network - inner.count
        if sockets.sockets.indices.contains(index) { drain(sockets.sockets[index]) }
    }

    private func keepTime() {
        now = SystemClock.now
        if let deadline = engine.nextDeadline, deadline <= now {
            engine.expire(at: now, &output)
            deliver()
            for network in silent { drainInner(network) }
        }
        let worn = tunnels.takeWorn()
        if !worn.isEmpty {
            for child in worn { engine.worn(child, at: now, &output) }
            deliver()
        }
        if nextSecond <= now {
            engine.wallOffset = SystemClock.wallOffset
            recordDrops()
            tooBigBudget = Self.tooBigPerSecond
            record(coalescer.release(at: now))
            tellShortage()
            nextSecond = now + .seconds(1)
        }
        if nextTick <= now {
            sink.record(tick(), at: now)
            // A late tick keeps the rhythm, unless a whole interval was missed.
            nextTick = nextTick + interval > now ? nextTick + interval : now + interval
        }
    }

    // MARK: Datagrams

    private func drain(_ socket: UDPSocket) {
        for _ in 0..<Self.batchesPerTurn {
            guard inbox.receive(from: socket.descriptor) > 0 else { return }
            now = SystemClock.now
            for index in 0..<inbox.count {
                take(inbox.received(index, on: socket.local.port), from: socket)
            }
            deliver()
            for network in silent { drainInner(network) }
            guard inbox.isFull else { return }
        }
    }

    private func take(_ datagram: DatagramBatch.Received, from socket: UDPSocket) {
        guard socket.encapsulated else { return takeIKE(datagram, markerLength: 0, false) }
        switch NATTraversalContent(datagram.bytes) {
        case .keepalive: keepalives &+= 1
        case .ike: takeIKE(datagram, markerLength: 4, true)
        case .esp, .malformed: takeESP(datagram)
        }
    }

    private func takeIKE(
        _ datagram: DatagramBatch.Received, markerLength: Int, _ encapsulated: Bool
    ) {
        guard !datagram.truncated else {
            let drop = MessageDropped(
                reason: .malformed, proof: .spoofable, source: datagram.remote.address)
            return record(drop)
        }
        let path = Path(
            local: datagram.local, remote: datagram.remote, encapsulated: encapsulated)
        let message = Array(datagram.bytes.dropFirst(markerLength))
        if HandshakeQueue.takes(message) {
            queue(HandshakeQueue.Request(bytes: message, path: path, received: now))
        } else {
            engine.receive(message, on: path, at: now, &output)
            for packet in tunnels.takeEarly() {
                var bytes = packet.bytes
                bytes.withUnsafeMutableBufferPointer { open($0, from: packet.remote) }
            }
        }
    }

    func queue(_ request: HandshakeQueue.Request) {
        if let stale = handshakes.push(request) { drop(stale) }
    }

    /// Serves strangers for a while; the newest first.
    private func serveHandshakes() {
        guard !handshakes.isEmpty else { return }
        while let stale = handshakes.popStale(at: now) { drop(stale) }
        let started = now
        while let request = handshakes.popNewest() {
            if !handOn(request) {
                engine.receive(request.bytes, on: request.path, at: now, &output)
                deliver()
            }
            now = SystemClock.now
            if (now - started).nanoseconds > Self.handshakeBudget { break }
        }
        tellShortage()
    }

    private func drop(_ request: HandshakeQueue.Request) {
        record(
            MessageDropped(
                reason: .stale, proof: .spoofable, source: request.path.remote.address))
    }

    /// The tunnels count what is malformed; of a datagram longer than its slot they see nothing,
    /// which is malformed too.
    private func takeESP(_ datagram: DatagramBatch.Received) {
        let bytes = UnsafeMutableBufferPointer(
            rebasing: datagram.truncated ? datagram.bytes.prefix(0) : datagram.bytes[...])
        open(bytes, from: datagram.remote)
    }

    private func open(_ bytes: UnsafeMutableBufferPointer<UInt8>, from remote: Endpoint) {
        var packet = bytes.mutableSpan
        switch tunnels.open(&packet, from: remote, at: now) {
        case .deliver(let range, let child, let moved):
            let network = inner.count > 1 ? tunnels.network(of: child) : 0
            inner[network].write(UnsafeMutableBufferPointer(rebasing: bytes[range]))
            if let moved { engine.observed(child, from: moved, at: now, &output) }
        case .dropped, .dummy, .early:
            break
        }
    }

    /// Packets of an inner network to their tunnels.
    private func drainInner(_ network: Int) {
        guard innerUp[network] else { return }
        for _ in 0..<(Self.batchesPerTurn * DatagramBatch.capacity) {
            let room = outbox.room
            let inside = UnsafeMutableBufferPointer(
                rebasing: room[Tunnels.headroom..<(room.count - Tunnels.tailroom)])
            switch inner[network].read(into: inside) {
            case .packet(let count):
                var buffer = room.mutableSpan
                let packet = Tunnels.headroom..<(Tunnels.headroom + count)
                switch tunnels.seal(&buffer, inner: packet, from: network, at: now) {
                case .transmit(let range, let path, _): outbox.commitESP(range, on: path)
                case .tooBig(let limit):
                    tellTooBig(buffer.span.extracting(packet), limit: limit, network)
                case .dropped: break
                }
            case .empty:
                return
            case .gone:
                innerUp[network] = false
                if let descriptor = inner[network].descriptor {
                    _ = clinux_epoll_remove(epoll, descriptor)
                }
                return
            }
        }
    }

    /// Tells the sender of an inner packet how long one may be.
    private func tellTooBig(_ packet: Span<UInt8>, limit: Int, _ network: Int) {
        guard tooBigBudget > 0, var answer = packetTooBig(packet, limit: limit) else { return }
        tooBigBudget -= 1
        answer.withUnsafeMutableBufferPointer { inner[network].write($0) }
    }

    // MARK: Facts

    /// Carries out what the engine wants.
    func deliver() {
        for transmit in output.transmits { outbox.send(transmit.bytes, on: transmit.path) }
        for path in output.keepalives { outbox.sendKeepalive(on: path) }
        keepalivesSent &+= UInt64(output.keepalives.count)
        for event in output.events { record(event) }
        output.clear()
    }

    /// What a flood causes is added up here, so that the recorder's load is bounded.
    private func record(_ event: any Event) {
        if let event = event.coalescing {
            record(coalescer.add(event, at: now))
        } else {
            sink.record(event, at: now)
        }
    }

    private func record(_ events: [Coalescer.Timed]) {
        for timed in events { sink.record(timed.event, at: timed.instant) }
    }

    private func recordDrops() {
        for drop in tunnels.takeDrops() {
            let event = ESPDropped(
                reason: drop.reason, session: drop.session, source: drop.source,
                count: drop.count)
            sink.record(event, at: now)
        }
    }

    func tick() -> Tick {
        var tick = figures()
        tick.children = tunnels.samples()
        return tick
    }

    /// A tick without its Child SAs, of which there may be very many.
    func figures() -> Tick {
        var tick = Tick()
        engine.fill(&tick)
        tick.traffic = tunnels.total
        tick.childSAs = UInt64(tunnels.count)
        tick.handshakesWaiting = UInt64(handshakes.count)
        tick.keepalives = keepalives
        tick.keepalivesSent = keepalivesSent
        tick.earlyPackets = tunnels.earlyPackets
        return tick
    }

    // MARK: The end

    private func shutDown() {
        now = SystemClock.now
        engine.shutDown(at: now, &output)
        deliver()
        outbox.flush()
        recordDrops()
        record(coalescer.release())
        sink.record(tick(), at: now)
        close()
    }

    /// Ends what has not begun, or is over. The sockets close with the shard.
    func close() {
        mailbox.close()
        for network in inner { network.close() }
    }
}
