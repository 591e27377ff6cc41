import Store

/// Sums up samples of pools by hour in one pass.
struct PoolFold {
    fileprivate struct Hour {
        let hour: Int
        var samples: Int64 = 0
        var sum: Double = 0
        var peak = Peak()

        var load: LoadHour { LoadHour(hour: hour, mean: sum / Double(samples), peak: peak) }
    }

    private var finished: [String: [LoadHour]] = [:]
    private var current: [String: Hour] = [:]

    /// What the pools' latest samples say, by name.
    private(set) var latest: [String: PoolSummary] = [:]
    private var latestAt = Int64.min

    /// - Parameter sum: within one hour, and in order.
    mutating func add(_ sum: PoolSummary) {
        let hour = Span.hourIndex(sum.start)
        if let before = current[sum.pool], before.hour != hour {
            finished[sum.pool, default: []].append(before.load)
            current[sum.pool] = nil
        }
        current[sum.pool, default: Hour(hour: hour)].include(sum)
        if sum.last > latestAt {
            latest = latest.filter { $0.value.last >= sum.last }
            latestAt = sum.last
        }
        if sum.last == latestAt { latest[sum.pool] = sum }
    }

    func hours(of pool: String) -> [LoadHour] {
        (finished[pool] ?? []) + (current[pool].map { [$0.load] } ?? [])
    }
}

extension PoolFold.Hour {
    fileprivate mutating func include(_ pool: PoolSummary) {
        samples &+= pool.samples
        sum += Double(pool.used.sum)
        peak.see(Double(pool.used.most), at: pool.peak)
    }
}
