/// A stretch of samples of one group: counters and gauges that are sampled together, so that
/// times and idleness are told once for all of them. `docs/store-format.md` draws its bytes.
package struct Chunk: Hashable, Sendable {
    /// What a sample's predecessor does not tell.
    package struct Mark: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The counters began at zero again, some time since the sample before.
        package static let restart = Self(rawValue: 1)
        /// At least one sampling between the sample before and this one did not happen.
        package static let gap = Self(rawValue: 2)
    }

    /// The values before the first sample. Nil: the group has no earlier sample, and its
    /// counters began at zero.
    package var base: [UInt64]?
    /// The group has no later sample.
    package var ends: Bool
    /// Values in each sample.
    package let columns: Int
    /// Nanoseconds since 1970, in the order of sampling; a clock that steps may go back.
    package var times: [Int64]
    /// All columns of the first sample, then of the second, and so on.
    package var values: [UInt64]
    /// One for each sample, or none at all.
    package var marks: [Mark]

    package init(
        base: [UInt64]? = nil, ends: Bool = false, columns: Int, times: [Int64],
        values: [UInt64], marks: [Mark] = []
    ) {
        self.base = base
        self.ends = ends
        self.columns = columns
        self.times = times
        self.values = values
        self.marks = marks
    }

    package static let maxColumns = 32
    package static let maxSamples = 4_096
    static let format: UInt8 = 1

    var isWellFormed: Bool {
        (1...Self.maxColumns).contains(columns) && (1...Self.maxSamples).contains(times.count)
            && values.count == times.count * columns
            && base?.count ?? columns == columns
            && (marks.isEmpty || marks.count == times.count)
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let begins = Self(rawValue: 1)
        static let ends = Self(rawValue: 2)
        /// All samples are one period apart.
        static let regular = Self(rawValue: 4)
        static let marked = Self(rawValue: 8)
        /// No value moved.
        static let idle = Self(rawValue: 16)
        static let all: Self = [.begins, .ends, .regular, .marked, .idle]
    }
}

/// Why bytes are no chunk, or a chunk can't be bytes.
package enum ChunkError: Error, Hashable, Sendable {
    /// No or too many samples or columns, or not as many values as that makes.
    case shape
    /// The checksum is of other bytes.
    case checksum
    /// A format that this version does not know.
    case format(UInt8)
    case truncated
    /// Bytes follow the last sample.
    case trailing
    /// A field holds what no encoder writes.
    case illegal
}

/// How one column is told. Its step (the difference to the sample before) has a level on a scale
/// of half octaves; a level is told by its distance to another column's level, or to a constant.
struct ColumnCode: Hashable {
    /// An earlier column, whose level is subtracted first.
    var reference: Int?
    /// Steps may be negative, and are folded (zigzag).
    var isSigned = false
    /// Subtracted from the level, or from the difference of levels.
    var centre: Int = 0
    /// Parameter of the Rice code.
    var rice: Int = 0
}

/// The scale of half octaves: 0 is 0, 1 is 1; then 3 is 2, 4 is 3, 5 is 4 to 5, 6 is 6 to 7, …
enum Level {
    static let count = 129

    static func of(_ step: UInt64) -> Int {
        guard step > 1 else { return Int(truncatingIfNeeded: step) }
        let octave = 63 - step.leadingZeroBitCount
        let half = (step >> UInt64(octave - 1)) & 1
        return 1 + 2 * octave + Int(truncatingIfNeeded: half)
    }

    /// Bits that the level leaves open.
    static func openBits(_ level: Int) -> Int { max(0, (level - 1) / 2 - 1) }

    /// The least step of a level; nil if there is no such level.
    static func base(_ level: Int) -> UInt64? {
        guard (0..<count).contains(level), level != 2 else { return nil }
        guard level > 1 else { return UInt64(truncatingIfNeeded: level) }
        let octave = (level - 1) / 2
        let half = UInt64(truncatingIfNeeded: (level - 1) % 2)
        return (2 | half) << UInt64(octave - 1)
    }
}

/// Folds signed numbers onto unsigned ones: 0, -1, 1, -2, 2, …
func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: (number << 1) ^ (number >> 63)) }

func unzigzag(_ number: UInt64) -> Int64 {
    Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
}
