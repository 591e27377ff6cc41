import Crypto
import ESP
import Testing
import Vocabulary

/// One packet of every cipher, made in Python: GCM and ChaCha20-Poly1305 by `cryptography`, the
/// modes of the others written out over single AES blocks.
@Suite("ESP known answers of every cipher")
struct CipherPacketTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let cipher: Cipher
        /// Sequence number 2.
        let packet: String
        var testDescription: String { "\(cipher)" }
    }

    static let inner = [UInt8](
        hex: "4500002112340000401196dd0a090001c0a8070914e90035000d000068656c6c6f")

    static let vectors: [Vector] = [
        Vector(
            cipher: .aead(.aes128GCM16),
            packet: "c0ffee01000000020000000000000002fcfb152bca2be344267c8d75145a4e32"
                + "d053f2f4e7ff582c77be4ef8b5efb24803db3d188f269bef3e8bcda048bda7ef"
                + "7c456475"),
        Vector(
            cipher: .aead(.aes256GCM16),
            packet: "c0ffee01000000020000000000000002fb7e316d5b3a3972b8cd4779b901f2ca"
                + "e26711f3713c49762860a26efb04fdbe9abfd95085833d06d93a9acc7dcfcacb"
                + "6e1ee488"),
        Vector(
            cipher: .aead(.chacha20Poly1305),
            packet: "c0ffee010000000200000000000000023fa1bcd7189f99e0f1cee1066dcf0fa2"
                + "759ae5df70974aff43349858efc1dfc292667507a4004953afc07ec9d7a73b8e"
                + "db6c9980"),
        Vector(
            cipher: .aead(.aes128CCM16),
            packet: "c0ffee010000000200000000000000029ffa59388c6bd6dd6bc02a4956c1e290"
                + "ed2c13353cfef05f70b0c1b9dbd5e621c5fe5a617290ad8490ef1ee496585f5f"
                + "dbf5657f"),
        Vector(
            cipher: .aead(.aes256CCM16),
            packet: "c0ffee010000000200000000000000027812ba1ff4b1467ddc549fc44214e219"
                + "6e0a0d7264aec8463d03ba1062ba29bec1bf5484f068968a9b0070e73626539f"
                + "f0674d0b"),
        Vector(
            cipher: .encryptThenMAC(.aes128CBC, .hmacSHA256),
            packet: "c0ffee01000000020836785f25abeffefa990cdbfa4bf02538c2b23981e54cc0"
                + "8cde139587b5edb41556286dd795c4caa12fe5956988e3d024b8cb78ab6d9bda"
                + "a9044d88af578c94be12cf273e72e26ab4b2254ad31601df"),
        Vector(
            cipher: .encryptThenMAC(.aes128CBC, .hmacSHA384),
            packet: "c0ffee0100000002195e383f5cadb63ce8c7292b7c02f0c0d0e7fd1540bfd00d"
                + "3f3945ec7db92628e52c102b1ba649b6ef841cd92bb6b165b71506f0b1c3fc7b"
                + "136618cd30445e6aa14c6fdf769a5d5b62712f021383c135983310c5d23e59a5"),
        Vector(
            cipher: .encryptThenMAC(.aes128CBC, .hmacSHA512),
            packet: "c0ffee0100000002a812fa441067b3178f19ac4cfb9ce9e0965342523119dca0"
                + "97ade54035fdd7337428fb921b1ce0353925a708759dccb3b9a28c38ccaf9af9"
                + "b04201b29c75f17759ac2725750ce1cf35ec5f1fb7b259a5fefdcc3be8d8033f"
                + "5c2ca5a16eb32e74"),
        Vector(
            cipher: .encryptThenMAC(.aes256CBC, .hmacSHA256),
            packet: "c0ffee0100000002b3a72cad7057b0f62bf23ad16713bb53533961d1d0b52c8c"
                + "88bb987628907f73eddf93afe56c873448a9185a524a77c537040f2ea512d49d"
                + "a419ee55060dbcff6558dbf14d37c356eceb12190a7a8fbe"),
        Vector(
            cipher: .encryptThenMAC(.aes256CBC, .hmacSHA384),
            packet: "c0ffee0100000002c22521ec596ca4cd0f6a52814bd99f7788b3ddd6bd7a9b1a"
                + "e0930665301f66a07eeba13a3f10bfcb5aab49b7c3826f5bef7578d539e87af3"
                + "8f42cab16d0c00cf39cfc8d996f18a08f5b4f05d88e6ccfec3e2cc167a11f90f"),
        Vector(
            cipher: .encryptThenMAC(.aes256CBC, .hmacSHA512),
            packet: "c0ffee01000000029c1632b39d84d249e87bed6ac45a61df2edec8b688b286bd"
                + "70eddb62d55f7c26df273c9c31abb612098d11e43e4e7f86556d9272987cdf71"
                + "11cec0ab901d4c50a0369cd5d50b75f7888f9bc2c3ad01ea10a6f3376314e960"
                + "735e9d9877d45500"),
        Vector(
            cipher: .encryptThenMAC(.aes128CTR, .hmacSHA256),
            packet: "c0ffee01000000020000000000000002dec29670f54681e6f40118c86e7aee05"
                + "79531203ccf6e37166601ba87636225f7ffaf4f9a68e1f72b992300bd1e54b86"
                + "5a98d732"),
        Vector(
            cipher: .encryptThenMAC(.aes128CTR, .hmacSHA384),
            packet: "c0ffee01000000020000000000000002dec29670f54681e6f40118c86e7aee05"
                + "79531203ccf6e37166601ba87636225f7ffaf4f98a64293b9c02f6822608ec59"
                + "d6999ecd19b95e6a991cce87"),
        Vector(
            cipher: .encryptThenMAC(.aes128CTR, .hmacSHA512),
            packet: "c0ffee01000000020000000000000002dec29670f54681e6f40118c86e7aee05"
                + "79531203ccf6e37166601ba87636225f7ffaf4f964d44e3e5b0450ce4af020a3"
                + "80d13c93215b03177245d2f80a0eeb930093019d"),
        Vector(
            cipher: .encryptThenMAC(.aes256CTR, .hmacSHA256),
            packet: "c0ffee01000000020000000000000002a334a43b83c9e37c8cc0f2cf3434cc74"
                + "7ed636455de73947f8d1d1a4db6d9ea74dce17fe572d67182cda459deadb70aa"
                + "2fbe1648"),
        Vector(
            cipher: .encryptThenMAC(.aes256CTR, .hmacSHA384),
            packet: "c0ffee01000000020000000000000002a334a43b83c9e37c8cc0f2cf3434cc74"
                + "7ed636455de73947f8d1d1a4db6d9ea74dce17fec5d6c53c804f57471c86a153"
                + "58b63d7c9ab7096ffff97eb0"),
        Vector(
            cipher: .encryptThenMAC(.aes256CTR, .hmacSHA512),
            packet: "c0ffee01000000020000000000000002a334a43b83c9e37c8cc0f2cf3434cc74"
                + "7ed636455de73947f8d1d1a4db6d9ea74dce17feec80b0098a50bf2d54b4b4d1"
                + "a3bb1011d908c3f307d259ef9927aba71f2e582c"),
    ]

    @Test("there is one for each")
    func complete() {
        #expect(Self.vectors.map(\.cipher) == Cipher.allCases)
    }

    @Test("what we seal is what they seal, and the other way round", arguments: vectors)
    func sealsAndOpens(_ vector: Vector) throws {
        let key = (0..<vector.cipher.keyLength).map { UInt8(truncatingIfNeeded: 0x40 + $0) }
        let sender = try tunnels(
            vector.cipher, key, inboundSPI: 0x1122_3344, outboundSPI: 0xc0ff_ee01)
        let receiver = try tunnels(
            vector.cipher, key, inboundSPI: 0xc0ff_ee01, outboundSPI: 0x1122_3344)
        _ = sender.sealed(Self.inner)
        #expect(sender.sealed(Self.inner).packet == [UInt8](hex: vector.packet))
        #expect(receiver.opened([UInt8](hex: vector.packet)).inner == Self.inner)
    }

    @Test("no truncation traps, none is delivered", arguments: vectors)
    func truncation(_ vector: Vector) throws {
        let key = (0..<vector.cipher.keyLength).map { UInt8(truncatingIfNeeded: 0x40 + $0) }
        let receiver = try tunnels(
            vector.cipher, key, inboundSPI: 0xc0ff_ee01, outboundSPI: 0x1122_3344)
        let packet = [UInt8](hex: vector.packet)
        for length in 0..<packet.count {
            guard case .dropped(let reason, _) = receiver.opened(Array(packet[..<length])).outcome
            else {
                Issue.record("\(length) bytes were taken")
                return
            }
            #expect(reason == .malformed || reason == .integrity)
        }
        #expect(receiver.total == Traffic())
    }

    private func tunnels(
        _ cipher: Cipher, _ key: [UInt8], inboundSPI: UInt32, outboundSPI: UInt32
    ) throws -> Tunnels {
        let tunnels = Tunnels()
        try tunnels.install(
            ChildSA(
                session: Pair.session, child: ChildID(1), inboundSPI: inboundSPI,
                outboundSPI: outboundSPI, cipher: cipher, inboundKey: SecretBytes(copying: key),
                outboundKey: SecretBytes(copying: key), localSelectors: [.anyIPv4],
                remoteSelectors: [.anyIPv4],
                path: Path(local: Pair.gatewayEnd, remote: Pair.clientEnd, encapsulated: true)),
            outbound: true)
        return tunnels
    }
}
