import Testing
import Wire

@Suite("Key Exchange and Nonce payloads")
struct KeyExchangeTests {
    @Test("have the layouts of RFC 7296 §3.4 and §3.9")
    func layout() throws {
        try expectLayout(
            KeyExchangePayload(group: TransformID.x25519, publicValue: [0xaa, 0xbb]),
            hex: "001f 0000 aabb")
        try expectLayout(KeyExchangePayload(group: 19, publicValue: []), hex: "0013 0000")
        try expectLayout(
            NoncePayload(Array(0..<16)), hex: "000102030405060708090a0b0c0d0e0f")
    }

    @Test("reserved bytes are ignored, and written as zero")
    func reserved() throws {
        let payload = try parse(KeyExchangePayload.self, hex: "001f ffff aabb")
        #expect(write(payload) == [UInt8](hex: "001f 0000 aabb"))
    }

    @Test("a nonce has 16 to 256 bytes", arguments: [0, 1, 15, 16, 32, 256, 257, 1_000])
    func nonceLength(_ length: Int) throws {
        let bytes = [UInt8](repeating: 7, count: length)
        if (16...256).contains(length) {
            #expect(try parse(NoncePayload.self, bytes).bytes == bytes)
        } else {
            #expect(throws: WireError.illegal(.nonce, value: UInt64(length))) {
                try parse(NoncePayload.self, bytes)
            }
        }
    }

    static let refusals = [
        Refusal("empty", "", .truncated(needed: 2, left: 0)),
        Refusal("half a group", "00", .truncated(needed: 2, left: 1)),
        Refusal("no reserved bytes", "001f 00", .truncated(needed: 2, left: 1)),
    ]

    @Test("refuses", arguments: refusals)
    func refuses(_ refusal: Refusal) {
        #expect(throws: refusal.error) { try parse(KeyExchangePayload.self, refusal.body) }
    }
}
