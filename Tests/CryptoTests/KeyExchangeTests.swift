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
        for seed in 0..<20 as Range<UInt64> {
            let alice = try KeyExchange(group, random: SeededRandom(seed: seed))
            let again = try KeyExchange(group, random: SeededRandom(seed: seed))
            let bob = try KeyExchange(group, random: SystemRandom())
            #expect(alice.publicValue == again.publicValue)
            #expect(alice.publicValue.count == group.publicValueLength)
            let secret = try alice.sharedSecret(with: bob.publicValue)
            #expect(secret.count == 32)
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

    @Test("P-256 refuses points off the curve, each bit of them")
    func offTheCurve() throws {
        let exchange = try KeyExchange(.p256, random: SeededRandom(seed: 1))
        let peer = try KeyExchange(.p256, random: SeededRandom(seed: 2)).publicValue
        let modulus = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
        var refused = [
            [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0xff, count: 64),
            [UInt8](hex: modulus) + peer.suffix(32), Array(peer.prefix(32)) + [UInt8](hex: modulus),
            Array(peer.suffix(32)) + peer.prefix(32),
        ]
        for bit in 0..<512 {
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
}
