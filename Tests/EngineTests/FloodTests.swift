import Engine
import Glibc
import TestKit
import Testing
import Vocabulary

/// Many strangers at once. `WEIR_FLOOD=1000000` makes the flood longer than CI has time for.
@Suite("A flood")
struct FloodTests {
    @Test("of spoofed requests: honest logins succeed, and nothing grows")
    func spoofed() throws {
        let wanted = getenv("WEIR_FLOOD").flatMap { Int(String(cString: $0)) } ?? 12_000
        // At 50,000/s there are 250 within the 5 ms that a datagram travels.
        let perStep = 250
        let pair = Pair()
        pair.keepsHistory = false
        let template = try #require(firstRequest(seed: 3))
        var random = Mixer(state: 1)
        var sent = 0
        var attempts = 0
        while sent < wanted {
            let handle = try #require(pair.connect())
            attempts += 1
            for _ in 0..<12 {
                for _ in 0..<perStep {
                    pair.inject(spoof(template, &random), from: source(&random))
                }
                sent += perStep
                pair.drive(for: .milliseconds(5))
                #expect(pair.tick.halfOpen <= 101)
            }
            pair.act { $0.disconnect(handle, at: $1, &$2) }
            pair.drive(for: .milliseconds(20))
        }
        let logins = pair.virtualAddresses.count
        #expect(Double(logins) >= 0.99 * Double(attempts), "\(logins) of \(attempts)")
        #expect(pair.failures.isEmpty)
        // All that was kept for strangers goes.
        pair.drive(for: .seconds(100))
        #expect(pair.tick.halfOpen == 0)
    }

    @Test("of strangers who return cookies: bounded, and one source can't take it all")
    func proven() throws {
        var policy = EnginePolicy.example
        policy.defence.cookiesFrom = 0
        policy.defence.halfOpenPerSource = 5
        policy.defence.keyExchangesPerSecondPerSource = 1_000
        let pair = Pair(policy)
        let template = try #require(firstRequest(seed: 3))
        var random = Mixer(state: 1)
        let bully = Endpoint(.v4(0xc633_6401), 500)
        for _ in 0..<200 {
            let request = spoof(template, &random)
            pair.network.isCut = true
            pair.inject(request, from: bully)
            let challenge = try #require(pair.datagrams.last?.bytes)
            pair.inject(withCookie(request, Array(challenge.dropFirst(36))), from: bully)
        }
        #expect(pair.tick.halfOpen == 5)
        let refused = pair.events(IKESAInitRejected.self).filter {
            $0.reason.clear == .halfOpenSourceLimit && $0.proof.clear == .cookie
        }
        #expect(refused.count == 195)
        pair.network.isCut = false
        _ = try #require(pair.connect())
        pair.drive()
        #expect(pair.virtualAddress != nil)
    }

    private func firstRequest(seed: UInt64) -> [UInt8]? {
        let probe = Pair(seed: seed)
        _ = probe.connect()
        return probe.datagrams.first?.bytes
    }

    private func spoof(_ template: [UInt8], _ random: inout Mixer) -> [UInt8] {
        var bytes = template
        let spi = random.next()
        for index in 0..<8 {
            bytes[index] = UInt8(truncatingIfNeeded: spi >> UInt64(8 * index)) | 1
        }
        return bytes
    }

    private func source(_ random: inout Mixer) -> Endpoint {
        let word = random.next()
        return Endpoint(
            .v4(UInt32(truncatingIfNeeded: word)), UInt16(truncatingIfNeeded: word >> 32) | 1)
    }
}

/// A gateway that was away comes back, and everybody wants in at once
/// (a queue that serves the oldest first never recovers from this).
@Suite("A reconnect storm")
struct StormTests {
    /// One client of a model: asks, asks again after 0.5, 1, 2, 4, 8 and 16 s, and begins
    /// anew after 32 s.
    private struct Client {
        var began: Double
        var attempt = 0
        var isIn = false

        mutating func nextRequest() -> Double {
            defer { attempt += 1 }
            return attempt == 0 ? began : began + 0.5 * Double(1 << (attempt - 1))
        }
    }

