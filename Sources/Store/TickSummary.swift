import SQLite
package import Vocabulary

/// What the ticks of one run say that fall into one minute or one hour of the wall clock. One
/// tick is a summary of itself.
///
/// Numbers are as the file has them: sums wrap, and nothing traps.
package struct TickSummary: Hashable, Sendable {
    package struct Gauge: Hashable, Sendable {
        package var least: Int64
        package var most: Int64
        package var sum: Int64
        package var last: Int64
    }

    package struct Counter: Hashable, Sendable {
        package var least: Int64
        package var most: Int64
    }

    /// The most bits per second, and when the minute's last tick was.
    package struct Rate: Hashable, Sendable {
        package var bitsPerSecond: Double
        package var at: Int64
    }

    /// Where its minute or hour begins; of a tick itself, its time. Nanoseconds since 1970.
    package var start: Int64
    package let run: Int64
    package var ticks: Int64 = 1
    /// The first and the last tick's time.
    package var first: Int64
    package var last: Int64
    /// The lowest and the highest reading of the monotonic clock.
    package var firstInstant: Int64
    package var instant: Int64
    /// In the order of ``gaugeNames``.
    package var gauges: [Gauge]
    /// When `sessions` was first at its most.
    package var sessionsPeak: Int64
    package var sessionLimit: Int64
    /// In the order of ``counterNames``; each begins at 0 with its run.
    package var counters: [Counter]
    /// On average over a minute of the clock; nil where too little of any is known.
    package var receive: Rate?
    package var transmit: Rate?
    /// The longest time without a tick of this run, and when it began; it may have begun before.
    package var silence: Int64 = 0
    package var silenceFrom: Int64 = 0

    static let gaugeNames = ["sessions", "half_open", "child_sas", "active_child_sas"]
    static let counterNames =
        Tables.traffic + ["messages_received", "messages_sent", "retransmissions_sent"]

    package var sessions: Gauge { gauge(0) }
    package var halfOpen: Gauge { gauge(1) }

    private func gauge(_ place: Int) -> Gauge {
        place < gauges.count ? gauges[place] : Gauge(least: 0, most: 0, sum: 0, last: 0)
    }

    /// The highest since the run began; what is negative is 0.
    package var traffic: Traffic { traffic(\.most) }

    /// At its first tick: the lowest.
    package var firstTraffic: Traffic { traffic(\.least) }

    private func traffic(_ end: KeyPath<Counter, Int64>) -> Traffic {
        func count(_ place: Int) -> UInt64 {
            place < counters.count ? UInt64(clamping: counters[place][keyPath: end]) : 0
        }
        return Traffic(
            bytesIn: count(0), packetsIn: count(1), bytesOut: count(2), packetsOut: count(3))
    }

    /// Takes in what is later, or at least not earlier.
    mutating func include(_ other: Self) {
        ticks &+= other.ticks
        let isLater = other.last >= last
        first = min(first, other.first)
        last = max(last, other.last)
        firstInstant = min(firstInstant, other.firstInstant)
        instant = max(instant, other.instant)
        if other.sessions.most > sessions.most { sessionsPeak = other.sessionsPeak }
        if isLater { sessionLimit = other.sessionLimit }
        for place in gauges.indices where place < other.gauges.count {
            let new = other.gauges[place]
            gauges[place].least = min(gauges[place].least, new.least)
            gauges[place].most = max(gauges[place].most, new.most)
            gauges[place].sum &+= new.sum
            if isLater { gauges[place].last = new.last }
        }
        for place in counters.indices where place < other.counters.count {
            counters[place].least = min(counters[place].least, other.counters[place].least)
            counters[place].most = max(counters[place].most, other.counters[place].most)
        }
        receive = Self.greater(receive, other.receive)
        transmit = Self.greater(transmit, other.transmit)
        if other.silence > silence { (silence, silenceFrom) = (other.silence, other.silenceFrom) }
    }

    private static func greater(_ left: Rate?, _ right: Rate?) -> Rate? {
        guard let left else { return right }
        guard let right, right.bitsPerSecond > left.bitsPerSecond else { return left }
        return right
    }
}

