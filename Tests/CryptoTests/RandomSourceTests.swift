import Crypto
import Testing

@Suite("Random")
struct RandomSourceTests {
    @Test("a seed says everything")
    func seeded() {
        let bytes = SeededRandom(seed: 7).bytes(19)
        #expect(bytes == SeededRandom(seed: 7).bytes(19))
        #expect(bytes != SeededRandom(seed: 8).bytes(19))
        let twice = SeededRandom(seed: 7)
        #expect(twice.uint64() != twice.uint64())
    }

    /// The published outputs of SplitMix64 for the seed 1234567.
    @Test("is SplitMix64")
    func isSplitMix64() {
        let random = SeededRandom(seed: 1_234_567)
        #expect(random.uint64() == 6_457_827_717_110_365_317)
        #expect(random.uint64() == 3_203_168_211_198_807_973)
        #expect(random.uint32() == UInt32(9_817_491_932_198_370_423 as UInt64 >> 32))
    }

    @Test("the system's is not constant")
    func system() {
        let random = SystemRandom()
        #expect(random.bytes(0).isEmpty)
        #expect(random.bytes(32).count == 32)
        #expect(random.bytes(32) != random.bytes(32))
        #expect(Set((0..<64).map { _ in random.uint64() }).count == 64)
    }
}
