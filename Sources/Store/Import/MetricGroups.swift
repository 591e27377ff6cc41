import Encoding
import Interchange
import SQLite

/// One row of `staged_samples`.
struct StagedSample {
    let labels: Int64
    let at: Int64
    let metric: Int64
    let value: MetricValue

    init(_ row: Row) {
        labels = row.integer(0) ?? 0
        at = row.integer(1) ?? 0
        metric = row.integer(2) ?? 0
        let (scale, value) = (row.integer(3) ?? 0, row.integer(4) ?? 0)
        self.value =
            scale < 0
            ? .real(UInt64(bitPattern: value))
            : .decimal(value, decimals: Int(clamping: scale))
    }
}

/// The samples of one label set, in the order of time, as groups: metrics that have a value at the
/// same moments.
struct MetricGroups {
    private let labels: Int64
    private let counters: Set<Int64>
    private var groups: [[Int64]: MetricGroup] = [:]
    private var moment: (at: Int64, metrics: [Int64], values: [MetricValue])?

    /// Groups of one label set. Beyond that each metric is a group by itself.
    private static let maxGroups = 64

    init(of labels: Int64, counters: Set<Int64>) {
        self.labels = labels
        self.counters = counters
    }

    /// By ascending time and metric.
    mutating func add(_ sample: StagedSample, _ connection: Connection) throws(SQLiteError) {
        if let moment, moment.at != sample.at { try endMoment(connection) }
        if moment == nil { moment = (sample.at, [], []) }
        moment?.metrics.append(sample.metric)
        moment?.values.append(sample.value)
    }

    private mutating func endMoment(_ connection: Connection) throws(SQLiteError) {
        guard let moment else { return }
        self.moment = nil
        let isKnown = groups[Array(moment.metrics.prefix(Chunk.maxColumns))] != nil
        let width = isKnown || groups.count < Self.maxGroups ? Chunk.maxColumns : 1
        for start in stride(from: 0, to: moment.metrics.count, by: width) {
            let part = start..<min(start + width, moment.metrics.count)
            let metrics = Array(moment.metrics[part])
            // Out of the dictionary, or its arrays would be copied.
            var group: MetricGroup
            if let known = groups.removeValue(forKey: metrics) {
                group = known
            } else {
                group = try MetricGroup(
                    labels, metrics, counts: metrics.map(counters.contains), from: moment.at,
                    connection)
            }
            try group.add(moment.at, Array(moment.values[part]), connection)
            groups[metrics] = group
        }
    }

    mutating func finish(_ connection: Connection) throws(SQLiteError) {
        try endMoment(connection)
        for key in groups.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            try groups[key]?.write(connection)
        }
        groups.removeAll()
    }
}

/// Samples of one group that are to be a chunk.
private struct MetricGroup {
    private let id: Int64
    /// Which columns count.
    private let counts: [Bool]
    private var base: (at: Int64, values: [MetricValue])?
    private var times: [Int64] = []
    private var values: [MetricValue] = []
    /// Moments that the store has already, of this time or later.
    private var present: Set<Int64> = []

    init(
        _ labels: Int64, _ metrics: [Int64], counts: [Bool], from at: Int64,
        _ connection: Connection
    ) throws(SQLiteError) {
        let text = metrics.map { String($0) }.joined(separator: ",")
        try connection.execute(
            "INSERT OR IGNORE INTO imported_groups (labels, metrics) VALUES (?, ?)",
            [.integer(labels), .text(text)])
        id = try connection.integer(
            "SELECT id FROM imported_groups WHERE labels = ? AND metrics = ?",
            [.integer(labels), .text(text)])
        self.counts = counts
        let chunks = try connection.rows(
            """
            SELECT scales, data FROM imported_chunks WHERE grouping = ?1 AND last_s >=
                   (SELECT coalesce(max(last_s), 0) FROM imported_chunks
                     WHERE grouping = ?1 AND last_s < ?2)
            """, [.integer(id), .integer(FoldRange.seconds(at))]
        ) { MetricChunk($0, columns: metrics.count) }
        for case let chunk? in chunks {
            for (index, time) in chunk.chunk.times.enumerated() {
                if time >= at {
                    present.insert(time)
                } else if time >= base?.at ?? .min {
                    base = (time, (0..<metrics.count).map { chunk.value(index, $0) })
                }
            }
        }
    }

    mutating func add(
        _ at: Int64, _ values: [MetricValue], _ connection: Connection
    ) throws(SQLiteError) {
        if present.contains(at) {
            try write(connection)
            base = (at, values)
            return
        }
        times.append(at)
        self.values += values
        if times.count >= Fold.rows { try write(connection) }
    }

    mutating func write(_ connection: Connection) throws(SQLiteError) {
        guard let first = times.first, let last = times.last else { return }
        let columns = counts.count
        let scales = (0..<columns).map { MetricScale(all: column($0)) }
        func stored(_ values: [MetricValue]) -> [UInt64] {
            values.enumerated().map { scales[$0.offset % columns].stored($0.element) }
        }
        let chunk = Chunk(
            base: base.map { stored($0.values) }, columns: columns, times: times,
            values: stored(values), marks: marks())
        if let bytes = try? chunk.encoded() {
            try connection.execute(
                ImportTables.chunks.insertion(),
                [
                    .null, .integer(id), .integer(FoldRange.seconds(first)),
                    .integer(FoldRange.seconds(last)),
                    .text(scales.map(\.text).joined()), .blob(bytes),
                ])
        }
        base = (last, Array(values.suffix(columns)))
        times.removeAll()
        values.removeAll()
    }

