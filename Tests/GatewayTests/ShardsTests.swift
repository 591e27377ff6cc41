import CLinux
import Clocks
import ESP
import Engine
import Glibc
import Synchronization
import Testing
import Vocabulary

@testable import Gateway

@Suite("Shards")
struct ShardsTests {
    /// Datagrams, and the shard of four to which the kernel must give each. SPIs are as a shard of
    /// ours gives them out: its number is the first byte.
    static let ike: [(bytes: String, shard: Int)] = [
        // IKE_SA_INIT: no SPI of ours yet, so the initiator's last bytes decide.
        ("a1a2a3a4 00000006 0000000000000000 21 20 22 08 00000000 0000001c", 2),
        ("03a2a3a4 00000005 0000000000000000 21 20 22 08 00000000 0000001c", 1),
        // Of an IKE SA that the peer began: the responder's SPI.
        ("a1a2a3a4a5a6a7a8 0311121314151617 2e 20 23 08 00000001 0000001c", 3),
        ("a1a2a3a4a5a6a7a8 0000000014151617 2e 20 23 08 00000001 0000001c", 0),
        ("a1a2a3a4a5a6a7a8 0011121300000000 2e 20 23 08 00000001 0000001c", 0),
        // Of one that we began by a rekey: the initiator's SPI; requests and responses.
        ("02a2a3a4a5a6a7a8 0311121314151617 2e 20 25 00 00000001 0000001c", 2),
        ("01a2a3a4a5a6a7a8 0311121314151617 2e 20 25 20 00000001 0000001c", 1),
        // No shard of ours: one of them says so, the same for all of that SPI.
        ("a1a2a3a4a5a6a7a8 0711121314151617 2e 20 23 08 00000001 0000001c", 3),
        // Too short to tell.
        ("a1", 0), ("a1a2a3a4a5a6a7a8 0311121314151617 2e 20", 0),
    ]
    static let esp: [(bytes: String, shard: Int)] = [
        ("00112233 00000001 0000000000000001", 0), ("01112233 00000001 0000000000000001", 1),
        ("03112233 00000001 0000000000000001", 3), ("ff", 0),
    ]

    @Test("the kernel gives each datagram to its shard", arguments: [false, true])
    func steering(encapsulated: Bool) throws {
        let address = try requireAddress("127.0.0.1")
        let first = try UDPSocket(
            Endpoint(address, 0), encapsulated: encapsulated, sharesPort: true)
        let others = try (1..<4).map { _ in
            try UDPSocket(first.local, encapsulated: encapsulated, sharesPort: true)
        }
        #expect(clinux_udp_steer(first.descriptor, encapsulated, 4) >= 0)
        let marker = encapsulated ? "00000000" : ""
        let cases =
            Self.ike.map { (marker + $0.bytes, $0.shard) }
            + (encapsulated ? Self.esp.map { ($0.bytes, $0.shard) } : [])
        for (text, shard) in cases {
            // From several ports, which the kernel would spread otherwise.
            for _ in 0..<3 {
                try Probe().send(bytes(hex: text), to: first.local)
                #expect(receivers([first] + others) == [shard], "\(text)")
            }
        }
    }

    /// Which of the sockets got something.
    private func receivers(_ sockets: [UDPSocket]) -> [Int] {
        var waits = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        _ = poll(&waits, nfds_t(waits.count), 5_000)
        let batch = DatagramBatch()
        return sockets.indices.filter { batch.receive(from: sockets[$0].descriptor) > 0 }
    }

    /// Three shards with scripted engines, and what each sink saw.
    private func scripted() throws -> (Shards, [Diary], [RecordingSink]) {
        var setup = GatewaySetup(listen: [.v4(0x7f00_0001)])
        (setup.port, setup.natPort, setup.interval) = (0, 0, .milliseconds(100))
        let diaries = (0..<3).map { _ in Diary() }
        let sinks = (0..<3).map { _ in RecordingSink() }
        let shards = try Shards(setup, count: 3) { _ in
            [EchoNetwork()]
        } sink: {
            sinks[$0]
        } engine: {
            ScriptedEngine(diaries[$0], $1, knowing: $2)
        }
        return (shards, diaries, sinks)
    }

    @Test("answers are the shards' together, and so are ticks, which only the last records")
    func together() throws {
        let (shards, diaries, sinks) = try scripted()
        try shards.start()
        guard case .sessions(let list) = shards.ask(.sessions),
            case .status(let status) = shards.ask(.status)
        else {
            Issue.record("no answer")
            return
        }
        #expect(list.count == 3)
        #expect(status.sessions == 3 && status.listen == shards.listen)
        #expect(eventually { (sinks[2].ticks.withLock { $0.last })?.sessions == 3 })
        guard case .terminated(true) = shards.ask(.terminate(.example)),
            case .terminated(false) = shards.ask(.terminate(.example))
        else {
            Issue.record("terminate does not tell the truth")
            return
        }
        shards.stop()
        #expect(diaries.allSatisfy { $0.shutDowns.withLock { $0 } == 1 })
        #expect(sinks.map { $0.ticks.withLock { $0.isEmpty } } == [true, true, false])
        #expect(sinks[2].ticks.withLock { $0.last }?.sessions == 0)
        #expect(shards.ask(.status) == nil)
    }

