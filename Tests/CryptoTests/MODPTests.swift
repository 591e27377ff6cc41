import Crypto
import Testing

/// The primes of RFC 3526 §3 to §5 are made of π; Python made them from it, and the powers.
@Suite("MODP groups")
struct MODPTests {
    struct Vector: Sendable {
        let group: DHGroup
        let privateKeys: [String]
        /// SHA-256 of them, as of all that follows.
        let publicValues: [String]
        let shared: String
        /// A private key whose secret with the second public value begins with a zero byte.
        let padding: (privateKey: String, shared: String)
    }

    private static let ours = "d27f1b1125125b8a701fbfac8ff1dc6f1b2a08788945877e557b5250ade6c8e5"
    private static let theirs = "608fc243337585e8e1938ec606606ab447c508e355df38f6138eb2b4fda2bed1"

    static let vectors: [Vector] = [
        Vector(
            group: .modp2048,
            privateKeys: [ours, theirs],
            publicValues: [
                "ed117a167a60d7358de0cdd3e6e2972ac495d59017e7a07c134d15c77ac761f2",
                "9d3fac82e1a31577fbfdb715bb2fb798f0c92762641658f7f271682728b3ce4c",
            ],
            shared: "7d579853f63ceb9b51c748ad0d131517e27ed59ca2ebb4eed2b673001e795464",
            padding: (
                "d27f1b1125125b8a701fbfac8ff1dc6f1b2a08788945877e557b5250ade6c92d",
                "469f75858e1f8854ae45bac6652b45e702f4d4032bbfe6a9aaab8032aaaa863b"
            )),
        Vector(
            group: .modp3072,
            privateKeys: [ours + "e28767bc79edff19", theirs + "51565732c5864238"],
            publicValues: [
                "c7b10a321f80276ba814d9b4f9ee1d2acf0aafa28a1d448146a43aedcad53b4d",
                "2328d879b4e932baf4f71ff516e4609f48b0a9bca82f057c86ed3123ab76b2e2",
            ],
            shared: "84c5414f7d1d6e8bb9424212be8576897ef7b849d0e218cdc1e4edb9f5e9fc7d",
            padding: (
                ours + "e28767bc79ee0108",
                "8ddce751c6eab07627b72b852014ff9ac2923a6a8d9412b60de4a3a88d82cbe2"
            )),
        Vector(
            group: .modp4096,
            privateKeys: [
                ours + "e28767bc79edff19e53bde295d24e0d0",
                theirs + "51565732c5864238eacc6ba2c743a4e7",
            ],
            publicValues: [
                "459bf6361e8b9c4940b55e95b1f702c64567f5ba5e80c5b8a2ba0bb12f016061",
                "35391087f59144d5db53b0ca89ed38fbbbca845912772aa89032ec9e2df078a3",
            ],
            shared: "3264a3dc698b2976267f0d06111580ba36b633429a17a80203a0548c63d7473a",
            padding: (
                ours + "e28767bc79edff19e53bde295d24e23a",
                "5acde4d63751607fb49394e9e94657eb94d01c15fc63009e5f343e30774702e6"
            )),
    ]

    func exchange(_ group: DHGroup, _ privateKey: String) throws -> KeyExchange {
        try KeyExchange(group, random: FixedRandom([UInt8](hex: privateKey)))
    }

    @Test("give the known answers, zeros in front too", arguments: vectors)
    func knownAnswers(_ vector: Vector) throws {
        let ours = try exchange(vector.group, vector.privateKeys[0])
        let theirs = try exchange(vector.group, vector.privateKeys[1])
        #expect(sha256(ours.publicValue) == [UInt8](hex: vector.publicValues[0]))
        #expect(sha256(theirs.publicValue) == [UInt8](hex: vector.publicValues[1]))
        let shared = try ours.sharedSecret(with: theirs.publicValue).revealed()
        #expect(sha256(shared) == [UInt8](hex: vector.shared))
        #expect(try theirs.sharedSecret(with: ours.publicValue).revealed() == shared)

        let padding = try exchange(vector.group, vector.padding.privateKey)
        let padded = try padding.sharedSecret(with: theirs.publicValue).revealed()
        #expect(padded.first == 0)
        #expect(sha256(padded) == [UInt8](hex: vector.padding.shared))
    }

    /// RFC 6989 §2.1: 1 < r < p - 1.
    @Test("refuse numbers that make a known secret", arguments: vectors)
    func range(_ vector: Vector) throws {
        let ours = try exchange(vector.group, vector.privateKeys[0])
        let prime = [UInt8](hex: try #require(Self.primes[vector.group]))
        let zero = [UInt8](repeating: 0, count: prime.count)
        for bytes in [
            zero, zero.dropLast() + [1], prime.dropLast() + [0xfe], prime,
            [UInt8](repeating: 0xff, count: prime.count),
        ] {
            #expect(throws: CryptoError.badPublicValue) { _ = try ours.sharedSecret(with: bytes) }
        }
        // The neighbours of what is refused are taken.
        #expect(try ours.sharedSecret(with: zero.dropLast() + [2]).revealed() == ours.publicValue)
        _ = try ours.sharedSecret(with: prime.dropLast() + [0xfd])
    }

    static let primes: [DHGroup: String] = [
        .modp2048: """
        ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74
        020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437
        4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed
        ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05
        98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb
        9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b
        e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718
        3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff
        """,
        .modp3072: """
        ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74
        020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437
        4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed
        ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05
        98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb
        9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b
        e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718
        3995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33
        a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7
        abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864
        d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e2
        08e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff
        """,
        .modp4096: """
        ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74
        020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437
        4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed
        ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05
        98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb
        9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b
        e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718
        3995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33
        a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7
        abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864
        d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad946e2
        08e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7
        88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8
        dbbbc2db04de8ef92e8efc141fbecaa6287c59474e6bc05d99b2964fa090c3a2
        233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9
        93b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199ffffffffffffffff
        """,
    ]
}
