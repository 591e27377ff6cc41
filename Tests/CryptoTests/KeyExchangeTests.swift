import Crypto
import Testing

@Suite("Key exchange")
struct KeyExchangeTests {
    struct Vector: Sendable {
        let group: DHGroup
        let privateKeys: [String]
        let publicValues: [String]
        let shared: String
    }

    static let vectors: [Vector] = [
        Vector(  // RFC 7748 §6.1
            group: .x25519,
            privateKeys: [
                "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            ],
            publicValues: [
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            ],
            shared: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
        Vector(  // RFC 5903 §8.1
            group: .p256,
            privateKeys: [
                "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
                "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
            ],
            publicValues: [
                "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
                    + "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
                "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
                    + "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
            ],
            shared: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"),
        Vector(  // RFC 7748 §6.2
            group: .x448,
            privateKeys: [
                "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28d"
                    + "d9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
                "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d"
                    + "6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
            ],
            publicValues: [
                "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c"
                    + "22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
                "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b430"
                    + "27d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
            ],
            shared: "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282b"
                + "b60c0b56fd2464c335543936521c24403085d59a449a5037514a879d"),
        Vector(  // RFC 5903 §8.2
            group: .p384,
            privateKeys: [
                "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f16"
                    + "0647b67414dce655e35b538041e649ee3faef896783ab194",
                "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060"
                    + "855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
            ],
            publicValues: [
                "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6"
                    + "de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f"
                    + "65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
                "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d"
                    + "0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f"
                    + "66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
            ],
            shared: "11187331c279962d93d604243fd592cb9d0a926f422e4718"
                + "7521287e7156c5c4d603135569b9e9d09cf5d4a270f59746"),
        Vector(  // RFC 5903 §8.3
            group: .p521,
            privateKeys: [
                "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
                    + "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
                "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
                    + "9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
            ],
            publicValues: [
                "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
                    + "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e"
                    + "017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10a"
                    + "d8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582",
                "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a21"
                    + "9b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f"
                    + "015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b87"
                    + "220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a",
            ],
            shared: "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
                + "d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"),
    ]

    @Test("gives the answers of the RFCs", arguments: vectors)
    func knownAnswers(_ vector: Vector) throws {
        for (ours, theirs) in [(0, 1), (1, 0)] {
            let random = FixedRandom([UInt8](hex: vector.privateKeys[ours]))
            let exchange = try KeyExchange(vector.group, random: random)
            #expect(exchange.group == vector.group)
            #expect(exchange.publicValue == [UInt8](hex: vector.publicValues[ours]))
            let secret = try exchange.sharedSecret(with: [UInt8](hex: vector.publicValues[theirs]))
            #expect(secret.revealed() == [UInt8](hex: vector.shared))
        }
    }

    @Test("both sides agree, and the seed says the key", arguments: DHGroup.allCases)
    func agree(_ group: DHGroup) throws {
        for seed in 0..<5 as Range<UInt64> {
            let alice = try KeyExchange(group, random: SeededRandom(seed: seed))
            let again = try KeyExchange(group, random: SeededRandom(seed: seed))
            let bob = try KeyExchange(group, random: SystemRandom())
            #expect(alice.publicValue == again.publicValue)
            #expect(alice.publicValue.count == group.publicValueLength)
            let secret = try alice.sharedSecret(with: bob.publicValue)
            let pairs = [DHGroup.p256, .p384, .p521].contains(group)
            #expect(secret.count == group.publicValueLength / (pairs ? 2 : 1))
            #expect(try bob.sharedSecret(with: alice.publicValue).revealed() == secret.revealed())
        }
    }

    @Test("refuses values of the wrong length", arguments: DHGroup.allCases)
    func wrongLength(_ group: DHGroup) throws {
        let exchange = try KeyExchange(group, random: SeededRandom(seed: 1))
        let peer = try KeyExchange(group, random: SeededRandom(seed: 2)).publicValue
        for bytes in [[], Array(peer.dropLast()), peer + [0], [4] + peer, peer + peer] {
            #expect(throws: CryptoError.badPublicValue) {
                _ = try exchange.sharedSecret(with: bytes)
            }
        }
    }

    /// The points of small order, and their other spellings (RFC 7748 §6.1).
    @Test(
        "X25519 refuses what makes zero",
        arguments: [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ])
    func smallOrder(_ point: String) throws {
        let exchange = try KeyExchange(.x25519, random: SeededRandom(seed: 1))
        #expect(throws: CryptoError.badPublicValue) {
            _ = try exchange.sharedSecret(with: [UInt8](hex: point))
        }
    }

    /// 0, 1 and -1, and their other spellings (RFC 7748 §6.2).
    @Test(
        "X448 refuses what makes zero",
        arguments: [
            [UInt8](repeating: 0, count: 56), [1] + [UInt8](repeating: 0, count: 55),
            modulus448(less: 1), modulus448(less: 0), modulus448(less: -1),
        ])
    func smallOrder448(_ point: [UInt8]) throws {
        let exchange = try KeyExchange(.x448, random: SeededRandom(seed: 1))
        #expect(throws: CryptoError.badPublicValue) { _ = try exchange.sharedSecret(with: point) }
    }

    /// 2^448 - 2^224 - 1 - `less`, in little-endian order.
    static func modulus448(less: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xff, count: 56)
        bytes[28] = 0xfe
        switch less {
        case 1: bytes[0] = 0xfe
        case -1:  // carries through all the ones below 2^224
            for index in 0..<28 { bytes[index] = 0 }
            bytes[28] = 0xff
        default: break
        }
        return bytes
    }

