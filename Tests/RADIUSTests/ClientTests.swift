import Crypto
import Testing
import Vocabulary

@testable import RADIUS

/// A simulated network and clock around a ``Client``, with servers that answer, or don't.
private struct World {
    var now = Instant(nanoseconds: 1_000_000_000)
    var client: Client
    var isUp: [Bool]
    /// Per cent of datagrams that are lost, doubled, late.
    var loss: UInt32 = 0
    var received: [[Packet]]
    var notices: [Client.Notice] = []
    private var wire: [(at: Instant, bytes: [UInt8], server: Int, isAnswer: Bool)] = []
    private let random: SeededRandom
    private var book = Accounting(nasIdentifier: "gw", interim: .seconds(60), limit: 100_000)

    static let key = secret("testing123")

    init(servers: Int = 2, probe: Duration? = .seconds(10), seed: UInt64 = 1) {
        random = SeededRandom(seed: seed)
        isUp = Array(repeating: true, count: servers)
        received = Array(repeating: [], count: servers)
        client = Client(
            (0..<servers).map { Client.Server(name: "s\($0)", secret: Self.key) },
            Client.Policy(timeout: .seconds(1), retries: 2, probe: probe), nasIdentifier: "gw",
            random: random, at: now)
    }

    var downs: [Client.Notice] { notices.filter { if case .down = $0 { true } else { false } } }

    /// A login, whose Start is to be sent.
    mutating func logIn(_ number: Int) {
        var event = SessionEstablished.example
        event.session = Public(SessionID(high: 0, low: UInt64(number)))
        if let record = book.observe(event, at: now, wallOffset: 0) {
            client.enqueue(record, at: now)
        }
    }

    /// Lets time pass, from one thing that happens to the next.
    mutating func run(for span: Duration) {
        let end = now + span
        while true {
            client.expire(at: now)
            carry()
            let next = [client.nextDeadline, wire.map(\.at).min()].compactMap(\.self).min()
            guard let next, next <= end else { break }
            now = max(now, next)
            deliver()
            carry()
        }
        now = end
    }

    private mutating func carry() {
        for sent in client.transmissions { put(sent.bytes, sent.server, isAnswer: false) }
        client.transmissions = []
        notices += client.notices
        client.notices = []
    }

    private mutating func put(_ bytes: [UInt8], _ server: Int, isAnswer: Bool) {
        if random.uint32() % 100 < loss { return }
        let copies = random.uint32() % 100 < loss ? 2 : 1
        for _ in 0..<copies {
            // With losses there is reordering, too.
            let delay = loss == 0 ? 1 : 1 + random.uint32() % 1_500
            wire.append((now + .milliseconds(delay), bytes, server, isAnswer))
        }
    }

    private mutating func deliver() {
        let due = wire.filter { $0.at <= now }
        wire.removeAll { $0.at <= now }
        for datagram in due {
            if datagram.isAnswer {
                client.receive(datagram.bytes, from: datagram.server, at: now)
            } else if isUp[datagram.server] {
                serve(datagram.bytes, datagram.server)
            }
        }
    }

    private mutating func serve(_ bytes: [UInt8], _ server: Int) {
        guard let request = try? Packet(parsing: bytes) else { return }
        if request.code == .accountingRequest { received[server].append(request) }
        put(answer(to: request), server, isAnswer: true)
    }

    func answer(to request: Packet, key: SharedSecret = key, code: Code? = nil) -> [UInt8] {
        var answer = Packet(
            code ?? .accountingResponse, identifier: request.identifier,
            authenticator: request.authenticator, attributes: [])
        let bytes = (try? answer.bytes()) ?? []
        answer.authenticator = md5(bytes, followedBy: key.bytes)
        return (try? answer.bytes()) ?? []
    }

    /// Sessions that a server has heard of.
    func sessions(_ server: Int) -> Set<[UInt8]> {
        Set(
            received[server].compactMap { packet in
                packet.attributes.first { $0.type == .sessionID }?.value
            })
    }
}

@Suite("RADIUS client")
struct ClientTests {
    @Test("sends each record once to the first server, and asks all whether they are there")
    func quiet() {
        var world = World()
        for number in 0..<100 { world.logIn(number) }
        world.run(for: .seconds(5))
        #expect(world.sessions(0).count == 100)
        #expect(world.received[0].count == 100 && world.received[1].isEmpty)
        #expect(world.client.waiting == 0)
        #expect(world.client.states.map(\.isUp) == [true, true])
        #expect(world.client.states.map { $0.count(of: .answered) } == [101, 1])
        #expect(world.downs.isEmpty)
        let latencies = world.notices.compactMap {
            if case .answered(_, let span) = $0 { span } else { nil }
        }
        #expect(latencies.count == 102 && latencies.allSatisfy { $0 == .milliseconds(2) })
    }

    @Test("has at most a window of records under way")
    func window() {
        var world = World()
        world.isUp = [false, false]
        for number in 0..<1_000 { world.logIn(number) }
        #expect(world.client.transmissions.count == 64)
        #expect(world.client.waiting == 1_000)
    }

