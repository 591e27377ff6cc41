import COpenSSL

/// Where nonces, SPIs, cookies and private keys come from. An argument of everything that needs
/// them, so that a test can say what they are.
package protocol RandomSource: AnyObject {
    /// Overwrites all of `bytes`.
    func fill(_ bytes: inout MutableSpan<UInt8>)
}

extension RandomSource {
    package func bytes(_ count: Int) -> [UInt8] {
        var array = [UInt8](repeating: 0, count: count)
        var span = array.mutableSpan
        fill(&span)
        return array
    }

    package func uint64() -> UInt64 {
        var bytes: [8 of UInt8] = .init(repeating: 0)
        var span = bytes.mutableSpan
        fill(&span)
        return bytes.indices.reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    package func uint32() -> UInt32 {
        var bytes: [4 of UInt8] = .init(repeating: 0)
        var span = bytes.mutableSpan
        fill(&span)
        return bytes.indices.reduce(0) { $0 << 8 | UInt32(bytes[$1]) }
    }
}

/// The generator of OpenSSL, seeded by the kernel.
package final class SystemRandom: RandomSource, Sendable {
    package init() {}

    /// Ends the process if the generator fails: there is no safe way to go on without one.
    package func fill(_ bytes: inout MutableSpan<UInt8>) {
        let done = bytes.withUnsafeMutableBufferPointer { target in
            guard let count = Int32(exactly: target.count) else { return false }
            return RAND_bytes(target.baseAddress, count) == 1
        }
        precondition(
            done, "OpenSSL has no random bytes; is getrandom(2) forbidden to this process?")
    }
}

/// ``SystemRandom`` for one thread that wants a few bytes at a time, as for SPIs and nonces: asking
/// OpenSSL costs more than they do. Forgets what it has given at once; what nobody had yet is as
/// secret as the generator's own state, in the same memory.
package final class PooledRandom: RandomSource {
    /// In bytes; more is not kept for anybody.
    static let longest = 32

    private let system = SystemRandom()
    private var pool: [512 of UInt8] = .init(repeating: 0)
    /// Where in the pool the bytes begin that nobody had.
    private var next = 512

    package init() {}

    package func fill(_ bytes: inout MutableSpan<UInt8>) {
        guard bytes.count <= Self.longest else { return system.fill(&bytes) }
        if next + bytes.count > pool.count {
            var span = pool.mutableSpan
            system.fill(&span)
            next = 0
        }
        for index in bytes.indices {
            bytes[index] = pool[next]
            pool[next] = 0
            next += 1
        }
    }
}

/// The same bytes for the same seed, on every machine: for tests and simulations, **never** for
/// a gateway with users. SplitMix64, each output in big-endian order; a call starts a new output.
package final class SeededRandom: RandomSource {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package func fill(_ bytes: inout MutableSpan<UInt8>) {
        var word: UInt64 = 0
        for index in bytes.indices {
            if index % 8 == 0 { word = next() }
            bytes[index] = UInt8(truncatingIfNeeded: word >> 56)
            word <<= 8
        }
    }

    private func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
