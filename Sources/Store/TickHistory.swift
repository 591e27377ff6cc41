package import SQLite

/// The gateway's figures of a time, from the sums where there are any and from ticks where not.
package enum TickHistory {
    package enum Resolution: Sendable {
        /// Each tick is read, and summed up by minute.
        case ticks
        /// By minute.
        case minutes
        /// By hour where that tells as much; by minute within the first and the last hour, and
        /// within hours that have a long silence.
        case hours
    }

    /// A silence that an hour's sum would hide. Reports tell of those.
    private static let longSilence = 5 * MinuteFold.minute

    /// Calls `body` with what there is of a time, in order.
    ///
    /// - Parameter window: nanoseconds since 1970.
    package static func forEach(
        in window: Range<Int64>, by resolution: Resolution, on connection: Connection,
        _ body: (TickSummary) -> Void
    ) throws(SQLiteError) {
        let spans = try HourSpans(
            window, by: resolution, silence: ("tick_hours", longSilence), on: connection)
        for span in spans.spans {
            switch span.source {
            case .ticks: try minutes(ofTicksIn: span.window, on: connection, body)
            case .minutes:
                try sums(
                    Tables.tickMinutes, of: MinuteFold.minute, span.window, on: connection, body)
            case .hours:
                try sums(Tables.tickHours, of: MinuteFold.hour, span.window, on: connection, body)
            }
        }
    }

    /// The last tick before a time, or the sum that it is the last of.
    package static func last(
        before time: Int64, on connection: Connection
    ) throws(SQLiteError) -> TickSummary? {
        let tick = try connection.rows(
            "SELECT \(TickSummary.tickColumns) FROM ticks WHERE at_ns < ? ORDER BY at_ns DESC LIMIT 1",
            [.integer(time)]
        ) { TickSummary(tick: $0) }.first
        if let tick { return tick }
        for table in [Tables.tickMinutes, Tables.tickHours] {
            let sum = try connection.rows(
                "SELECT * FROM \(table.name) WHERE start_ns < ? AND last_ns < ?"
                    + " ORDER BY start_ns DESC LIMIT 1", [.integer(time), .integer(time)]
            ) { TickSummary($0) }.first
            if let sum { return sum }
        }
        return nil
    }

    /// Sums ticks up by minute. Rates need what was before: those of the hour before are read, too.
    static func minutes(
        ofTicksIn window: Range<Int64>, on connection: Connection, _ body: (TickSummary) -> Void
    ) throws(SQLiteError) {
        let (early, overflow) = window.lowerBound.subtractingReportingOverflow(MinuteFold.hour)
        var fold = MinuteFold()
        var isIn = false
        try connection.prepare(
            "SELECT \(TickSummary.tickColumns) FROM ticks WHERE at_ns >= ? AND at_ns < ?"
                + " ORDER BY at_ns, run"
        ).forEachRow([.integer(overflow ? .min : early), .integer(window.upperBound)]) { row in
            let tick = TickSummary(tick: row)
            if !isIn, tick.last >= window.lowerBound {
                // The window may begin within a minute: what was before is none of its.
                fold.finish { _ in }
                isIn = true
            }
            fold.add(tick) { if isIn { body($0) } }
        }
        fold.finish { if isIn { body($0) } }
    }

    /// Those that are of the window as a whole.
    private static func sums(
        _ table: Tables.Table, of length: Int64, _ window: Range<Int64>,
        on connection: Connection,
        _ body: (TickSummary) -> Void
    ) throws(SQLiteError) {
        try connection.prepare(
            "SELECT * FROM \(table.name) WHERE start_ns >= ? AND start_ns <= ? ORDER BY start_ns, run"
        ).forEachRow([.integer(window.lowerBound), .integer(window.upperBound - length)]) {
            body(TickSummary($0))
        }
    }
}