    /// With the base, which has to fit, too.
    private func column(_ column: Int) -> [MetricValue] {
        let base = base.map { [$0.values[column]] } ?? []
        return base + stride(from: column, to: values.count, by: counts.count).map { values[$0] }
    }

    /// A counter that is lower than before began again. A pause of more than one and a half of the
    /// usual ones has at least one sampling missing.
    private func marks() -> [Chunk.Mark] {
        let pauses = zip(
            (base.map { [$0.at] } ?? []) + times, base == nil ? times.dropFirst() : times[...]
        )
        .map { $1 &- $0 }
        let usual = pauses.sorted()[safe: pauses.count / 2] ?? 0
        return times.indices.map { index in
            var mark: Chunk.Mark = []
            let before =
                index > 0
                ? Array(values[((index - 1) * counts.count)..<(index * counts.count)])
                : base?.values
            let earlier = index > 0 ? times[index - 1] : base?.at
            guard let before, let earlier else { return mark }
            for (column, counting) in counts.enumerated()
            where counting && values[index * counts.count + column].double < before[column].double {
                mark.insert(.restart)
            }
            if (times[index] &- earlier) / 3 > usual / 2 { mark.insert(.gap) }
            return mark
        }
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}

/// How the numbers of a column are 64 bits each.
enum MetricScale: Hashable {
    case decimals(Int)
    /// The bits of a double.
    case bits

    /// The one that loses nothing, if there is one.
    init(all values: [MetricValue]) {
        var decimals = 0
        for value in values {
            guard case .decimal(_, let own) = value else {
                self = .bits
                return
            }
            decimals = max(decimals, own)
        }
        let fits = values.allSatisfy { $0.mantissa(decimals: decimals) != nil }
        self = fits ? .decimals(decimals) : .bits
    }

    init?(_ text: Character) {
        if text == "r" {
            self = .bits
        } else if let digit = text.wholeNumberValue, (0...MetricValue.maxDecimals).contains(digit) {
            self = .decimals(digit)
        } else {
            return nil
        }
    }

    var text: String {
        switch self {
        case .decimals(let number): String(number)
        case .bits: "r"
        }
    }

    func stored(_ value: MetricValue) -> UInt64 {
        switch self {
        case .decimals(let decimals):
            UInt64(bitPattern: value.mantissa(decimals: decimals) ?? 0)
        case .bits: value.double.bitPattern
        }
    }

    func value(_ stored: UInt64) -> MetricValue {
        switch self {
        case .decimals(let decimals):
            MetricValue(
                normalising: Int64(bitPattern: stored), decimals: decimals)
        case .bits: .real(stored)
        }
    }
}

/// A chunk of an imported group that was read.
struct MetricChunk {
    let chunk: Chunk
    let scales: [MetricScale]

    /// Of the columns scales, data. Nil if it can't be read.
    init?(_ row: Row, columns: Int) {
        guard let text = row.text(0), case .blob(let bytes) = row.value(1),
            let chunk = try? Chunk(decoding: bytes), chunk.columns == columns
        else { return nil }
        let scales = text.compactMap { MetricScale($0) }
        guard scales.count == columns else { return nil }
        self.chunk = chunk
        self.scales = scales
    }

    func value(_ sample: Int, _ column: Int) -> MetricValue {
        scales[column].value(chunk.values[sample * chunk.columns + column])
    }
}

extension StoreImporter {
    /// Puts some of the staged samples into groups and chunks.
    ///
    /// - Returns: false if there were none.
    package func group(atMost rows: Int) throws(ImportError) -> Bool {
        // A moment fits, whatever its metrics.
        let limit = max(rows, StagedMetrics.maxMetrics + 1)
        return try storing { () throws(SQLiteError) in
            let counters = Set(
                try self.connection.rows(
                    "SELECT id FROM imported_metrics WHERE type = 'counter'"
                ) { $0.integer(0) ?? 0 })
            let staged = try self.connection.rows(
                """
                SELECT labels, at_ns, metric, scale, value FROM staged_samples
                 ORDER BY labels, at_ns, metric LIMIT ?
                """, [.integer(Int64(clamping: limit))]
            ) { StagedSample($0) }
            guard let last = staged.last else { return false }
            // The last moment may be cut: it stays for the next time, unless it is all there is.
            let cut = staged.count < limit ? nil : last
            var groups: MetricGroups?
            var current: Int64?
            for sample in staged {
                if let cut, sample.labels == cut.labels, sample.at == cut.at { break }
                if sample.labels != current {
                    try groups?.finish(self.connection)
                    groups = MetricGroups(of: sample.labels, counters: counters)
                    current = sample.labels
                }
                try groups?.add(sample, self.connection)
            }
            try groups?.finish(self.connection)
            if let cut {
                try self.connection.execute(
                    "DELETE FROM staged_samples WHERE (labels, at_ns) < (?, ?)",
                    [.integer(cut.labels), .integer(cut.at)])
            } else {
                try self.connection.execute("DELETE FROM staged_samples")
            }
            return true
        }
    }
}