    /// - Returns: seconds until all are in, or nil after `limit`, and how many handshakes were
    ///   computed for nobody.
    private func recovery(
        clients: Int, perSecond: Int, patience: Duration, limit: Double
    ) -> (seconds: Double?, wasted: Int) {
        var queue = HandshakeQueue(patience: patience)
        var clients = (0..<clients).map { Client(began: Double($0 % 100) / 100) }
        var due = clients.map(\.began)
        for index in clients.indices { _ = clients[index].nextRequest() }
        let path = Path(
            local: Endpoint(.v4(1), 500), remote: Endpoint(.v4(2), 500), encapsulated: false)
        let step = 0.1
        var (now, inside, wasted) = (0.0, 0, 0)
        while now < limit {
            now += step
            let instant = Instant(nanoseconds: UInt64(now * 1e9))
            for index in clients.indices where !clients[index].isIn && due[index] <= now {
                if due[index] > clients[index].began + 30 {
                    clients[index] = Client(began: due[index])
                    _ = clients[index].nextRequest()
                }
                _ = queue.push(
                    .init(
                        bytes: bytes(of: index, attempt: clients[index].began), path: path,
                        received: instant))
                due[index] = clients[index].nextRequest()
            }
            while queue.popStale(at: instant) != nil {}
            for _ in 0..<Int(Double(perSecond) * step) {
                guard let request = queue.popNewest() else { break }
                let index = number(in: request.bytes, at: 0)
                let attempt = number(in: request.bytes, at: 4)
                // What a client has given up, or has already, helps nobody.
                if clients[index].isIn || attempt != Int(clients[index].began * 1_000) {
                    wasted += 1
                } else {
                    clients[index].isIn = true
                    inside += 1
                }
            }
            if inside == clients.count { return (now, wasted) }
        }
        return (nil, wasted)
    }

    private func bytes(of index: Int, attempt began: Double) -> [UInt8] {
        [index, Int(began * 1_000)].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
    }

    private func number(in bytes: [UInt8], at offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    @Test("of 3,000 clients at 30 handshakes/s is over in little more than 100 s")
    func recovers() throws {
        let (seconds, wasted) = recovery(
            clients: 3_000, perSecond: 30, patience: DefencePolicy().patience, limit: 300)
        let over = try #require(seconds)
        #expect(over < 150, "took \(over) s")
        #expect(wasted < 30, "\(wasted) handshakes for nobody")
    }

    @Test("newest first, oldest out")
    func order() {
        var queue = HandshakeQueue(patience: .seconds(1))
        let path = Path(
            local: Endpoint(.v4(1), 500), remote: Endpoint(.v4(2), 500), encapsulated: false)
        func request(_ second: UInt64, spi: UInt64 = 0) -> HandshakeQueue.Request {
            let spi = spi == 0 ? second : spi
            return .init(
                bytes: (0..<8).map { UInt8(truncatingIfNeeded: spi >> (56 - 8 * $0)) }, path: path,
                received: Instant(nanoseconds: second * 1_000_000_000))
        }
        for second in 0..<3 as Range<UInt64> { #expect(queue.push(request(second)) == nil) }
        let now = Instant(nanoseconds: 2_000_000_000)
        #expect(queue.popStale(at: now)?.received.nanoseconds == 0)
        #expect(queue.popStale(at: now) == nil)
        #expect(queue.popNewest()?.received == now)
        #expect(queue.count == 1)
        for spi in 100..<(99 + UInt64(HandshakeQueue.capacity)) {
            #expect(queue.push(request(9, spi: spi)) == nil)
        }
        #expect(queue.push(request(9, spi: 9))?.received.nanoseconds == 1_000_000_000)
    }

    @Test("a request that is sent again waits once, as the newest")
    func repeated() {
        var queue = HandshakeQueue(patience: .seconds(1))
        let path = Path(
            local: Endpoint(.v4(1), 500), remote: Endpoint(.v4(2), 500), encapsulated: false)
        for round in 0..<20_000 as Range<UInt64> {
            for spi in 1...2 as ClosedRange<UInt8> {
                let old = queue.push(
                    .init(
                        bytes: [0, 0, 0, 0, 0, 0, 0, spi], path: path,
                        received: Instant(nanoseconds: round)))
                #expect(old == nil)
            }
        }
        #expect(queue.count == 2)
        #expect(queue.popNewest()?.bytes.last == 2)
        #expect(queue.popNewest()?.received.nanoseconds == 19_999)
        #expect(queue.popNewest() == nil)
        #expect(queue.popStale(at: Instant(nanoseconds: .max)) == nil)
    }

    @Test("only requests for new IKE SAs wait")
    func takes() throws {
        let pair = Pair()
        _ = try #require(pair.connect())
        pair.drive()
        #expect(
            pair.datagrams.map { HandshakeQueue.takes($0.bytes) } == [true, false, false, false])
        #expect(!HandshakeQueue.takes([]))
        #expect(!HandshakeQueue.takes([UInt8](repeating: 0, count: 27)))
    }
}

/// SplitMix64.
private struct Mixer {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
