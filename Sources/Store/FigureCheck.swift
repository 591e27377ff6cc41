import Encoding
import SQLite
import Vocabulary

/// Makes the sums of the gateway's figures anew, from ticks, samples of pools and minutes that are
/// still there, and compares.
struct FigureCheck {
    private let connection: Connection
    private var problems: [String] = []
    /// Hours of which only the sum is left.
    private var left = 0

    /// - Parameter note: is told how much could not be compared.
    /// - Returns: what is wrong, a line each, 100 at most.
    static func problems(
        on connection: Connection, _ note: (String) -> Void
    ) throws(SQLiteError) -> [String] {
        var check = FigureCheck(connection: connection)
        let hours = try connection.rows("SELECT hour, state FROM rollup_hours ORDER BY hour") {
            (hour: $0.integer(0) ?? 0, state: Rollup.State(rawValue: $0.integer(1) ?? 0) ?? .open)
        }
        var before: (hour: Int64, state: Rollup.State)?
        for (hour, state) in hours where check.problems.count < 100 {
            let (start, overflow) = hour.multipliedReportingOverflow(by: MinuteFold.hour)
            guard !overflow, start <= Int64.max - MinuteFold.hour else { continue }
            let window = start..<start + MinuteFold.hour
            switch state {
            case .open: break
            case .summed:
                let hasTicksBefore =
                    before.map { $0.hour == hour - 1 && $0.state.hasTicks } ?? false
                try check.compareTicks(window, hasTicksBefore: hasTicksBefore)
            case .minutesOnly: try check.compareMinutes(window)
            case .hoursOnly: check.left += 1
            }
            before = (hour, state)
        }
        if check.left > 0 {
            note(
                "\(check.left) hours of figures: not compared, their ticks and minutes were deleted"
            )
        }
        return check.problems
    }

    private init(connection: Connection) { self.connection = connection }

    private mutating func compareTicks(
        _ window: Range<Int64>, hasTicksBefore: Bool
    ) throws(SQLiteError) {
        let (minutes, hours) = try Rollup.sums(ofTicksIn: window, on: connection)
        // How fast the first minute was is measured from the hour before.
        func comparable(_ sums: [TickSummary]) -> [TickSummary] {
            hasTicksBefore ? sums : sums.map { $0.withoutWhatWasBefore }
        }
        func pools(by length: Int64) throws(SQLiteError) -> [PoolSummary] {
            var sums: [PoolSummary] = []
            try PoolHistory.sums(ofSamplesIn: window, by: length, on: connection) {
                sums.append($0)
            }
            return sorted(sums)
        }
        let isRight = [
            try comparable(stored(Tables.tickMinutes, window)) == comparable(minutes),
            try comparable(stored(Tables.tickHours, window)) == comparable(hours),
            try storedPools(Tables.poolMinutes, window) == pools(by: MinuteFold.minute),
            try storedPools(Tables.poolHours, window) == pools(by: MinuteFold.hour),
        ]
        guard isRight.contains(false) else { return }
        let ticks = minutes.reduce(0) { $0 &+ $1.ticks }
        problems.append("hour from \(window.lowerBound) ns: its sums are not of its \(ticks) ticks")
    }

    private mutating func compareMinutes(_ window: Range<Int64>) throws(SQLiteError) {
        let hours = Rollup.hours(
            of: try stored(Tables.tickMinutes, window), from: window.lowerBound)
        var pools: [PoolSummary] = []
        for var minute in try storedPools(Tables.poolMinutes, window) {
            minute.start = window.lowerBound
            if let place = pools.firstIndex(where: {
                $0.run == minute.run && $0.pool == minute.pool
            }) {
                pools[place].include(minute)
            } else {
                pools.append(minute)
            }
        }
        let isRight = [
            try stored(Tables.tickHours, window) == hours,
            try storedPools(Tables.poolHours, window) == sorted(pools),
        ]
        guard isRight.contains(false) else { return }
        problems.append("hour from \(window.lowerBound) ns: its sums are not those of its minutes")
    }

    private func stored(
        _ table: Tables.Table, _ window: Range<Int64>
    ) throws(SQLiteError) -> [TickSummary] {
        try connection.rows(
            "SELECT * FROM \(table.name) WHERE start_ns >= ? AND start_ns < ? ORDER BY start_ns, run",
            [.integer(window.lowerBound), .integer(window.upperBound)]
        ) { TickSummary($0) }
    }

    private func storedPools(
        _ table: Tables.Table, _ window: Range<Int64>
    ) throws(SQLiteError) -> [PoolSummary] {
        sorted(
            try connection.rows(
                "SELECT * FROM \(table.name) WHERE start_ns >= ? AND start_ns < ?",
                [.integer(window.lowerBound), .integer(window.upperBound)]
            ) { PoolSummary($0) })
    }

    private func sorted(_ sums: [PoolSummary]) -> [PoolSummary] {
        sums.sorted { ($0.start, $0.run, $0.pool) < ($1.start, $1.run, $1.pool) }
    }
}

extension Rollup.State {
    fileprivate var hasTicks: Bool { self == .open || self == .summed }
}

extension TickSummary {
    fileprivate var withoutWhatWasBefore: Self {
        var sum = self
        (sum.receive, sum.transmit, sum.silence, sum.silenceFrom) = (nil, nil, 0, 0)
        return sum
    }
}
