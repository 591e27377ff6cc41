import Vocabulary

/// One row of `ticks`, as far as reports need it.
struct TickRow: Hashable {
    var run: Int64
    var at: Int64
    var instant: Int64
    var sessions: Int64 = 0
    var sessionLimit: Int64 = 0
    /// Since the run began.
    var traffic = Traffic()
}

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

/// Sums up ticks by hour in one pass and in little memory.
///
/// Counters begin at 0 in each run and are only compared within it. What happened between two
/// ticks counts for the hour of the later one. When the wall clock went backwards ticks of one
/// run arrive out of order; as only what exceeds the highest count so far is added, nothing is
/// then counted twice, and nothing is ever negative.
struct TickFold {
    private(set) var hours: [Int: TickHour] = [:]
    private(set) var latest: TickRow?
    /// Of the last whole minute.
    private(set) var rates: (receive: Double, transmit: Double)?
    private(set) var gaps: [Gap] = []
    private var runs: [Int64: RunProgress] = [:]
    /// Between the latest two ticks that had no gap between them.
    private var interval: Int64?
    private let started: [Int64: Int64]

    /// - Parameters:
    ///   - started: when each run began, in nanoseconds since 1970.
    ///   - base: the last tick before the window.
    init(started: [Int64: Int64] = [:], base: TickRow? = nil) {
        self.started = started
        if let base { runs[base.run] = RunProgress(at: base) }
    }

    /// - Parameter tick: in the order of the wall clock.
    mutating func add(_ tick: TickRow) {
        noteGap(before: tick)
        var run = runs[tick.run] ?? beginning(of: tick)
        let step = run.advance(to: tick)
        let minute = run.minuteRates(at: tick)
        runs[tick.run] = run

        hours[Span.hourIndex(tick.at), default: TickHour()].include(tick, step, minute)
        latest = tick
        if let minute { rates = minute }
    }

    /// A run without an earlier tick has counted from 0, if its beginning was just now.
    /// Otherwise its first ticks are gone, and what they saw is unknown.
    private func beginning(of tick: TickRow) -> RunProgress {
        guard let start = started[tick.run], start <= tick.at, tick.at - start <= Span.hour,
            tick.instant > tick.at - start
        else { return RunProgress(at: tick) }
        return RunProgress(
            at: TickRow(run: tick.run, at: start, instant: tick.instant - (tick.at - start)))
    }

    private mutating func noteGap(before tick: TickRow) {
        guard let latest, tick.at > latest.at else { return }
        let silence = tick.at - latest.at
        let isRestart = tick.run != latest.run
        let expected = interval ?? (isRestart ? 0 : silence)
        if silence > max(Gap.notable, 3 * min(expected, Span.hour * 24)) {
            gaps.append(Gap(from: latest.at, to: tick.at, isRestart: isRestart))
        } else if !isRestart {
            interval = silence
        }
    }
}

extension TickHour {
    fileprivate mutating func include(
        _ tick: TickRow, _ step: (observed: Int64, traffic: Traffic),
        _ rates: (receive: Double, transmit: Double)?
    ) {
        observed &+= step.observed
        traffic += step.traffic
        ticks += 1
        sessionSum &+= tick.sessions
        sessions.see(Double(tick.sessions), at: tick.at)
        if let rates {
            receive.see(rates.receive, at: tick.at)
            transmit.see(rates.transmit, at: tick.at)
        }
    }
}

/// How far one run has been summed up.
private struct RunProgress {
    private var instant: Int64
    private var traffic: Traffic
    /// Where the minute under way began.
    private var minuteStart: Int64
    private var minuteTraffic: Traffic

    /// Ticks are not exactly on time: a minute is this long at least.
    private static let minute = 55 * Span.second

    init(at tick: TickRow) {
        instant = tick.instant
        traffic = tick.traffic
        minuteStart = tick.instant
        minuteTraffic = tick.traffic
    }

    mutating func advance(to tick: TickRow) -> (observed: Int64, traffic: Traffic) {
        let observed = max(0, tick.instant &- instant)
        let before = traffic
        traffic = before.raised(to: tick.traffic)
        instant = max(instant, tick.instant)
        return (observed, traffic.since(before))
    }

    /// - Returns: bits per second since the minute began, if it is over; the next begins then.
    mutating func minuteRates(at tick: TickRow) -> (receive: Double, transmit: Double)? {
        let elapsed = instant &- minuteStart
        guard elapsed >= Self.minute else { return nil }
        let passed = traffic.since(minuteTraffic)
        let seconds = Double(elapsed) / Double(Span.second)
        minuteStart = instant
        minuteTraffic = traffic
        return (Double(passed.bytesIn) * 8 / seconds, Double(passed.bytesOut) * 8 / seconds)
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
