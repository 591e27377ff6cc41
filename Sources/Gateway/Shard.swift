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
    private static let innerTag: UInt32 = 1
    private static let firstSocketTag: UInt32 = 2

    let listen: [ListenAddress]
    private let sockets: UDPSockets
    private let inner: any InnerNetwork
    private let sink: any FactSink
    private let mailbox: Mailbox
    private let tunnels: Tunnels
    private let engine: any GatewayEngine
    private let outbox: Outbox
    private let inbox = DatagramBatch()
    private let epoll: Int32
    private let interval: Duration

    private var output = Output()
    private var handshakes: HandshakeQueue
    private var coalescer = Coalescer(passing: eventsPassing)
    private var now: Instant
    private let started: Instant
    private var nextTick: Instant
    private var nextSecond: Instant
    private var keepalives: UInt64 = 0
    private var keepalivesSent: UInt64 = 0
    private var tooBigBudget = tooBigPerSecond
    private var innerUp = true
    private var stopping = false

    init(
        _ setup: GatewaySetup, inner: any InnerNetwork, sink: any FactSink, mailbox: Mailbox,
        engine: (any Dataplane, [ListenAddress]) -> any GatewayEngine
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
        self.sink = sink
        self.mailbox = mailbox
        tunnels = Tunnels()
        tunnels.pathMTU = setup.pathMTU
        self.engine = engine(tunnels, listen)
        outbox = Outbox(sockets)
        try watch()
    }

    deinit { Glibc.close(epoll) }

    private func watch() throws(GatewayError) {
        var sources = [(mailbox.wakeUp.descriptor, Self.mailboxTag)]
        if let descriptor = inner.descriptor { sources.append((descriptor, Self.innerTag)) }
        for (index, socket) in sockets.sockets.enumerated() {
            sources.append((socket.descriptor, Self.firstSocketTag + UInt32(index)))
        }
        for (descriptor, tag) in sources {
            let result = clinux_epoll_add(epoll, descriptor, tag)
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
        switch tag {
        case Self.mailboxTag: answerLetters()
        case Self.innerTag: drainInner()
        default:
            let index = Int(tag - Self.firstSocketTag)
            if sockets.sockets.indices.contains(index) { drain(sockets.sockets[index]) }
        }
    }

    private func keepTime() {
        now = SystemClock.now
        if let deadline = engine.nextDeadline, deadline <= now {
            engine.expire(at: now, &output)
            deliver()
            if inner.descriptor == nil { drainInner() }
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
            if inner.descriptor == nil { drainInner() }
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
            let request = HandshakeQueue.Request(bytes: message, path: path, received: now)
            if let stale = handshakes.push(request) { drop(stale) }
        } else {
            engine.receive(message, on: path, at: now, &output)
        }
    }

    /// Serves strangers for a while; the newest first.
    private func serveHandshakes() {
        guard !handshakes.isEmpty else { return }
        while let stale = handshakes.popStale(at: now) { drop(stale) }
        let started = now
        while let request = handshakes.popNewest() {
            engine.receive(request.bytes, on: request.path, at: now, &output)
            deliver()
            now = SystemClock.now
            if (now - started).nanoseconds > Self.handshakeBudget { break }
        }
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
        var packet = bytes.mutableSpan
        switch tunnels.open(&packet, from: datagram.remote, at: now) {
        case .deliver(let range, let child, let moved):
            inner.write(UnsafeMutableBufferPointer(rebasing: bytes[range]))
            if let moved { engine.observed(child, from: moved, at: now, &output) }
        case .dropped, .dummy:
            break
        }
    }

    /// Inner packets to their tunnels.
    private func drainInner() {
        guard innerUp else { return }
        for _ in 0..<(Self.batchesPerTurn * DatagramBatch.capacity) {
            let room = outbox.room
            let inside = UnsafeMutableBufferPointer(
                rebasing: room[Tunnels.headroom..<(room.count - Tunnels.tailroom)])
            switch inner.read(into: inside) {
            case .packet(let count):
                var buffer = room.mutableSpan
                let packet = Tunnels.headroom..<(Tunnels.headroom + count)
                switch tunnels.seal(&buffer, inner: packet, at: now) {
                case .transmit(let range, let path, _): outbox.commitESP(range, on: path)
                case .tooBig(let limit):
                    tellTooBig(buffer.span.extracting(packet), limit: limit)
                case .dropped: break
                }
            case .empty:
                return
            case .gone:
                innerUp = false
                if let descriptor = inner.descriptor {
                    _ = clinux_epoll_remove(epoll, descriptor)
                }
                return
            }
        }
    }

    /// Tells the sender of an inner packet how long one may be.
    private func tellTooBig(_ packet: Span<UInt8>, limit: Int) {
        guard tooBigBudget > 0, var answer = packetTooBig(packet, limit: limit) else { return }
        tooBigBudget -= 1
        answer.withUnsafeMutableBufferPointer { inner.write($0) }
    }

    // MARK: Facts

    /// Carries out what the engine wants.
    private func deliver() {
        for transmit in output.transmits { outbox.send(transmit.bytes, on: transmit.path) }
        for path in output.keepalives { outbox.sendKeepalive(on: path) }
        keepalivesSent &+= UInt64(output.keepalives.count)
        for event in output.events { record(event) }
        output.clear()
    }

    /// What a flood causes is added up here, so that the recorder's load is bounded.
    private func record(_ event: any Event) {
        if let event = event as? any CoalescingEvent {
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

    private func tick() -> Tick {
        var tick = Tick()
        engine.fill(&tick)
        tick.traffic = tunnels.total
        tick.childSAs = UInt64(tunnels.count)
        tick.keepalives = keepalives
        tick.keepalivesSent = keepalivesSent
        tick.children = tunnels.samples()
        return tick
    }

    // MARK: Questions and the end

    private func answerLetters() {
        let (letters, stopWanted) = mailbox.take()
        stopping = stopWanted
        for letter in letters { letter.settle(answer(to: letter.question)) }
    }

    private func answer(to question: Gateway.Question) -> Gateway.Answer {
        switch question {
        case .sessions: return .sessions(engine.sessionSummaries())
        case .status: return .status(status())
        case .terminate(let session):
            let found = engine.terminate(session, at: now, &output)
            deliver()
            return .terminated(found)
        case .adopt(let policy, let routes):
            do throws(Gateway.Refusal) {
                try adopt(policy, routes)
                return .adopted
            } catch {
                return .notAdopted(error)
            }
        }
    }

    /// New routes first, old ones last: no address that is lent is without one in between.
    private func adopt(
        _ policy: EnginePolicy, _ routes: [InnerPrefix]
    ) throws(Gateway.Refusal) {
        let before = inner.routes
        do throws(GatewayError) {
            try inner.route(to: before.union(routes))
        } catch {
            throw .route(error)
        }
        do throws(PolicyRefusal) {
            try engine.adopt(policy)
        } catch {
            try? inner.route(to: before)
            throw .policy(error)
        }
        try? inner.route(to: Set(routes))
    }

    private func status() -> GatewayStatus {
        let tick = tick()
        return GatewayStatus(
            started: started, listen: listen, sessions: tick.sessions, halfOpen: tick.halfOpen,
            childSAs: tick.childSAs, traffic: tick.traffic, keepalives: keepalives,
            unsent: outbox.failures &+ outbox.unroutable, innerDropped: inner.dropped,
            innerUp: innerUp)
    }

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
        inner.close()
    }
}
