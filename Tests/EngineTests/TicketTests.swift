import Crypto
import Testing
import Vocabulary
import Wire

@testable import Engine

@Suite("A ticket")
struct TicketTests {
    static let now: UInt64 = 1_795_000_000_000

    private func contents(
        identity: Identity = Identity("alice@lab"), issued: UInt64 = now, lasting: UInt64 = 1_000,
        session: UInt64 = 7
    ) -> TicketContents {
        TicketContents(
            session: SessionID(high: session, low: 2), ikeSPI: session + 1_000,
            connection: "staff", identity: identity,
            localIdentity: Identity("gw.lab"), method: .psk,
            suite: "aes128gcm16-prfsha256-x25519",
            addresses: [.v4(0x0a58_0001), .v6(high: 0xfd88_0000_0000_0000, low: 1)],
            issued: issued, expires: issued + lasting, authenticationEnds: issued + 5_000)
    }

    private func key(_ byte: UInt8) throws -> TicketKey {
        try TicketKey(
            SharedSecret(SecretBytes(copying: Array(repeating: byte, count: 32))), created: 1)
    }

    private func sealed(
        _ contents: TicketContents, _ key: TicketKey, serial: UInt128 = 0xabcd
    ) throws -> [UInt8] {
        let skD = SecretBytes(copying: Array(0..<32))
        return try #require(
            try TicketFormat.seal(contents, skD: skD, serial: serial, key: key))
    }

    private func refusal(_ ticket: [UInt8], _ key: TicketKey?) -> TicketRefusal? {
        switch TicketFormat.open(ticket, key: { $0 == key?.id ? key : nil }) {
        case .success: nil
        case .failure(let refused): refused.reason
        }
    }

    private func opened(_ bytes: [UInt8], _ key: TicketKey) throws -> Ticket {
        try TicketFormat.open(bytes, key: { $0 == key.id ? key : nil }).get()
    }

    @Test("says what was put in, and its secret")
    func roundTrip() throws {
        let key = try key(1)
        for identity in [
            Identity("alice@lab"), Identity("192.0.2.7"), Identity(kind: .keyID, bytes: []),
            Identity(kind: .distinguishedName, bytes: Array(repeating: 0xff, count: 1_024)),
        ] {
            let contents = contents(identity: identity)
            let ticket = try opened(try sealed(contents, key), key)
            #expect(ticket.contents == contents)
            #expect(ticket.serial == 0xabcd)
            let secret = ticket.skD.bytes.matches(Array(0..<32))
            #expect(secret)
        }
    }

    @Test("shows neither who it is nor its secret, and only roughly how long the name is")
    func opaque() throws {
        let bytes = try sealed(contents(), try key(1))
        #expect(!bytes.contains(subsequence: Array("alice".utf8)))
        #expect(!bytes.contains(subsequence: Array(0..<32)))
        #expect(try sealed(contents(identity: Identity("al@lab")), try key(1)).count == bytes.count)
    }

    @Test("is sealed anew each time: one serial, one key")
    func serials() throws {
        let key = try key(1)
        let first = try sealed(contents(), key, serial: 1)
        let second = try sealed(contents(), key, serial: 2)
        #expect(first.dropFirst(33) != second.dropFirst(33))
        #expect(first == (try sealed(contents(), key, serial: 1)))
    }

    @Test("is no good with any bit flipped, or any end cut off or added")
    func everyByte() throws {
        let key = try key(1)
        let bytes = try sealed(contents(), key)
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1 << UInt8(index % 8)
            let reason: TicketRefusal =
                switch index {
                case 0: .malformed
                case 1..<9: .unknownKey
                default: .forged
                }
            #expect(refusal(other, key) == reason, "byte \(index)")
        }
        for length in bytes.indices {
            let reason = refusal(Array(bytes.prefix(length)), key)
            #expect(reason == (length < 50 ? .malformed : .forged), "\(length) bytes")
        }
        #expect(refusal(bytes + [0], key) == .forged)
        #expect(refusal(bytes + Array(repeating: 0, count: 5_000), key) == .malformed)
    }

    @Test("of another gateway, or of a key that is gone, can't be read")
    func keys() throws {
        let bytes = try sealed(contents(), try key(1))
        #expect(refusal(bytes, try key(2)) == .unknownKey)
        #expect(refusal(bytes, nil) == .unknownKey)
        // Two gateways with one secret agree on its name, whenever it was made.
        let copy = try TicketKey(
            SharedSecret(SecretBytes(copying: Array(repeating: 1, count: 32))), created: 99)
        #expect(refusal(bytes, copy) == nil)
    }

    @Test("survives one rotation of the keys, and goes with its own key")
    func rotation() throws {
        let keys = [try key(1), try key(2), try key(3)]
        let bytes = try sealed(contents(), keys[0])
        for (kept, reason) in [
            (keys[0...0], nil), (keys[0...1], nil), (keys[1...2], TicketRefusal.unknownKey),
        ] {
            let outcome = TicketFormat.open(bytes) { id in kept.first { $0.id == id } }
            switch outcome {
            case .success: #expect(reason == nil)
            case .failure(let refused): #expect(refused.reason == reason)
            }
        }
    }

    @Test("makes keys and AUTH as RFC 5723 has them: values of another implementation")
    func knownAnswers() throws {
        let auth = try resumptionAuth(
            .hmacSHA256, message: Array("first message".utf8),
            nonce: Array(repeating: 0xaa, count: 16),
            key: SecretBytes(copying: Array(0..<32)),
            identity: [2, 0, 0, 0] + Array("gw.lab".utf8))
        #expect(hex(auth) == "0884fd8699e733a973da2c089f31211d4ecf4b7dd1d14b6973a9e256b8476a7c")
        let seed = try IKEKeys.resumptionSeed(
            .hmacSHA256, skD: SecretBytes(copying: Array(32..<64)),
            nonces: Array(repeating: 1, count: 16) + Array(repeating: 2, count: 16))
        let text = seed.withBytes { bytes in hex(bytes.indices.map { bytes[$0] }) }
        #expect(text == "6359e50eb39289c2d4e12e86f1884767f8d4c389f3f82165aa8bc7b612711153")
    }

    // MARK: The book

    @Test("is good until it expires")
    func expiry() throws {
        let key = try key(1)
        let ticket = try opened(try sealed(contents(), key), key)
        let book = TicketBook([key])
        #expect(book.objection(to: ticket, at: Self.now + 999) == nil)
        #expect(book.objection(to: ticket, at: Self.now + 1_000) == .expired)
    }

    @Test("is good once, and not after its session was ended on purpose")
    func once() throws {
        let key = try key(1)
        var book = TicketBook([key])
        let ticket = try opened(try sealed(contents(), key, serial: 1), key)
        let other = try opened(try sealed(contents(), key, serial: 2), key)
        book.add(.used(1), until: Self.now + 1_000, at: Self.now)
        #expect(book.objection(to: ticket, at: Self.now) == .used)
        #expect(book.objection(to: other, at: Self.now) == nil)
        book.add(
            .revoked(other.contents.session), until: Self.now + 1_000, at: Self.now)
        #expect(book.objection(to: other, at: Self.now) == .revoked)
        let next = try opened(try sealed(contents(session: 8), key, serial: 3), key)
        #expect(book.objection(to: next, at: Self.now) == nil)
        book.add(.rekeyed(next.contents.ikeSPI), until: Self.now + 1_000, at: Self.now)
        #expect(book.objection(to: next, at: Self.now) == .rekeyed)
    }

    @Test("is refused when the book had to forget what is older; memory is bounded")
    func bounded() throws {
        let key = try key(1)
        var book = TicketBook([key], limit: 10)
        for serial in 1...11 as ClosedRange<UInt128> {
            book.add(
                .used(serial), until: Self.now + 1_000, at: Self.now + UInt64(serial))
        }
        let forgotten = try opened(try sealed(contents(), key, serial: 1), key)
        #expect(book.objection(to: forgotten, at: Self.now + 20) == .forgotten)
        let known = try opened(
            try sealed(contents(issued: Self.now + 2), key, serial: 2), key)
        #expect(book.objection(to: known, at: Self.now + 20) == .used)
        let later = try opened(
            try sealed(contents(issued: Self.now + 12), key, serial: 99), key)
        #expect(book.objection(to: later, at: Self.now + 20) == nil)
        // What has expired makes room for nothing.
        book.add(.used(1_000), until: Self.now + 9_000, at: Self.now + 2_000)
        let fresh = try opened(
            try sealed(contents(issued: Self.now + 1_990, lasting: 5_000), key, serial: 5), key)
        #expect(book.objection(to: fresh, at: Self.now + 2_000) == nil)
    }
}

extension [UInt8] {
    fileprivate func contains(subsequence wanted: [UInt8]) -> Bool {
        indices.contains { self[$0...].starts(with: wanted) }
    }
}
