import SQLite

/// What the samples of a pool say that fall into one minute or one hour, of one run. One sample is
/// a summary of itself.
package struct PoolSummary: Hashable, Sendable {
    /// Where its minute or hour begins; of a sample itself, its time. Nanoseconds since 1970.
    package var start: Int64
    package let run: Int64
    package let pool: String
    package var samples: Int64 = 1
    package var last: Int64
    /// At the last sample.
    package var size: Int64
    package var used: TickSummary.Gauge
    /// When `used` was first at its most.
    package var peak: Int64

    mutating func include(_ other: Self) {
        samples &+= other.samples
        if other.used.most > used.most { peak = other.peak }
        used.least = min(used.least, other.used.least)
        used.most = max(used.most, other.used.most)
        used.sum &+= other.used.sum
        guard other.last >= last else { return }
        last = other.last
        size = other.size
        used.last = other.used.last
    }
}

extension PoolSummary {
    package init(sample at: Int64, run: Int64, pool: String, size: Int64, used: Int64) {
        self.init(
            start: at, run: run, pool: pool, last: at, size: size,
            used: TickSummary.Gauge(least: used, most: used, sum: used, last: used), peak: at)
    }

    /// The columns of `pool_minutes` and `pool_hours`, in order.
    static let columns =
        [Tables.Column("start_ns"), Tables.Column("run"), Tables.Column("pool", "TEXT NOT NULL")]
        + [
            "samples", "last_ns", "size", "used_min", "used_max", "used_sum", "used_last",
            "used_peak_ns",
        ].map { Tables.Column($0) }

    var row: [Value] {
        [.integer(start), .integer(run), .text(pool)]
            + [samples, last, size, used.least, used.most, used.sum, used.last, peak]
            .map { .integer($0) }
    }

    /// Of ``columns``.
    init(_ row: Row) {
        func number(_ column: Int) -> Int64 { row.integer(column) ?? 0 }
        start = number(0)
        run = number(1)
        pool = row.text(2) ?? ""
        samples = number(3)
        last = number(4)
        size = number(5)
        used = TickSummary.Gauge(
            least: number(6), most: number(7), sum: number(8), last: number(9))
        peak = number(10)
    }

    static let sampleColumns = "at_ns, run, pool, size, used"

    /// Of ``sampleColumns``.
    init(sample row: Row) {
        self.init(
            sample: row.integer(0) ?? 0, run: row.integer(1) ?? 0, pool: row.text(2) ?? "",
            size: row.integer(3) ?? 0, used: row.integer(4) ?? 0)
    }
}
