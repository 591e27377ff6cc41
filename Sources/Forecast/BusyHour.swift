/// What was observed within one hour.
package struct HourlyValue: Hashable, Sendable {
    /// Whole hours since 1970-01-01T00:00Z.
    package let hour: Int
    package let value: Double

    package init(hour: Int, value: Double) {
        self.hour = hour
        self.value = value
    }
}

/// The time-consistent busy hour, as telephone engineers use it (ITU-T E.600): for each hour of
/// the day the mean over all days, and of these the greatest.
package struct BusyHour: Hashable, Sendable {
    /// 0 to 23, UTC.
    package let hourOfDay: Int
    /// The mean over the days.
    package let mean: Double
    /// Over how many days.
    package let days: Int
}

/// The answer, or why there is none.
package enum BusyHourAnswer: Hashable, Sendable {
    case busyHour(BusyHour)
    /// Some hours of the day were never observed; any of them may be the busiest.
    case insufficientHistory(hoursOfDaySeen: Int)
}

/// - Parameter hourly: at most one value per hour, in any order; e.g. means over the hour.
/// - Returns: the busy hour, the earliest if several are equal. Needs each of the 24 hours of
///   the day at least once.
package func busyHour(of hourly: [HourlyValue]) -> BusyHourAnswer {
    var sums = [Double](repeating: 0, count: 24)
    var days = [Int](repeating: 0, count: 24)
    for sample in hourly where sample.value.isFinite {
        let hourOfDay = ((sample.hour % 24) + 24) % 24
        sums[hourOfDay] += sample.value
        days[hourOfDay] += 1
    }
    let seen = days.count { $0 > 0 }
    guard seen == 24 else { return .insufficientHistory(hoursOfDaySeen: seen) }
    let hours = (0..<24).map {
        BusyHour(hourOfDay: $0, mean: sums[$0] / Double(days[$0]), days: days[$0])
    }
    let busiest = hours.dropFirst().reduce(hours[0]) { $1.mean > $0.mean ? $1 : $0 }
    return .busyHour(busiest)
}
