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

    @Test("a pool gives no byte twice", arguments: [1, 8, 16, 32, 33, 600])
    func pooled(_ count: Int) {
        let random = PooledRandom()
        let taken = (0..<1024).map { _ in random.bytes(count) }
        #expect(taken.allSatisfy { $0.count == count })
        // Of 1,024 single bytes no value comes 40 times; of eight or more bytes none comes twice.
        let most = Dictionary(taken.map { ($0, 1) }, uniquingKeysWith: +).values.max() ?? 0
        #expect(most < (count == 1 ? 40 : 2))
        #expect(!taken.contains(Array(repeating: 0, count: max(count, 8))))
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
