import Crypto
import Testing

@Suite("PRF")
struct PRFTests {
    struct Vector: Sendable {
        let prf: PRF
        let key: [UInt8]
        let data: String
        let output: String
    }

    /// RFC 4231 §4, test cases 1, 2 and 6.
    static let rfc4231: [Vector] = [
        Vector(
            prf: .hmacSHA256, key: [UInt8](repeating: 0x0b, count: 20),
            data: "Hi There",
            output: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            prf: .hmacSHA384, key: [UInt8](repeating: 0x0b, count: 20),
            data: "Hi There",
            output: "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
                + "faea9ea9076ede7f4af152e8b2fa9cb6"),
        Vector(
            prf: .hmacSHA512, key: [UInt8](repeating: 0x0b, count: 20),
            data: "Hi There",
            output: "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"),
        Vector(
            prf: .hmacSHA256, key: Array("Jefe".utf8),
            data: "what do ya want for nothing?",
            output: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            prf: .hmacSHA384, key: Array("Jefe".utf8),
            data: "what do ya want for nothing?",
            output: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
                + "8e2240ca5e69e2c78b3239ecfab21649"),
        Vector(
            prf: .hmacSHA512, key: Array("Jefe".utf8),
            data: "what do ya want for nothing?",
            output: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"),
        Vector(
            prf: .hmacSHA256, key: [UInt8](repeating: 0xaa, count: 131),
            data: "Test Using Larger Than Block-Size Key - Hash Key First",
            output: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            prf: .hmacSHA384, key: [UInt8](repeating: 0xaa, count: 131),
            data: "Test Using Larger Than Block-Size Key - Hash Key First",
            output: "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
                + "0c2ef6ab4030fe8296248df163f44952"),
        Vector(
            prf: .hmacSHA512, key: [UInt8](repeating: 0xaa, count: 131),
            data: "Test Using Larger Than Block-Size Key - Hash Key First",
            output: "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"),
    ]

    @Test("gives the answers of RFC 4231", arguments: rfc4231)
    func knownAnswers(_ vector: Vector) throws {
        let key = SecretBytes(copying: vector.key)
        let data = Array(vector.data.utf8)
        let output = [UInt8](hex: vector.output)
        #expect(try vector.prf.authenticator(key, data) == output)
        #expect(try vector.prf.secret(key, data).revealed() == output)
        let hidden = SecretBytes(copying: data)
        #expect(try vector.prf.secret(vector.key, over: hidden).revealed() == output)
        if vector.prf == .hmacSHA256 { #expect(hmacSHA256(key: key, data) == output) }
    }

    struct Stream: Sendable {
        let prf: PRF
        /// prf+(K, S), 100 bytes.
        let plain: String
        /// prf+(K, P | S), 72 bytes.
        let prefixed: String
        /// The last 32 of all 255 blocks of prf+(K, S).
        let end: String
    }

    static let key = [UInt8](0x40..<0x60)
    static let seed = [UInt8](0..<48)
    static let prefix = [UInt8](0x80..<0xa0)

    /// Computed with Python's hmac module.
    static let streams: [Stream] = [
        Stream(
            prf: .hmacSHA256,
            plain: "5d6060b85f0f8f87cf0543245a6f9263c525e7bd12c37bcb01231e691d4c344e"
                + "3f5468a6a77fb2b8b0573ac7d85275d36bd8abe9e923ad0fb593a472ebd96d4a"
                + "4441322328d4833049d415240bdd6231f7d3b34702c4ede12f33e3cd3ef1fb86"
                + "181df916",
            prefixed: "40f04c3ab547a84a532f35c1a32517a0dda9a5e8aed3bf545c0005ff32472087"
                + "f39ae09602281ee8680d0bb6262c295a3dbbfb258d40e558e93b0791663c7156"
                + "d00ad9f260e219d8",
            end: "20b799077762df50f70f5ebc42a04a0a5b9dff27ad8023dca1998532f9c975fa"),
        Stream(
            prf: .hmacSHA384,
            plain: "4afca2ca30c8c4d21fd16fb787746496e2eb3deec2d284c63912bc86817713ee"
                + "2cdb67f44ce304c83132911a0c096394504b08595530c2b4d60809d0c93c5b5c"
                + "c6d99f07eca84612192c4814992b5fa03dc6ce5f4f31d359644858513504d928"
                + "dfca1fc3",
            prefixed: "699d6395afad3f1610c65fb9a6bf8318cdb57baff80dce9ccac30fd68211f1e7"
                + "b972fe404c8d42e98d55254a39f5c5bcf3c595cdfcb220652172c8e180190956"
                + "546644a4b851e222",
            end: "c1c01df291cf6265cb69c3a923a8568b474db7355e2ecf70989545fa247ed38e"),
        Stream(
            prf: .hmacSHA512,
            plain: "65c78abe94a2f1ed554a8280d827605587c68ef426f8d018ff4c40ea4ce01ac6"
                + "e76af46fa689b622989be5e59522a1fe28a612365bba37ab0ff13ef3df63efef"
                + "42f9557b0fd08ec2d20e239f35fb6bc8034d4c656e798141c3f40bf4b2cef4c6"
                + "de86a248",
            prefixed: "ad175ebc318e94a5a23000c99bfa6b8736d05f565bb6442532350a044706fd2a"
                + "981b543c3125216005e9f05e254cd29e296031bdd6c56d86566b776cb9278d8d"
                + "6a7c9ec14abe4694",
            end: "c7e68ea749f28234dc1916d41cc3b106a139d75991f99e0ffa4f842d3ce82a26"),
    ]

    @Test("prf+ is that of another implementation", arguments: streams)
    func plus(_ stream: Stream) throws {
        let key = SecretBytes(copying: Self.key)
        let plain = [UInt8](hex: stream.plain)
        for count in [0, 1, stream.prf.length, stream.prf.length + 1, 100] {
            let output = try stream.prf.plus(key, Self.seed, count: count)
            #expect(output.revealed() == Array(plain.prefix(count)))
        }
        let prefixed = try stream.prf.plus(
            key, secretPrefix: SecretBytes(copying: Self.prefix), Self.seed, count: 72)
        #expect(prefixed.revealed() == [UInt8](hex: stream.prefixed))
        let all = try stream.prf.plus(key, Self.seed, count: 255 * stream.prf.length)
        #expect(all.revealed().suffix(32) == [UInt8](hex: stream.end)[...])
    }

    @Test("an empty key is a key", arguments: PRF.allCases)
    func emptyKey(_ prf: PRF) throws {
        let empty = try prf.authenticator(SecretBytes(copying: []), [1])
        // HMAC pads its key with zeros, so that these are the same key (RFC 2104 §2).
        #expect(try empty == prf.authenticator(SecretBytes(copying: [0, 0]), [1]))
        #expect(try prf.secret([], over: SecretBytes(copying: [1])).revealed() == empty)
        #expect(try empty != prf.authenticator(SecretBytes(copying: [1]), [1]))
    }

    @Test("threads do not disturb each other")
    func threads() async throws {
        let expected = try PRF.hmacSHA256.authenticator(SecretBytes(copying: Self.key), Self.seed)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<500).allSatisfy { _ in
                        let key = SecretBytes(copying: Self.key)
                        return (try? PRF.hmacSHA256.authenticator(key, Self.seed)) == expected
                    }
                }
            }
            for await same in group { #expect(same) }
        }
    }

    /// FIPS 180-2, appendices A.1 and B.1.
    @Test("digests")
    func digests() {
        let abc = Array("abc".utf8)
        #expect(sha1(abc) == [UInt8](hex: "a9993e364706816aba3e25717850c26c9cd0d89d"))
        #expect(
            sha256(abc)
                == [UInt8](hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(sha1([]) == [UInt8](hex: "da39a3ee5e6b4b0d3255bfef95601890afd80709"))
    }
}