extension TickSummary {
    /// - Parameter counters: since the run began, traffic first; those left out are 0.
    package init(
        tick at: Int64, run: Int64, instant: Int64, gauges: [Int64] = [], sessionLimit: Int64 = 0,
        counters: [Int64] = []
    ) {
        func value(_ list: [Int64], _ place: Int) -> Int64 {
            place < list.count ? list[place] : 0
        }
        self.init(
            start: at, run: run, first: at, last: at, firstInstant: instant, instant: instant,
            gauges: Self.gaugeNames.indices.map { place in
                let value = value(gauges, place)
                return Gauge(least: value, most: value, sum: value, last: value)
            },
            sessionsPeak: at, sessionLimit: sessionLimit,
            counters: Self.counterNames.indices.map { place in
                let value = value(counters, place)
                return Counter(least: value, most: value)
            })
    }
}

// MARK: - Rows

extension TickSummary {
    /// The columns of `tick_minutes` and `tick_hours`, in order.
    static let columns: [Tables.Column] =
        ["start_ns", "run", "ticks", "first_ns", "last_ns", "mono_first_ns", "mono_ns"].map {
            Tables.Column($0)
        }
        + gaugeNames.flatMap { name in
            ["min", "max", "sum", "last"].map { Tables.Column("\(name)_\($0)") }
        }
        + [Tables.Column("sessions_peak_ns"), Tables.Column("session_limit")]
        + counterNames.flatMap { name in
            ["min", "max"].map { Tables.Column("\(name)_\($0)") }
        }
        + [
            Tables.Column("receive_peak", "REAL"), Tables.Column("receive_peak_ns", "INTEGER"),
            Tables.Column("transmit_peak", "REAL"), Tables.Column("transmit_peak_ns", "INTEGER"),
            Tables.Column("silence_ns"), Tables.Column("silence_from_ns"),
        ]

    var row: [Value] {
        func rate(_ rate: Rate?) -> [Value] {
            rate.map { [.real($0.bitsPerSecond), .integer($0.at)] } ?? [.null, .null]
        }
        return [start, run, ticks, first, last, firstInstant, instant].map { .integer($0) }
            + gauges.flatMap { [$0.least, $0.most, $0.sum, $0.last].map { .integer($0) } }
            + [.integer(sessionsPeak), .integer(sessionLimit)]
            + counters.flatMap { [.integer($0.least), .integer($0.most)] }
            + rate(receive) + rate(transmit) + [.integer(silence), .integer(silenceFrom)]
    }

    /// Of ``columns``.
    init(_ row: Row) {
        var place = -1
        func next() -> Int64 {
            place += 1
            return row.integer(place) ?? 0
        }
        func nextRate() -> Rate? {
            place += 2
            guard let value = row.real(place - 1), let at = row.integer(place) else { return nil }
            return Rate(bitsPerSecond: value, at: at)
        }
        start = next()
        run = next()
        ticks = next()
        first = next()
        last = next()
        firstInstant = next()
        instant = next()
        gauges = Self.gaugeNames.map { _ in
            Gauge(least: next(), most: next(), sum: next(), last: next())
        }
        sessionsPeak = next()
        sessionLimit = next()
        counters = Self.counterNames.map { _ in Counter(least: next(), most: next()) }
        receive = nextRate()
        transmit = nextRate()
        silence = next()
        silenceFrom = next()
    }

    /// The columns of `ticks` that ``init(tick:)`` takes.
    static let tickColumns =
        (["at_ns", "run", "mono_ns", "session_limit"] + gaugeNames + counterNames)
        .joined(separator: ", ")

    /// Of ``tickColumns``. What is null is 0.
    init(tick row: Row) {
        let counters = 4 + Self.gaugeNames.count
        self.init(
            tick: row.integer(0) ?? 0, run: row.integer(1) ?? 0, instant: row.integer(2) ?? 0,
            gauges: Self.gaugeNames.indices.map { row.integer(4 + $0) ?? 0 },
            sessionLimit: row.integer(3) ?? 0,
            counters: Self.counterNames.indices.map { row.integer(counters + $0) ?? 0 })
    }
}
