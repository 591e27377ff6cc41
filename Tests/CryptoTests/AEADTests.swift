import Crypto
import Testing

@Suite("AEAD")
struct AEADTests {
    struct Vector: Sendable {
        let cipher: Cipher
        /// Without its salt.
        let key: String
        /// Salt and IV.
        let nonce: String
        let aad: String
        let plain: String
        /// With its tag.
        let sealed: String
    }

    static let text =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    static let zeros = "00000000000000000000000000000000"
    static let key = "feffe9928665731c6d6a8f9467308308"

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 1 to 4 and 13 to 16.
    static let gcm: [Vector] = [
        Vector(
            cipher: .aes128GCM16, key: zeros, nonce: "000000000000000000000000", aad: "", plain: "",
            sealed: "58e2fccefa7e3061367f1d57a4e7455a"),
        Vector(
            cipher: .aes128GCM16, key: zeros, nonce: "000000000000000000000000", aad: "",
            plain: zeros, sealed: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"
        ),
        Vector(
            cipher: .aes128GCM16, key: key, nonce: "cafebabefacedbaddecaf888", aad: "",
            plain: text + "1aafd255",
            sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                + "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
                + "4d5c2af327cd64a62cf35abd2ba6fab4"),
        Vector(
            cipher: .aes128GCM16, key: key, nonce: "cafebabefacedbaddecaf888",
            aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2", plain: text,
            sealed: "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                + "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
                + "5bc94fbc3221a5db94fae95ae7121a47"),
        Vector(
            cipher: .aes256GCM16, key: zeros + zeros, nonce: "000000000000000000000000", aad: "",
            plain: "", sealed: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            cipher: .aes256GCM16, key: zeros + zeros, nonce: "000000000000000000000000", aad: "",
            plain: zeros, sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        ),
        Vector(
            cipher: .aes256GCM16, key: key + key, nonce: "cafebabefacedbaddecaf888", aad: "",
            plain: text + "1aafd255",
            sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
                + "b094dac5d93471bdec1a502270e3cc6c"),
        Vector(
            cipher: .aes256GCM16, key: key + key, nonce: "cafebabefacedbaddecaf888",
            aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2", plain: text,
            sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    /// draft-mcgrew-gcm-test-01 §4: ESP packets.
    static let esp: [Vector] = [
        Vector(
            cipher: .aes128GCM16, key: key, nonce: "cafebabefacedbaddecaf888",
            aad: "0000a5f80000000a",
            plain: "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d00100"
                + "0001000000000000037369700963796265726369747902646b00000100010001",
            sealed: "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c"
                + "3de81827c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1"
                + "83b70d3aa8bc6ee4c309e9d85a41ad4a"),
        Vector(
            cipher: .aes256GCM16,
            key: "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
            nonce: "112233440102030405060708", aad: "4a2cbfe300000002",
            plain: "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee000000000"
                + "7002400020bf0000020405b40101040201020201",
            sealed: "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763"
                + "748a637985771d347f0545659f14e99def842d8e"
                + "b335f4eecfdbf831824b4c4915956c96"),
        Vector(
            cipher: .aes128GCM16, key: "7d773d00c144c525ac619d18c84a3f47",
            nonce: "d966426743457e9182443bc6", aad: "335467aeffffffff", plain: "01020201",
            sealed: "437f866bcb3f699fe9b0822bac961c4504bef270"),
    ]

    /// RFC 7634, appendices A and B: an ESP packet and an IKE message.
    static let chacha: [Vector] = [
        Vector(
            cipher: .aead(.chacha20Poly1305), key: chachaKey, nonce: "a0a1a2a31011121314151617",
            aad: "0102030400000005",
            plain: "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
                + "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
                + "2425262728292a2b2c2d2e2f303132333435363701020204",
            sealed: "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
                + "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
                + "cbec163fac469b502773f6fb94e664da9165b82829f641e0"
                + "76aaa8266b7fb0f7b11b369907e1ad43"),
        Vector(
            cipher: .aead(.chacha20Poly1305), key: chachaKey, nonce: "a0a1a2a31011121314151617",
            aad: "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029",
            plain: "0000000c000040010000000a00",
            sealed: "610394701f8d017f7c129248896b71bfe25236efd7cdc67066906315b2"),
    ]
    static let chachaKey = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"

    @Test("gives the known answers", arguments: gcm + esp + chacha)
    func knownAnswers(_ vector: Vector) throws {
        let frame = Frame(vector)
        let key = SecretBytes(hex: vector.key + vector.nonce.prefix(8))
        let sealed = frame.header + [UInt8](hex: vector.sealed)

        var sealer = try Sealer(vector.cipher, key: key)
        var packet = frame.header + frame.plain + [UInt8](repeating: 0, count: 16)
        for _ in 0..<2 {  // a context is as good for the second packet
            packet.replaceSubrange(frame.body, with: frame.plain)
            var span = packet.mutableSpan
            try sealer.seal(&span, aad: frame.aad, iv: frame.ivNumber, body: frame.body)
            #expect(packet == sealed)
        }

        var opener = try Opener(vector.cipher, key: key)
        for _ in 0..<2 {
            packet = sealed
            var span = packet.mutableSpan
            try opener.open(&span, aad: frame.aad, iv: frame.iv, body: frame.body)
            #expect(Array(packet[frame.body]) == frame.plain)
        }
    }

    @Test("every bit counts", arguments: [esp[2], gcm[3], gcm[7]])
    func everyBit(_ vector: Vector) throws {
        let frame = Frame(vector)
        let sealed = frame.header + [UInt8](hex: vector.sealed)
        var opener = try Opener(
            vector.cipher, key: SecretBytes(hex: vector.key + vector.nonce.prefix(8)))
        for bit in 0..<(sealed.count * 8) {
            var packet = sealed
            packet[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: CryptoError.badTag) {
                var span = packet.mutableSpan
                try opener.open(&span, aad: frame.aad, iv: frame.iv, body: frame.body)
            }
        }
        // A forgery does not spoil what comes after it.
        var packet = sealed
        var span = packet.mutableSpan
        try opener.open(&span, aad: frame.aad, iv: frame.iv, body: frame.body)
        #expect(Array(packet[frame.body]) == frame.plain)
    }

    /// Associated data, then the IV, then the text: as a packet has them.
    struct Frame {
        let header: [UInt8]
        let plain: [UInt8]
        let aad: Range<Int>
        let iv: Range<Int>
        let ivNumber: UInt64
        let body: Range<Int>

        init(_ vector: Vector) {
            let aadBytes = [UInt8](hex: vector.aad)
            let ivBytes = [UInt8](hex: String(vector.nonce.dropFirst(8)))
            plain = [UInt8](hex: vector.plain)
            header = aadBytes + ivBytes
            aad = 0..<aadBytes.count
            iv = aadBytes.count..<header.count
            ivNumber = ivBytes.reduce(0) { $0 << 8 | UInt64($1) }
            body = header.count..<(header.count + plain.count)
        }
    }
}
