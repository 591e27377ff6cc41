import Crypto
import RADIUS
import Testing
import Vocabulary

func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.unicodeScalars.compactMap { Character($0).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

/// The shared secret of RFC 2865 §7, and another one.
func secret(_ text: String = "xyzzy5461") -> SharedSecret {
    SharedSecret(SecretBytes(copying: Array(text.utf8)))
}

/// An expectation can't look into a ~Copyable value.
func isAnswer(_ answer: Packet, to authenticator: [UInt8], _ key: SharedSecret) -> Bool {
    answer.answers(authenticator, key.bytes)
}

@Suite("RADIUS packets")
struct PacketTests {
    struct Example: Sendable {
        let name: String
        let request: String
        let answer: String
    }

    /// RFC 2865 §7.1 to §7.3.
    static let examples = [
        Example(
            name: "user Telnet to a host",
            request: """
                01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f
                782a0aee 0406c0a80110 050600000003
                """,
            answer: """
                02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103
                """),
        Example(
            name: "framed user with CHAP",
            request: """
                01010047 2aee86f08d0d55969ca5978e0d3367a2 0108666c6f707379 031316e97557c31618589
                5f293ff6344077275 0406c0a80110 050600000014 060600000002 070600000001
                """,
            answer: """
                02010038 15efbc7dab26cfa3dc34d9c03c8601a4 060600000002 070600000001 0806fffffffe
                0a0600000002 0d0600000001 0c06000005dc
                """),
        Example(
            name: "user with challenge and response",
            request: """
                01020039 f3a47a1f6a6d76710b947ab93041a039 01076d6f707379 02123365757377828
                9b570885e15084825c5 0406c0a80110 050600000007
                """,
            answer: """
                0b02004e 36f3c8764ae8c71157403c0c71ff9c45 12304368616c6c656e6765203332373639343330
                2e2020456e74657220726573706f6e73652061742070726f6d70742e 180a3332373639343330
                """),
    ]

    @Test("of RFC 2865 §7 are read, written, and known to be answers", arguments: examples)
    func knownAnswers(_ example: Example) throws {
        let request = try Packet(parsing: bytes(example.request))
        #expect(try request.bytes() == bytes(example.request))
        #expect(request.code == .accessRequest)
        #expect(request.attributes.first?.type == .userName)
        let answer = try Packet(parsing: bytes(example.answer))
        #expect(try answer.bytes() == bytes(example.answer))
        #expect(isAnswer(answer, to: request.authenticator, secret()))
        #expect(!isAnswer(answer, to: request.authenticator, secret("xyzzy5462")))
        #expect(!isAnswer(answer, to: Packet.zeroAuthenticator, secret()))
    }

    @Test("with any bit flipped are no answers any more")
    func everyBit() throws {
        let example = Self.examples[0]
        let request = try Packet(parsing: bytes(example.request))
        let good = bytes(example.answer)
        for bit in 0..<(good.count * 8) {
            var bad = good
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let packet = try? Packet(parsing: bad) else { continue }
            #expect(!isAnswer(packet, to: request.authenticator, secret()), "bit \(bit)")
        }
    }

    /// What follows the code and the identifier, up to the authenticator; what follows that.
    struct Lie: Sendable {
        let length: String
        var rest = ""
        let error: PacketError
    }

    static let lies: [Lie] = [
        Lie(length: "0013", error: .length(19)),
        Lie(length: "1001", error: .length(4_097)),
        Lie(length: "0015", error: .truncated),
        Lie(length: "0015", rest: "01", error: .attribute(at: 20)),
        Lie(length: "0016", rest: "0101", error: .attribute(at: 20)),
        Lie(length: "0016", rest: "0100", error: .attribute(at: 20)),
        Lie(length: "0016", rest: "0103", error: .attribute(at: 20)),
        Lie(length: "0019", rest: "0103aa02ff", error: .attribute(at: 23)),
    ]

    @Test("are refused if lengths lie", arguments: lies)
    func refused(_ lie: Lie) {
        let packet = bytes("0100" + lie.length + Self.zeros + lie.rest)
        #expect(throws: lie.error) { try Packet(parsing: packet) }
        #expect(throws: PacketError.truncated) { try Packet(parsing: Array(packet.prefix(19))) }
    }

    private static let zeros = String(repeating: "00", count: 16)

    @Test("may have padding behind them, and attributes without a value")
    func padding() throws {
        let packet = try Packet(parsing: bytes("05070016" + Self.zeros + "1902" + "ffff"))
        #expect(packet.attributes == [Attribute(AttributeType(rawValue: 25), [])])
        #expect(try packet.bytes() == bytes("05070016" + Self.zeros + "1902"))
    }

    @Test("of random content are the same when they are read again, and every cut is refused")
    func roundTrip() throws {
        let random = SeededRandom(seed: 7)
        for _ in 0..<500 {
            let attributes = (0..<(random.uint32() % 16)).map { _ in
                Attribute(
                    AttributeType(rawValue: random.bytes(1)[0]),
                    random.bytes(Int(random.uint32() % 254)))
            }
            let packet = Packet(
                Code(rawValue: random.bytes(1)[0]), identifier: random.bytes(1)[0],
                authenticator: random.bytes(16), attributes: attributes)
            let written = try packet.bytes()
            #expect(try Packet(parsing: written) == packet)
            let cut = Int(random.uint32()) % written.count
            #expect(throws: PacketError.self) { try Packet(parsing: Array(written[..<cut])) }
        }
    }

    @Test("too long to be sent are refused")
    func tooLong() {
        let long = Attribute(.userName, [UInt8](repeating: 65, count: 254))
        #expect(throws: PacketError.tooLong) {
            try Packet(.accountingRequest, identifier: 0, attributes: [long]).bytes()
        }
        let many = (0..<17).map { _ in Attribute(.userName, [UInt8](repeating: 65, count: 253)) }
        #expect(throws: PacketError.tooLong) {
            try Packet(.accountingRequest, identifier: 0, attributes: many).bytes()
        }
    }

    @Test("with a Message-Authenticator prove it; a wrong or a second one is refused")
    func messageAuthenticator() throws {
        let key = secret()
        let random = SeededRandom(seed: 1)
        let request = Packet(
            .statusServer, identifier: 9, authenticator: random.bytes(16),
            attributes: [Attribute(.nasIdentifier, text: "gw")])
        let sent = try Packet(parsing: request.sealedWithMessageAuthenticator(key.bytes))
        #expect(sent.attributes.map(\.type) == [.nasIdentifier, .messageAuthenticator])
        // RFC 2202 §2 test case 2, of the function beneath.
        let mac = hmacMD5(
            key: secret("Jefe").bytes, Array("what do ya want for nothing?".utf8))
        #expect(mac == bytes("750c783e6ab0b503eaa86e310a5db738"))

        func answer(_ changes: (inout Packet) -> Void = { _ in }) throws -> Packet {
            var answer = Packet(
                .accessAccept, identifier: 9, authenticator: request.authenticator,
                attributes: [Attribute(.messageAuthenticator, Packet.zeroAuthenticator)])
            let mac = hmacMD5(key: key.bytes, try answer.bytes())
            answer.attributes = [Attribute(.messageAuthenticator, mac)]
            changes(&answer)
            answer.authenticator = md5(try answer.bytes(), followedBy: key.bytes)
            return answer
        }
        #expect(isAnswer(try answer(), to: request.authenticator, key))
        let wrong = Attribute(.messageAuthenticator, random.bytes(16))
        let short = Attribute(.messageAuthenticator, random.bytes(3))
        for (index, attributes) in [[wrong], [short]].enumerated() {
            let packet = try answer { $0.attributes = attributes }
            #expect(!isAnswer(packet, to: request.authenticator, key), "\(index)")
        }
        let twice = try answer { $0.attributes += $0.attributes }
        #expect(!isAnswer(twice, to: request.authenticator, key))
    }

    @Test("have text cut between characters, and numbers that stay in their range")
    func values() {
        let text = Attribute(.userName, text: String(repeating: "é", count: 200))
        #expect(text.value.count == 252)
        #expect(String(validating: text.value, as: UTF8.self) != nil)
        #expect(Attribute(.sessionTime, .max).number == .max)
        #expect(Attribute(address: .v4(0x0a58_0001)).value == [10, 88, 0, 1])
        #expect(Attribute(address: .v6(high: 1, low: 2)).type == .framedIPv6Address)
        #expect("\(text)".contains("é") == false)
    }
}
