import Clocks
import Crypto
import Glibc
import RADIUS
import Vocabulary

/// The thread of ``RadiusAccounting``: facts come in, datagrams go out, answers come in.
final class RadiusLoop {
    /// What waits at the end gets this long.
    private static let grace = Duration.seconds(2)

    private let names: [String]
    private let endpoints: [Endpoint]
    private let sockets: RadiusSockets
    private let inbox: RadiusInbox
    private let wakeUp: WakeUp
    private let sink: any FactSink
    private let report: @Sendable (RadiusAccounting.Report) -> Void
    private var client: Client
    private var book: Accounting
    private var answers: [RadiusAnswer] = []
    private var refused: UInt64 = 0

    init(
        _ setup: RadiusAccounting.Setup, inbox: RadiusInbox, wakeUp: WakeUp, sink: any FactSink,
        report: @escaping @Sendable (RadiusAccounting.Report) -> Void
    ) throws(GatewayError) {
        names = setup.servers.map(\.name)
        endpoints = setup.servers.map(\.endpoint)
        sockets = try RadiusSockets(for: endpoints)
        self.inbox = inbox
        self.wakeUp = wakeUp
        self.sink = sink
        self.report = report
        client = Client(
            setup.servers.map { Client.Server(name: $0.name, secret: $0.secret) }, setup.policy,
            nasIdentifier: setup.nasIdentifier, random: SystemRandom(), at: SystemClock.now)
        book = Accounting(
            nasIdentifier: setup.nasIdentifier, interim: setup.interim, limit: setup.sessionLimit)
        tell()
    }

    func run() {
        enqueue(.accountingOn)
        var end: Instant?
        while true {
            let isOver = takeFacts()
            if isOver, end == nil {
                enqueue(.accountingOff)
                end = SystemClock.now + Self.grace
            }
            receive()
            client.expire(at: SystemClock.now)
            send()
            tell()
            if let end, client.waiting == 0 || !client.hasServer || end <= SystemClock.now { break }
            wait(until: [client.nextDeadline, end].compactMap(\.self).min())
        }
        let left = client.abandon()
        if left > 0 { lose(UInt64(left), .shutdown) }
        tell()
    }

    /// - Returns: whether this is the end.
    private func takeFacts() -> Bool {
        let (facts, lost, isOver) = inbox.take()
        let offset = SystemClock.wallOffset
        for fact in facts {
            switch fact {
            case .event(let event, let time):
                if let record = book.observe(event, at: time, wallOffset: offset) {
                    client.enqueue(record, at: SystemClock.now)
                }
            case .tick(let tick, let time):
                for record in book.observe(tick, at: time, wallOffset: offset) {
                    client.enqueue(record, at: SystemClock.now)
                }
            }
        }
        lose(lost, .inboxFull)
        lose(book.refused - refused, .tableFull)
        refused = book.refused
        return isOver
    }

    private func enqueue(_ status: StatusType) {
        let now = SystemClock.now
        client.enqueue(
            book.gateway(status, at: now, wallOffset: SystemClock.wallOffset), at: now)
    }

    private func receive() {
        sockets.receive { bytes, remote in
            guard let server = endpoints.firstIndex(of: remote) else { return }
            client.receive(bytes, from: server, at: SystemClock.now)
        }
    }

    private func send() {
        for transmission in client.transmissions {
            sockets.send(transmission.bytes, to: endpoints[transmission.server])
        }
        client.transmissions.removeAll(keepingCapacity: true)
        sockets.flush()
    }

    /// Tells of what has happened.
    private func tell() {
        let now = SystemClock.now
        for notice in client.notices {
            switch notice {
            case .down(let server):
                sink.record(RadiusServerDown(server: names[server]), at: now)
            case .up(let server, let span):
                sink.record(
                    RadiusServerUp(
                        server: names[server],
                        downMilliseconds: UInt64(max(0, span.nanoseconds)) / 1_000_000), at: now)
            case .answered(let server, let span):
                answers.append(RadiusAnswer(server: names[server], seconds: span.seconds))
            }
        }
        client.notices.removeAll(keepingCapacity: true)
        lose(client.lost, .queueFull)
        client.lost = 0
        report(
            RadiusAccounting.Report(
                servers: client.states, answers: answers, waiting: UInt64(client.waiting)))
        answers.removeAll(keepingCapacity: true)
    }

    private func lose(_ count: UInt64, _ reason: AccountingLoss) {
        guard count > 0 else { return }
        sink.record(AccountingLost(reason: reason, count: count), at: SystemClock.now)
    }

    /// Until something comes, or it is time.
    private func wait(until moment: Instant?) {
        var waits = [pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)]
        waits += sockets.descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let milliseconds = moment.map { moment -> Int32 in
            let left = max(0, (moment - SystemClock.now).nanoseconds)
            return Int32(clamping: left / 1_000_000 + 1)
        }
        poll(&waits, nfds_t(waits.count), milliseconds ?? -1)
        wakeUp.clear()
    }
}

/// One UDP socket for each family of the servers' addresses, on a port that the kernel chooses.
private final class RadiusSockets {
    private let sockets: [UDPSocket]
    private let batch = DatagramBatch()
    private var pending: UDPSocket?

    init(for endpoints: [Endpoint]) throws(GatewayError) {
        var sockets: [UDPSocket] = []
        for address in [IPAddress.v4(0), .v6(high: 0, low: 0)]
        where endpoints.contains(where: { $0.address.isIPv4 == address.isIPv4 }) {
            sockets.append(try UDPSocket(Endpoint(address, 0), encapsulated: false))
        }
        self.sockets = sockets
    }

    var descriptors: [Int32] { sockets.map(\.descriptor) }

    /// Hands over what has come: at most a few batches at a time.
    func receive(_ body: ([UInt8], Endpoint) -> Void) {
        for socket in sockets {
            for _ in 0..<8 {
                guard batch.receive(from: socket.descriptor) > 0 else { break }
                for index in 0..<batch.count {
                    let datagram = batch.received(index, on: socket.local.port)
                    body(Array(datagram.bytes), datagram.remote)
                }
            }
        }
        batch.removeAll()
    }

    /// Sends, sooner or later. What the kernel does not take is lost, as on any network, and will
    /// be sent again.
    func send(_ bytes: [UInt8], to remote: Endpoint) {
        let socket = sockets.first { $0.local.address.isIPv4 == remote.address.isIPv4 }
        guard let socket else { return }
        if batch.isFull || pending !== socket { flush() }
        pending = socket
        let room = batch.room(batch.count)
        guard bytes.count <= room.count else { return }
        for (place, byte) in bytes.enumerated() { room[place] = byte }
        batch.append(0..<bytes.count, from: Endpoint(socket.local.address, 0), to: remote)
    }

    func flush() {
        defer { batch.removeAll() }
        guard let pending else { return }
        var first = 0
        while first < batch.count {
            let sent = batch.send(from: first, on: pending.descriptor)
            // One that can't go must not hold up the others.
            first += sent > 0 ? Int(sent) : 1
        }
    }
}