    @Test("a drain is of all shards, and one event of its beginning and its end")
    func drain() throws {
        let (shards, _, sinks) = try scripted()
        try shards.start()
        defer { shards.stop() }
        let targets = [RedirectTarget.name("gw2.example.org")]
        let order = DrainOrder(deadline: .seconds(9), targets: targets)
        guard case .drain(let progress) = shards.ask(.drain(order)) else {
            Issue.record("no answer")
            return
        }
        #expect(
            progress
                == DrainProgress(sessions: 3, left: 3, remaining: .seconds(9), targets: targets))
        #expect(shards.isDraining)
        guard case .drain(nil) = shards.ask(.cancelDrain) else {
            Issue.record("not cancelled")
            return
        }
        #expect(!shards.isDraining)
        let begun = sinks.flatMap { $0.all(GatewayDraining.self) }
        #expect(begun.map(\.sessions.clear) == [3] && begun.map(\.redirected.clear) == [3])
        let ended = sinks.flatMap { $0.all(GatewayDrainEnded.self) }
        #expect(ended.map(\.left.clear) == [3])
    }

    @Test("another policy is followed by all shards or by none")
    func adoption() throws {
        let (shards, diaries, _) = try scripted()
        try shards.start()
        defer { shards.stop() }
        func shares(_ limit: Int) -> [PolicyShare] {
            var policy = EnginePolicy(connections: [])
            policy.sessionLimit = limit
            return (0..<3).map { _ in PolicyShare(policy: policy, routes: []) }
        }
        guard case .adopted = shards.adopt(shares(2), insteadOf: shares(1)) else {
            Issue.record("not adopted")
            return
        }
        diaries[1].refused.withLock { $0 = 3 }
        guard
            case .notAdopted(.policy(.poolInUse(name: "staff", lent: 7))) = shards.adopt(
                shares(3), insteadOf: shares(2))
        else {
            Issue.record("not refused")
            return
        }
        #expect(diaries.map { $0.adopted.withLock { $0 } } == [[2, 3, 2], [2, 2], [2]])
    }

    @Test("a shard gets its own peers' messages, on both ports")
    func peers() throws {
        let (shards, diaries, _) = try scripted()
        try shards.start()
        defer { shards.stop() }
        let probe = try Probe()
        for place in shards.listen {
            let marker: [UInt8] = place.encapsulated ? [0, 0, 0, 0] : []
            for shard in 0..<3 {
                let text = "a1a2a3a4a5a6a7a8 0\(shard)11121314151617 2e2023080000000100000000"
                probe.send(marker + bytes(hex: text), to: place.endpoint)
                _ = try #require(probe.receive())
            }
        }
        for (number, diary) in diaries.enumerated() {
            let received = diary.received.withLock { $0.map { Int($0.message[8]) } }
            #expect(received == [number, number])
        }
    }

    /// An IKE_SA_INIT that the kernel gives to the second shard of three.
    private func initiation(_ name: Int) -> [UInt8] {
        bytes(hex: "a1a2a3\(10 + name) 00000004 0000000000000000 21 20 22 08 00000000 0000001c")
    }

    @Test("a shard without room hands new peers to one that has it, but for those it has answered")
    func handedOn() throws {
        let (shards, diaries, _) = try scripted()
        try shards.start()
        defer { shards.stop() }
        let probe = try Probe()
        let place = try #require(shards.listen.first { !$0.encapsulated })
        func ask(_ name: Int) throws {
            probe.send(initiation(name), to: place.endpoint)
            // Whoever answers, it comes from where the peer has asked.
            let answer = try #require(probe.receive())
            #expect(answer.bytes == initiation(name).reversed())
            #expect(answer.from.port == place.endpoint.port)
        }
        try ask(1)
        #expect(diaries.map { $0.received.withLock { $0.count } } == [0, 1, 0])
        diaries[1].shortage.withLock { $0 = .sessions }
        try ask(1)
        #expect(diaries.map { $0.received.withLock { $0.count } } == [0, 2, 0])
        for name in 2...9 { try ask(name) }
        let counts = diaries.map { $0.received.withLock { $0.count } }
        #expect(counts[1] == 2)
        #expect(counts[0] > 0 && counts[2] > 0)
        #expect(counts[0] + counts[2] == 8)
        diaries[1].shortage.withLock { $0 = [] }
        try ask(10)
        #expect(diaries[1].received.withLock { $0.count } == 3)
    }

    @Test("who lacks as much, or something else, is handed nobody")
    func neighbours() throws {
        let neighbours = Neighbours()
        let mailboxes = try (0..<3).map { _ in try Mailbox() }
        for mailbox in mailboxes { neighbours.add(mailbox) }
        let (one, other) = (Shortage(rawValue: 1), Shortage(rawValue: 2))
        let shortages: [Shortage] = [[one, other], [other, .sessions], [one]]
        for (mailbox, shortage) in zip(mailboxes, shortages) { mailbox.tell(shortage) }
        let request = HandshakeQueue.Request(
            bytes: initiation(1),
            path: Path(
                local: Endpoint(.v4(0x7f00_0001), 500), remote: Endpoint(.v4(0x7f00_0001), 9),
                encapsulated: false),
            received: Instant(nanoseconds: 1))
        #expect(!neighbours.take(request, lacking: one))
        #expect(!neighbours.take(request, lacking: other))
        #expect(!neighbours.take(request, lacking: [other, .sessions]))
        #expect(neighbours.take(request, lacking: [one, other]))
        let taken = mailboxes.map { $0.take().handshakes }
        #expect(taken.map(\.count) == [0, 0, 1])
        #expect(taken[2].map(\.isHandedOn) == [true])
        mailboxes[2].close()
        #expect(!neighbours.take(request, lacking: [one, other]))
    }
}
