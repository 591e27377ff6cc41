import Crypto
import ESP
import Testing
import Vocabulary

/// Packets that Python's `cryptography` made.
@Suite("ESP known answers")
struct KnownAnswerTests {
    static let session = SessionID(high: 3, low: 4)
    static let path = Path(local: Pair.gatewayEnd, remote: Pair.clientEnd, encapsulated: true)
    static let salt: [UInt8] = [0xca, 0xfe, 0xba, 0xbe]

    /// Its outbound SA has AES-128 and the SPI c0ffee01, its inbound SA the SPI 11223344.
    func tunnels(_ cipher: Cipher, inbound: [UInt8], outbound: [UInt8]) throws -> Tunnels {
        let tunnels = Tunnels()
        try tunnels.install(
            ChildSA(
                session: Self.session, child: ChildID(1), inboundSPI: 0x1122_3344,
                outboundSPI: 0xc0ff_ee01, cipher: cipher,
                inboundKey: SecretBytes(copying: inbound + Self.salt),
                outboundKey: SecretBytes(copying: outbound + Self.salt),
                localSelectors: [.anyIPv4, .anyIPv6], remoteSelectors: [.anyIPv4, .anyIPv6],
                path: Self.path),
            outbound: true)
        return tunnels
    }

    @Test("what we seal is what they seal")
    func seals() throws {
        let key = [UInt8](0x10..<0x20)
        let tunnels = try tunnels(.aes128GCM16, inbound: key, outbound: key)
        let inner = [UInt8](
            hex: "4500002112340000401196dd0a090001c0a8070914e90035000d000068656c6c6f")
        #expect(
            tunnels.sealed(inner).packet
                == [UInt8](
                    hex: "c0ffee0100000001000000000000000"
                        + "12e8e62cabe17a97fd19efe2626757a610909a3fbd2d30ca96613211b2fe4df6b"
                        + "406bdf799c7080aae47294a75c960df2fca2fbae"))
    }

    static let inner6 = [UInt8](
        hex: "60000000000b114020010db800000000000000000000000920010db800010000"
            + "000000000000000103e807d0000b0000616263")

    @Test("what they seal we open, and their dummies go nowhere")
    func opens() throws {
        let key = [UInt8](0x20..<0x40)
        let tunnels = try tunnels(.aes256GCM16, inbound: key, outbound: key)
        let packet = [UInt8](
            hex: "1122334400000007f00dfeed01020304ba9fb85621b3b28497d68109886b743d"
                + "4521e15ef73ce763ab5393e2b9afff4e3cb5dadb245276e3ce1046599ab04cd5"
                + "ba8788a02be65ab7a69f2943d34a94c782ed64fe5f31f5f3")
        let opened = tunnels.opened(packet)
        #expect(opened.inner == Self.inner6)
        #expect(
            opened.outcome
                == .deliver(inner: 16..<(16 + Self.inner6.count), child: ChildID(1), moved: nil))

        let dummy = [UInt8](
            hex: "1122334400000008f00dfeed01020305aefe88b58d7e7f4f6fd8b6d02db44bcd"
                + "4edd4bb4e53948dc5742624135af8ecfa281bb187a169166dae5ed9a69c97916")
        #expect(tunnels.opened(dummy, at: 9).outcome == .dummy)
        #expect(tunnels.lastInbound(of: ChildID(1)) == Instant(nanoseconds: 9))
        #expect(tunnels.opened(dummy).outcome == .dropped(.replay, session: Self.session))
        #expect(tunnels.total == Traffic(bytesIn: UInt64(Self.inner6.count), packetsIn: 1))
    }

    /// A peer with the right key and odd contents.
    @Test(
        "authentic nonsense is malformed",
        arguments: [
            ("an unknown next header", inner6 + [1, 1, 6]),
            ("IPv6 in the name of IPv4", inner6 + [1, 1, 4]),
            ("padding longer than the packet", inner6 + [200, 41]),
            ("only a trailer", [0, 41]),
            ("a truncated inner packet", Array(inner6.dropLast()) + [0, 41]),
            ("padding that eats of the packet", inner6 + [1, 41]),
            ("zeros", [UInt8](repeating: 0, count: 60)),
        ])
    func nonsense(_ name: String, _ body: [UInt8]) throws {
        let key = [UInt8](0x20..<0x40)
        let tunnels = try tunnels(.aes256GCM16, inbound: key, outbound: key)
        let packet = try seal(body, key)
        #expect(tunnels.opened(packet).outcome == .dropped(.malformed, session: Self.session))
        #expect(tunnels.total == Traffic())
    }

    @Test("long padding is fine (RFC 4303 §2.7)")
    func longPadding() throws {
        let key = [UInt8](0x20..<0x40)
        let tunnels = try tunnels(.aes256GCM16, inbound: key, outbound: key)
        let packet = try seal(Self.inner6 + [UInt8](1...255) + [255, 41], key)
        #expect(tunnels.opened(packet).inner == Self.inner6)
    }

    private func seal(_ body: [UInt8], _ key: [UInt8]) throws -> [UInt8] {
        var sealer = try Sealer(.aes256GCM16, key: SecretBytes(copying: key + Self.salt))
        let header = [UInt8](hex: "11223344 00000001 0000000000000001")
        var packet = header + body + [UInt8](repeating: 0, count: 16)
        var span = packet.mutableSpan
        try sealer.seal(&span, aad: 0..<8, iv: 1, body: 16..<(16 + body.count))
        return packet
    }
}