    @Test("sends again at growing intervals, then goes to the next server, in order")
    func failover() {
        var world = World(probe: nil)
        world.isUp[0] = false
        for number in 0..<10 { world.logIn(number) }
        world.run(for: .seconds(10))
        #expect(world.client.states[0].retransmissions == 20)
        #expect(world.downs == [.down(server: 0)])
        #expect(world.client.states.map(\.isUp) == [false, true])
        #expect(world.sessions(1).count == 10)
        let order = world.received[1].compactMap { packet in
            packet.attributes.first { $0.type == .sessionID }?.value
        }
        #expect(order == order.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(world.client.waiting == 0)
    }

    @Test("keeps records while all are down, and sends them with their age when one is back")
    func outage() {
        var world = World()
        world.isUp = [false, false]
        world.logIn(1)
        world.run(for: .seconds(60))
        #expect(world.downs.count == 2)
        world.logIn(2)
        world.run(for: .seconds(40))
        #expect(world.client.waiting == 2 && !world.client.hasServer)
        world.isUp[1] = true
        world.run(for: .seconds(15))
        #expect(world.sessions(1).count == 2)
        let delays = world.received[1].compactMap { packet in
            packet.attributes.first { $0.type == .delayTime }?.number
        }
        #expect(delays.count == 2)
        #expect(delays.allSatisfy { (40...115).contains($0) })
        let ups = world.notices.compactMap {
            if case .up(let server, let span) = $0 { (server, span) } else { nil }
        }
        #expect(ups.map(\.0) == [1])
        #expect(ups.allSatisfy { $0.1 > .seconds(80) && $0.1 < .seconds(115) })
        // The first server, once it is back, gets the next ones.
        world.isUp[0] = true
        world.run(for: .seconds(15))
        world.logIn(3)
        world.run(for: .seconds(1))
        #expect(world.sessions(0).count == 1)
    }

    @Test("without probes tries a server that was down again")
    func withoutProbes() {
        var world = World(servers: 1, probe: nil)
        world.isUp[0] = false
        world.logIn(1)
        world.run(for: .seconds(200))
        #expect(world.downs.count == 1, "told once")
        world.isUp[0] = true
        world.run(for: .seconds(60))
        #expect(world.sessions(0).count == 1 && world.client.states[0].isUp)
    }

    @Test("brings every record through loss, doubles and disorder", arguments: 1...20)
    func storm(_ seed: UInt64) {
        var world = World(seed: seed)
        world.loss = 30
        for number in 0..<300 {
            world.logIn(number)
            if number % 10 == 0 { world.run(for: .milliseconds(200)) }
        }
        world.run(for: .seconds(600))
        #expect(world.sessions(0).union(world.sessions(1)).count == 300)
        #expect(world.client.waiting == 0 && world.client.lost == 0)
        // What came twice, or after it had been sent again, had no effect.
        let states = world.client.states
        #expect(states.allSatisfy { $0.count(of: .authenticator) == 0 })
        #expect(states.reduce(0) { $0 + $1.count(of: .unexpected) } > 0)
    }

    @Test("loses only what finds no room, and counts it; interim updates first")
    func bounded() {
        var world = World(servers: 1)
        world.isUp[0] = false
        world.run(for: .seconds(30))
        #expect(!world.client.hasServer)
        for number in 0..<25_000 { world.logIn(number) }
        #expect(world.client.waiting == 20_000)
        #expect(world.client.lost == 5_000)
        #expect(world.client.abandon() == 20_000)
        #expect(world.client.waiting == 0)
    }

    @Test("takes no answer that is forged, of another kind, late or broken, and counts each")
    func hostile() throws {
        var world = World(servers: 1, probe: nil)
        world.logIn(1)
        let sent = try #require(world.client.transmissions.first)
        let request = try Packet(parsing: sent.bytes)
        func receive(_ bytes: [UInt8]) { world.client.receive(bytes, from: 0, at: world.now) }
        receive([])
        receive(Array(sent.bytes.prefix(19)))
        receive(world.answer(to: request, key: secret("another")))
        receive(world.answer(to: request, code: .accessAccept))
        var other = request
        other.identifier &+= 1
        receive(world.answer(to: other))
        world.client.receive(world.answer(to: request), from: 7, at: world.now)
        let state = world.client.states[0]
        #expect(RadiusDrop.allCases.map(state.count(of:)) == [2, 1, 1, 1])
        #expect(world.client.waiting == 1 && !state.isUp)
        receive(world.answer(to: request))
        #expect(world.client.waiting == 0 && world.client.states[0].isUp)
        receive(world.answer(to: request))
        #expect(world.client.states[0].count(of: .unexpected) == 2)
    }

    @Test("asks by a Status-Server that proves itself, and takes either port's answer")
    func probe() throws {
        for code in [Code.accountingResponse, .accessAccept] {
            var world = World(servers: 1)
            world.client.expire(at: world.now)
            let sent = try #require(world.client.transmissions.first)
            let request = try Packet(parsing: sent.bytes)
            #expect(request.code == .statusServer)
            #expect(request.attributes.map(\.type) == [.nasIdentifier, .messageAuthenticator])
            let answer = world.answer(to: request, code: code)
            world.client.receive(answer, from: 0, at: world.now)
            #expect(world.client.states[0].isUp)
        }
    }
}
