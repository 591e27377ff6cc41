import Crypto
import Testing

@Suite("Every cipher")
struct CipherTests {
    /// Eight bytes, the IV, 48 bytes, the tag; and where they are.
    struct Frame {
        let body: Range<Int>
        let iv: Range<Int>
        let aad = 0..<8
        let count: Int

        init(_ cipher: Cipher) {
            iv = 8..<(8 + cipher.ivLength)
            body = iv.upperBound..<(iv.upperBound + 48)
            count = body.upperBound + cipher.tagLength
        }

        func seal(_ sealer: inout Sealer, number: UInt64) throws -> [UInt8] {
            var packet = [UInt8](repeating: 7, count: count)
            var span = packet.mutableSpan
            try sealer.seal(&span, aad: aad, iv: number, body: body)
            return packet
        }

        func open(_ opener: inout Opener, _ packet: [UInt8]) throws -> [UInt8] {
            var packet = packet
            var span = packet.mutableSpan
            try opener.open(&span, aad: aad, iv: iv, body: body)
            return Array(packet[body])
        }
    }

    func key(_ cipher: Cipher) -> [UInt8] { SeededRandom(seed: 3).bytes(cipher.keyLength) }

    struct Vector: Sendable {
        let cipher: Cipher
        /// With its nonce.
        let key: String
        let iv: String
        let plain: [UInt8]
        let encrypted: String
        let tag: String
    }

    /// Encryption by RFC 3602 §4, cases 1 and 4, and RFC 3686 §6, vectors 1 and 9; the tag by
    /// Python's `hmac`, with the key 00 01 02 … over 01 02 … 08, the IV and the ciphertext.
    static let vectors: [Vector] = [
        Vector(
            cipher: .encryptThenMAC(.aes128CBC, .hmacSHA256),
            key: "06a9214036b8a15b512e03d534120006", iv: "3dafba429d9eb430b422da802c9fac41",
            plain: Array("Single block msg".utf8), encrypted: "e353779c1079aeb82708942dbe77181a",
            tag: "ffe0c0e6813ee511d75d7dc037cd77a2"),
        Vector(
            cipher: .encryptThenMAC(.aes128CBC, .hmacSHA512),
            key: "56e47a38c5598974bc46903dba290349", iv: "8ce82eefbea0da3c44699ed7db51b7d9",
            plain: Array(0xa0..<0xe0),
            encrypted: "c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e"
                + "35907aa632c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55",
            tag: "e198c467261f8da79f2b9cf445cb2a115608579a73837ff253ee8fab1e0d08fe"),
        Vector(
            cipher: .encryptThenMAC(.aes128CTR, .hmacSHA256),
            key: "ae6852f8121067cc4bf7a5765577f39e00000030", iv: "0000000000000000",
            plain: Array("Single block msg".utf8), encrypted: "e4095d4fb7a7b3792d6175a3261311b8",
            tag: "d26fd06583747b6b11b2a1e268ce5d14"),
        Vector(
            cipher: .encryptThenMAC(.aes256CTR, .hmacSHA384),
            key: "ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d001cc5b7",
            iv: "51a51d70a1c11148", plain: Array(0..<36),
            encrypted: "eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f"
                + "1ec0e6b8",
            tag: "840e143c92ae562e7d63bd5486d28268e8788087c0d88b84"),
    ]

    @Test("opens what the RFCs encrypt", arguments: vectors)
    func opensKnownAnswers(_ vector: Vector) throws {
        let integrityKey = (0..<vector.cipher.integrityKeyLength).map { UInt8($0) }
        var opener = try Opener(
            vector.cipher, key: SecretBytes(copying: [UInt8](hex: vector.key) + integrityKey))
        var packet = [UInt8](hex: "0102030405060708" + vector.iv + vector.encrypted + vector.tag)
        let start = 8 + vector.cipher.ivLength
        let body = start..<(start + vector.plain.count)
        var span = packet.mutableSpan
        try opener.open(&span, aad: 0..<8, iv: 8..<start, body: body)
        #expect(Array(packet[body]) == vector.plain)
    }

    @Test("has an IV of its own for each packet", arguments: Cipher.allCases)
    func ivs(_ cipher: Cipher) throws {
        let frame = Frame(cipher)
        var sealer = try Sealer(cipher, key: SecretBytes(copying: key(cipher)))
        var opener = try Opener(cipher, key: SecretBytes(copying: key(cipher)))
        var ivs: Set<[UInt8]> = []
        var bodies: Set<[UInt8]> = []
        for number in 0..<20 as Range<UInt64> {
            let packet = try frame.seal(&sealer, number: number)
            ivs.insert(Array(packet[frame.iv]))
            bodies.insert(Array(packet[frame.body]))
            #expect(try frame.open(&opener, packet) == [UInt8](repeating: 7, count: 48))
        }
        #expect(ivs.count == 20 && bodies.count == 20)
    }

    @Test("heeds every bit of a packet", arguments: Cipher.allCases)
    func everyBit(_ cipher: Cipher) throws {
        let frame = Frame(cipher)
        var sealer = try Sealer(cipher, key: SecretBytes(copying: key(cipher)))
        var opener = try Opener(cipher, key: SecretBytes(copying: key(cipher)))
        let sealed = try frame.seal(&sealer, number: 1)
        for bit in 0..<(sealed.count * 8) {
            var packet = sealed
            packet[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: CryptoError.badTag) { _ = try frame.open(&opener, packet) }
        }
        // A forgery does not spoil what comes after it.
        #expect(try frame.open(&opener, sealed) == [UInt8](repeating: 7, count: 48))
    }

    /// Of a CTR cipher's encryption key the tag knows nothing; the text comes out otherwise.
    @Test("heeds every byte of its key, salt and integrity key", arguments: Cipher.allCases)
    func everyByteOfTheKey(_ cipher: Cipher) throws {
        let frame = Frame(cipher)
        let key = key(cipher)
        var sealer = try Sealer(cipher, key: SecretBytes(copying: key))
        let sealed = try frame.seal(&sealer, number: 1)
        for index in key.indices {
            var other = key
            other[index] ^= 0x10
            var opener = try Opener(cipher, key: SecretBytes(copying: other))
            let opened = try? frame.open(&opener, sealed)
            #expect(opened != [UInt8](repeating: 7, count: 48))
            if index >= cipher.encryptionKeyLength || cipher.integrityKeyLength == 0 {
                #expect(opened == nil)
            }
        }
    }
}