/// The pools' figures of a time, likewise.
package enum PoolHistory {
    /// Calls `body` with what there is of a time, by hour, in order.
    package static func forEach(
        in window: Range<Int64>, by resolution: TickHistory.Resolution, on connection: Connection,
        _ body: (PoolSummary) -> Void
    ) throws(SQLiteError) {
        let spans = try HourSpans(window, by: resolution, silence: nil, on: connection)
        for span in spans.spans {
            switch span.source {
            case .ticks:
                try sums(ofSamplesIn: span.window, by: MinuteFold.hour, on: connection, body)
            case .minutes:
                try sums(
                    Tables.poolMinutes, of: MinuteFold.minute, span.window, on: connection, body)
            case .hours:
                try sums(Tables.poolHours, of: MinuteFold.hour, span.window, on: connection, body)
            }
        }
    }

    static func sums(
        ofSamplesIn window: Range<Int64>, by length: Int64, on connection: Connection,
        _ body: (PoolSummary) -> Void
    ) throws(SQLiteError) {
        var start: Int64?
        var current: [PoolSummary] = []
        try connection.prepare(
            "SELECT \(PoolSummary.sampleColumns) FROM pool_samples WHERE at_ns >= ? AND at_ns < ?"
                + " ORDER BY at_ns, run, pool"
        ).forEachRow([.integer(window.lowerBound), .integer(window.upperBound)]) { row in
            var sample = PoolSummary(sample: row)
            sample.start = MinuteFold.floor(sample.last, to: length)
            if start != sample.start {
                current.forEach(body)
                current.removeAll(keepingCapacity: true)
                start = sample.start
            }
            if let place = current.firstIndex(where: {
                $0.run == sample.run && $0.pool == sample.pool
            }) {
                current[place].include(sample)
            } else {
                current.append(sample)
            }
        }
        current.forEach(body)
    }

    /// Those that are of the window as a whole.
    private static func sums(
        _ table: Tables.Table, of length: Int64, _ window: Range<Int64>,
        on connection: Connection,
        _ body: (PoolSummary) -> Void
    ) throws(SQLiteError) {
        try connection.prepare(
            "SELECT * FROM \(table.name) WHERE start_ns >= ? AND start_ns <= ? ORDER BY start_ns"
        ).forEachRow([.integer(window.lowerBound), .integer(window.upperBound - length)]) {
            body(PoolSummary($0))
        }
    }
}

/// What to read of a time, hour by hour; hours that are read alike are one span.
private struct HourSpans {
    enum Source { case ticks, minutes, hours }

    private(set) var spans: [(source: Source, window: Range<Int64>)] = []

    /// - Parameter silence: hours of this table that have a longer one are read by minute.
    init(
        _ window: Range<Int64>, by resolution: TickHistory.Resolution,
        silence: (table: String, longest: Int64)?, on connection: Connection
    ) throws(SQLiteError) {
        guard !window.isEmpty else { return }
        let hours = try connection.rows(
            "SELECT hour, state FROM rollup_hours WHERE hour BETWEEN ? AND ? ORDER BY hour",
            [
                .integer(window.lowerBound / MinuteFold.hour),
                .integer((window.upperBound - 1) / MinuteFold.hour),
            ]
        ) { (hour: $0.integer(0) ?? 0, state: Rollup.State(rawValue: $0.integer(1) ?? 0) ?? .open) }
        var silent: Set<Int64> = []
        if let silence, resolution == .hours {
            silent = Set(
                try connection.rows(
                    "SELECT start_ns FROM \(silence.table)"
                        + " WHERE start_ns >= ? AND start_ns < ? AND silence_ns > ?",
                    [
                        .integer(window.lowerBound), .integer(window.upperBound),
                        .integer(silence.longest),
                    ]
                ) { ($0.integer(0) ?? 0) / MinuteFold.hour })
        }
        for (place, (hour, state)) in hours.enumerated() {
            let start = hour.multipliedReportingOverflow(by: MinuteFold.hour)
            guard !start.overflow, start.partialValue <= Int64.max - MinuteFold.hour else {
                continue
            }
            let whole = start.partialValue..<start.partialValue + MinuteFold.hour
            let part = whole.clamped(to: window)
            // The last hour tells how fast the last minute was; of one that the window cuts off
            // there may be no tick in it, and then it is the hour before.
            let byHour =
                resolution == .hours && !silent.contains(hour)
                && (silence == nil || place < hours.count - 2)
            guard
                let source = Self.source(
                    state, isWhole: part == whole, byHour: byHour, byTick: resolution == .ticks)
            else { continue }
            add(source, part)
        }
    }

    private static func source(
        _ state: Rollup.State, isWhole: Bool, byHour: Bool, byTick: Bool
    ) -> Source? {
        switch state {
        case .open: .ticks
        case .summed: byTick || !isWhole ? .ticks : byHour ? .hours : .minutes
        case .minutesOnly: isWhole && byHour ? .hours : .minutes
        case .hoursOnly: isWhole ? .hours : nil
        }
    }

    /// Between hours that have no ticks there is nothing to read, so spans may reach over them.
    private mutating func add(_ source: Source, _ part: Range<Int64>) {
        if let last = spans.last, last.source == source {
            spans[spans.count - 1].window = last.window.lowerBound..<part.upperBound
        } else {
            spans.append((source, part))
        }
    }
}
