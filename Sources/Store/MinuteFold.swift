import Vocabulary

/// Sums ticks up by minute of the wall clock and by run, in the order of the wall clock, and tells
/// how fast each minute was.
package struct MinuteFold {
    /// How far a run had counted when its minute began.
    private struct Progress {
        var instant: Int64
        var bytesIn: UInt64
        var bytesOut: UInt64

        init(_ row: TickSummary) {
            let traffic = row.traffic
            (instant, bytesIn, bytesOut) = (row.instant, traffic.bytesIn, traffic.bytesOut)
        }

        mutating func raise(to row: TickSummary) {
            let next = Progress(row)
            instant = max(instant, next.instant)
            bytesIn = max(bytesIn, next.bytesIn)
            bytesOut = max(bytesOut, next.bytesOut)
        }
    }

    private var minute: Int64?
    /// Of the minute under way, by run.
    private var current: [TickSummary] = []
    private var progress: [Int64: Progress] = [:]
    private var lastTicks: [Int64: Int64] = [:]

    static let minute: Int64 = 60_000_000_000
    static let hour = 60 * minute
    /// A rate is of a minute, or of this much of it.
    private static let rated: Int64 = 30_000_000_000

    package init() {}

    /// Takes a tick that is not before the one before.
    ///
    /// - Parameter body: is given each minute that is over.
    package mutating func add(_ tick: TickSummary, _ body: (TickSummary) -> Void) {
        let start = Self.floor(tick.last, to: Self.minute)
        if start != minute {
            finish(body)
            minute = start
        }
        var row = tick
        row.start = start
        if let before = lastTicks.updateValue(tick.last, forKey: tick.run) {
            let (silence, overflow) = tick.last.subtractingReportingOverflow(before)
            row.silence = overflow ? .max : max(0, silence)
            row.silenceFrom = before
        }
        if let place = current.firstIndex(where: { $0.run == row.run }) {
            current[place].include(row)
        } else {
            current.append(row)
        }
    }

    /// Ends the minute under way.
    package mutating func finish(_ body: (TickSummary) -> Void) {
        for var row in current.sorted(by: { $0.run < $1.run }) {
            rate(&row)
            progress[row.run, default: Progress(row)].raise(to: row)
            body(row)
        }
        current.removeAll(keepingCapacity: true)
    }

    private func rate(_ row: inout TickSummary) {
        guard let before = progress[row.run] else { return }
        let (elapsed, overflow) = row.instant.subtractingReportingOverflow(before.instant)
        guard !overflow, elapsed >= Self.rated else { return }
        let seconds = Double(elapsed) / 1e9
        func rate(_ now: UInt64, _ before: UInt64) -> TickSummary.Rate {
            let bits = Double(now - min(now, before)) * 8
            return TickSummary.Rate(bitsPerSecond: bits / seconds, at: row.last)
        }
        let traffic = row.traffic
        row.receive = rate(traffic.bytesIn, before.bytesIn)
        row.transmit = rate(traffic.bytesOut, before.bytesOut)
    }

    /// The latest multiple of `length` that is not later.
    static func floor(_ time: Int64, to length: Int64) -> Int64 {
        let rest = time % length
        let floor = time.subtractingReportingOverflow(rest < 0 ? rest + length : rest)
        return floor.overflow ? .min : floor.partialValue
    }
}
