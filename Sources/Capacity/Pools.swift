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

    /// - Parameters:
    ///   - used: addresses.
    ///   - time: nanoseconds since 1970, in order.
    mutating func add(_ pool: String, used: Double, at time: Int64) {
        let hour = Span.hourIndex(time)
        if let before = current[pool], before.hour != hour {
            finished[pool, default: []].append(before.load)
            current[pool] = nil
        }
        current[pool, default: Hour(hour: hour)].include(used, at: time)
    }

    func hours(of pool: String) -> [LoadHour] {
        (finished[pool] ?? []) + (current[pool].map { [$0.load] } ?? [])
    }
}

extension PoolFold.Hour {
    fileprivate mutating func include(_ used: Double, at time: Int64) {
        samples += 1
        sum += used
        peak.see(used, at: time)
    }
}
