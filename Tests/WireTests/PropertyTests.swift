import Testing
import Wire

@Suite("Reading and writing")
struct PropertyTests {
    /// The seed of a failure is printed with it.
    static let seeds = UInt64(1)...20

    @Test("is the same both ways for every kind of payload", arguments: 0..<Seeded.payloadKinds)
    func payloads(_ kind: Int) throws {
        for seed in Self.seeds {
            var random = Seeded(seed &* 1_000 &+ UInt64(kind))
            for _ in 0..<25 {
                let payload = random.payload(kind)
                let bytes = Message.plain(Example.authHeader, payloads: [payload])
                let read = try Message(parsing: bytes)
                #expect(read.payloads == [payload], "seed \(seed)")
                #expect(read.rewritten == bytes, "seed \(seed)")
            }
        }
    }

    @Test("is the same both ways for whole messages", arguments: seeds)
    func messages(_ seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<25 {
            var header = random.header()
            let payloads = random.list(0...12) {
                $0.payload($0.number(0...Seeded.payloadKinds - 1))
            }
            header.nextPayload = payloads.first?.type ?? .none
            let bytes = Message.plain(header, payloads: payloads)
            let read = try Message(parsing: bytes)
            #expect(read.header == header, "seed \(seed)")
            #expect(read.payloads == payloads, "seed \(seed)")
        }
    }

    @Test("is the same both ways for what is encrypted", arguments: seeds)
    func protected(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let payloads = random.list(0...12) { $0.payload($0.number(0...Seeded.payloadKinds - 1)) }
        let (iv, tag) = (random.bytes(0...16), random.number(0...32))
        let (datagram, sealed) = Message.laidOut(
            random.header(), payloads: payloads, iv: iv, tagLength: tag)
        guard case .protected(_, sealed) = try Message(parsing: datagram) else {
            Issue.record("the Encrypted payload is where it was laid, seed \(seed)")
            return
        }
        let body = (sealed.range.lowerBound + iv.count)..<(sealed.range.upperBound - tag)
        #expect(
            try parse(decrypted: Array(datagram[body]), first: sealed.first) == payloads,
            "seed \(seed)")
    }
}

@Suite("Hostile bytes")
struct HostileBytesTests {
    static let messages = [Example.initRequest, Example.invalidKE, sealed, everything]

    static let sealed: [UInt8] = Message.laidOut(
        Example.authHeader, payloads: [.notify(NotifyPayload(.initialContact))],
        iv: Array(0..<8), tagLength: 16
    ).datagram

    /// One payload of every kind.
    static let everything: [UInt8] = {
        var random = Seeded(7)
        let payloads = (0..<Seeded.payloadKinds).map { random.payload($0) }
        return Message.plain(Example.authHeader, payloads: payloads)
    }()

    /// Bytes are refused, or mean something that can be written and read again.
    private func digest(_ bytes: [UInt8], _ comment: @autoclosure () -> String) {
        guard let message = try? Message(parsing: bytes) else { return }
        guard let again = message.rewritten else { return }
        let same = (try? Message(parsing: again))?.payloads == message.payloads
        if !same { Issue.record("\(comment()): \(bytes)") }
    }

    @Test("every truncation is refused, with the old length or the new", arguments: messages)
    func truncation(_ message: [UInt8]) {
        for count in 0..<message.count {
            let cut = Array(message.prefix(count))
            #expect(throws: ParseFailure.self) { try Message(parsing: cut) }
            #expect(throws: ParseFailure.self, "cut to \(count)") {
                try Message(parsing: patchingLength(cut))
            }
        }
    }

    @Test("every 16 bits may be one more or one less", arguments: messages)
    func offByOne(_ message: [UInt8]) {
        for offset in 0..<(message.count - 1) {
            for step in [1, 0xffff] {
                var bytes = message
                let value = (Int(bytes[offset]) << 8 | Int(bytes[offset + 1])) + step
                bytes.patch(value & 0xffff, at: offset)
                digest(bytes, "offset \(offset), step \(step)")
                let failure = offset == 24 || offset == 26
                if failure {
                    #expect(throws: ParseFailure.self) { try Message(parsing: bytes) }
                }
            }
        }
    }

    @Test("every byte may be anything extreme", arguments: messages)
    func extremes(_ message: [UInt8]) {
        for offset in 0..<message.count {
            for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
                var bytes = message
                bytes[offset] = value
                digest(bytes, "offset \(offset), value \(value)")
            }
        }
    }

    @Test("any bytes, 100,000 times, half of them behind a good header", arguments: [UInt64](1...4))
    func random(_ seed: UInt64) {
        var random = Seeded(seed)
        let types: [UInt8] = Array(33...48) + [53, 200]
        for round in 0..<25_000 {
            var bytes = random.bytes(0...120)
            if round % 2 == 0 {
                bytes = [UInt8](repeating: 1, count: 28) + bytes
                bytes[16] = types[random.number(0...types.count - 1)]
                bytes[17] = 0x20
                if bytes.count >= 32 {
                    bytes[28] = types[random.number(0...types.count - 1)] * random.number(0...1)
                    bytes.patch(bytes[28] == 0 ? bytes.count - 28 : random.number(4...60), at: 30)
                }
                bytes = patchingLength(bytes)
            }
            digest(bytes, "seed \(seed), round \(round)")
        }
    }

    @Test("any plaintext, 20,000 times")
    func plaintext() {
        var random = Seeded(99)
        for _ in 0..<20_000 {
            let bytes = random.bytes(0...60)
            let type = PayloadType(rawValue: random.number(30...60))
            guard let payloads = try? parse(decrypted: bytes, first: type) else { continue }
            let again = Message.plain(Example.authHeader, payloads: payloads)
            // Within an Encrypted payload another one is an unknown payload.
            if !payloads.contains(where: { $0.type == .encrypted }) {
                #expect((try? Message(parsing: again))?.payloads == payloads)
            }
        }
    }
}