    @Test(
        "refuses points off the curve, each bit of them",
        arguments: [
            (DHGroup.p256, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
            (
                .p384,
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                    + "ffffffff0000000000000000ffffffff"
            ),
            (.p521, "01ff" + String(repeating: "ff", count: 64)),
        ])
    func offTheCurve(_ group: DHGroup, _ modulus: String) throws {
        let exchange = try KeyExchange(group, random: SeededRandom(seed: 1))
        let peer = try KeyExchange(group, random: SeededRandom(seed: 2)).publicValue
        let half = peer.count / 2
        var refused = [
            [UInt8](repeating: 0, count: 2 * half), [UInt8](repeating: 0xff, count: 2 * half),
            [UInt8](hex: modulus) + peer.suffix(half),
            Array(peer.prefix(half)) + [UInt8](hex: modulus),
            Array(peer.suffix(half)) + peer.prefix(half),
        ]
        for bit in 0..<(16 * half) {
            var bytes = peer
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            refused.append(bytes)
        }
        for bytes in refused {
            #expect(throws: CryptoError.badPublicValue) {
                _ = try exchange.sharedSecret(with: bytes)
            }
        }
    }

    @Test("P-256 draws again for a number that is no private key")
    func rejectionSampling() throws {
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
        let one = [UInt8](repeating: 0, count: 31) + [1]
        let random = FixedRandom(
            [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xff, count: 32),
            [UInt8](hex: order), one)
        let exchange = try KeyExchange(.p256, random: random)
        #expect(random.draws == 4)
        // One times the base point is the base point (RFC 5903 §3.1).
        #expect(
            exchange.publicValue
                == [UInt8](
                    hex: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                        + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"))
    }

    @Test("P-256 takes the largest private key")
    func largest() throws {
        let largest = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
        let random = FixedRandom([UInt8](hex: largest))
        let exchange = try KeyExchange(.p256, random: random)
        #expect(random.draws == 1)
        // Minus one times the base point has the base point's x.
        #expect(
            exchange.publicValue.prefix(32)
                == [UInt8](
                    hex: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                )[...])
    }

    @Test("P-521 draws 521 bits and not 528")
    func bitsOf521() throws {
        let random = FixedRandom([0xff, 0x00] + [UInt8](repeating: 0x11, count: 64))
        _ = try KeyExchange(.p521, random: random)
        #expect(random.draws == 1)
    }
}
