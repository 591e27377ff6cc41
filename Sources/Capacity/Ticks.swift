import Store
import Vocabulary

/// What the ticks of one hour say.
struct TickHour: Hashable {
    /// Nanoseconds between ticks of one run: how much of the hour the gateway was watched.
    var observed: Int64 = 0
    /// What passed within that time.
    var traffic = Traffic()
    var ticks: Int64 = 0
    var sessionSum: Int64 = 0
    var sessions = Peak()
    /// Bits per second, on average over a minute.
    var receive = Peak()
    var transmit = Peak()
}

/// The greatest value and when it was first seen.
struct Peak: Hashable {
    private(set) var value: Double = 0
    /// Nanoseconds since 1970; nil if nothing was seen.
    private(set) var at: Int64?

    mutating func see(_ value: Double, at time: Int64) {
        guard at == nil || value > self.value else { return }
        self.value = value
        at = time
    }
}

/// A time in which nothing was sampled.
struct Gap: Hashable {
    let from: Int64
    let to: Int64
    /// Another run had begun by its end.
    let isRestart: Bool

    /// A silence is worth a word if it is longer than this, and longer than three intervals
    /// between samples.
    static let notable = 5 * Span.minute
}

/// Sums up ticks, or sums of them, by hour in one pass and in little memory.
///
/// Counters begin at 0 in each run and are only compared within it. What happened between two
/// ticks counts for the hour of the later one. When the wall clock went backwards ticks of one
/// run arrive out of order; as only what exceeds the highest count so far is added, nothing is
/// then counted twice, and nothing is ever negative. For the same reason it does not matter
/// whether each tick is added or what a minute of them says.
struct TickFold {
    private(set) var hours: [Int: TickHour] = [:]
    private(set) var latest: TickSummary?
    /// Of the last minute that has one, in the hour of the latest tick.
    private(set) var rates: (receive: Double, transmit: Double)?
    private(set) var gaps: [Gap] = []
    private var runs: [Int64: RunProgress] = [:]
    /// Between the latest two ticks that had no gap between them; on average within a sum.
    private var interval: Int64?
    private let started: [Int64: Int64]

    /// - Parameters:
    ///   - started: when each run began, in nanoseconds since 1970.
    ///   - base: the last tick before the window.
    init(started: [Int64: Int64] = [:], base: TickSummary? = nil) {
        self.started = started
        if let base { runs[base.run] = RunProgress(at: base) }
    }

    /// - Parameter sum: in the order of the wall clock.
    mutating func add(_ sum: TickSummary) {
        noteGap(before: sum)
        var run = runs[sum.run] ?? beginning(of: sum)
        let step = run.advance(to: sum)
        runs[sum.run] = run

        let hour = Span.hourIndex(sum.first)
        hours[hour, default: TickHour()].include(sum, step)
        // The sum of an hour knows its fastest minute, not its last.
        if let latest, Span.hourIndex(latest.first) != hour { rates = nil }
        latest = sum
        guard sum.last - sum.first < Span.minute else { return }
        if let receive = sum.receive, let transmit = sum.transmit {
            rates = (receive.bitsPerSecond, transmit.bitsPerSecond)
        }
    }

    /// A run without an earlier tick has counted from 0, if its beginning was just now.
    /// Otherwise its first ticks are gone, and what they saw is unknown.
    private func beginning(of sum: TickSummary) -> RunProgress {
        guard let start = started[sum.run], start <= sum.first, sum.first - start <= Span.hour,
            sum.firstInstant > sum.first - start
        else { return RunProgress(instant: sum.firstInstant, traffic: sum.firstTraffic) }
        return RunProgress(instant: sum.firstInstant - (sum.first - start), traffic: Traffic())
    }

    private mutating func noteGap(before sum: TickSummary) {
        defer {
            if sum.ticks > 1 { interval = (sum.last - sum.first) / (sum.ticks - 1) }
            // A gap that only the sum of its hour still tells of.
            if sum.silence > Gap.notable, sum.silenceFrom >= sum.first {
                let to = sum.silenceFrom + min(sum.silence, Span.hour)
                gaps.append(Gap(from: sum.silenceFrom, to: to, isRestart: false))
            }
        }
        guard let latest, sum.first > latest.last else { return }
        let silence = sum.first - latest.last
        let isRestart = sum.run != latest.run
        let expected = interval ?? (isRestart ? 0 : silence)
        if silence > max(Gap.notable, 3 * min(expected, Span.hour * 24)) {
            gaps.append(Gap(from: latest.last, to: sum.first, isRestart: isRestart))
        } else if !isRestart {
            interval = silence
        }
    }
}

extension TickHour {
    fileprivate mutating func include(
        _ sum: TickSummary, _ step: (observed: Int64, traffic: Traffic)
    ) {
        observed &+= step.observed
        traffic += step.traffic
        ticks &+= sum.ticks
        sessionSum &+= sum.sessions.sum
        sessions.see(Double(sum.sessions.most), at: sum.sessionsPeak)
        if let rate = sum.receive { receive.see(rate.bitsPerSecond, at: rate.at) }
        if let rate = sum.transmit { transmit.see(rate.bitsPerSecond, at: rate.at) }
    }
}

/// How far one run has been summed up.
private struct RunProgress {
    private var instant: Int64
    private var traffic: Traffic

    init(at sum: TickSummary) {
        self.init(instant: sum.instant, traffic: sum.traffic)
    }

    init(instant: Int64, traffic: Traffic) {
        self.instant = instant
        self.traffic = traffic
    }

    mutating func advance(to sum: TickSummary) -> (observed: Int64, traffic: Traffic) {
        let observed = max(0, sum.instant &- instant)
        let before = traffic
        traffic = before.raised(to: sum.traffic)
        instant = max(instant, sum.instant)
        return (observed, traffic.since(before))
    }
}

extension Traffic {
    fileprivate func raised(to other: Self) -> Self {
        Self(
            bytesIn: max(bytesIn, other.bytesIn), packetsIn: max(packetsIn, other.packetsIn),
            bytesOut: max(bytesOut, other.bytesOut), packetsOut: max(packetsOut, other.packetsOut))
    }

    /// - Parameter earlier: not above this.
    fileprivate func since(_ earlier: Self) -> Self {
        Self(
            bytesIn: bytesIn &- earlier.bytesIn, packetsIn: packetsIn &- earlier.packetsIn,
            bytesOut: bytesOut &- earlier.bytesOut, packetsOut: packetsOut &- earlier.packetsOut)
    }
}
