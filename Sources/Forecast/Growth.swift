/// How a load grows, or why nobody can tell yet.
package enum Growth: Hashable, Sendable {
    /// Two days of 24 observed hours each are two days, however far apart.
    case insufficientHistory(daysHave: Int, daysNeeded: Int)
    case trend(Trend)

    /// No trend and no date come out of less history than this.
    package static let daysNeeded = 14
    /// Two weekly peaks have one slope between them, which has no spread: for a date and its
    /// range there must be three.
    package static let weeksNeededForDate = 3
    /// Nothing is said about a date further off.
    package static let horizonWeeks = 104
}

/// A straight line through weekly peaks.
package struct Trend: Hashable, Sendable {
    /// In units of the load per week.
    package let perWeek: Double
    /// The 10th and 90th percentile of the slopes between each two weeks. A range of what the
    /// weeks did, not a confidence interval.
    package let perWeekRange: ClosedRange<Double>
    /// What the line says a weekly peak is now.
    package let level: Double
    /// The weeks that it is based on.
    package let weeks: Int
    package let exhaustion: Exhaustion
}

/// When the weekly peak reaches the limit if it goes on like this.
package enum Exhaustion: Hashable, Sendable {
    case noLimit
    case tooFewWeeks(have: Int, needed: Int)
    /// The latest weekly peak is there already.
    case reached
    /// Not within ``Growth/horizonWeeks``, by any of the three slopes.
    case notInSight
    case expected(ExhaustionDate)
}

/// Hours since 1970-01-01T00:00Z; nil where that slope doesn't get there within
/// ``Growth/horizonWeeks``.
package struct ExhaustionDate: Hashable, Sendable {
    /// By the 90th percentile of the slopes.
    package let earliest: Int?
    /// By the median slope.
    package let middle: Int?
    /// By the 10th percentile of the slopes.
    package let latest: Int?
}

/// The growth of a load, robust against outages, holidays and single wild hours: a Theil–Sen
/// line through the second-highest hour of each week. Weeks are counted back from the last
/// observed hour; one with less than half of its hours observed is left out.
///
/// - Parameters:
///   - hourly: at most one value per hour, in any order; hourly peaks, if the limit is hard.
///   - limit: in the same unit; nil if there is none.
/// - Complexity: O(weeks²). Only the latest ten years are looked at.
package func growth(of hourly: [HourlyValue], limit: Double?) -> Growth {
    let hourly = hourly.filter { $0.value.isFinite && plausible.contains($0.hour) }
    let days = Set(hourly.map(\.hour)).count / 24
    guard days >= Growth.daysNeeded, let last = hourly.map(\.hour).max() else {
        return .insufficientHistory(daysHave: days, daysNeeded: Growth.daysNeeded)
    }
    let weeks = weeklyPeaks(of: hourly, until: last)
    guard let line = theilSen(weeks),
        let low = percentile(10, of: line.slopes), let high = percentile(90, of: line.slopes)
    else {
        return .insufficientHistory(
            daysHave: min(weeks.count * 7, Growth.daysNeeded - 1), daysNeeded: Growth.daysNeeded)
    }
    let forecast = Projection(
        level: line.value(at: 0), end: last + 1, latestPeak: weeks.last?.y ?? 0,
        weeks: weeks.count)
    return .trend(
        Trend(
            perWeek: line.slope, perWeekRange: low...high, level: forecast.level,
            weeks: weeks.count,
            exhaustion: forecast.exhaustion(at: limit, slopes: (low, line.slope, high))))
}

/// Hours that can be added to and subtracted from each other without a thought.
private let plausible = -1 << 40...1 << 40

/// The second-highest value of each week; x is 0 for the latest week, -1 for the one before.
func weeklyPeaks(of hourly: [HourlyValue], until last: Int) -> [Point] {
    let hoursPerWeek = 168
    var weeks: [Int: [Double]] = [:]
    for sample in hourly {
        let age = last - sample.hour
        guard age < hoursPerWeek * 520 else { continue }
        weeks[age / hoursPerWeek, default: []].append(sample.value)
    }
    return weeks.filter { $0.value.count >= hoursPerWeek / 2 }.sorted { $0.key > $1.key }
        .compactMap { age, values in
            let secondHighest = values.sorted().dropLast().last
            return secondHighest.map { Point(x: -Double(age), y: $0) }
        }
}

/// From where a trend goes on.
private struct Projection {
    let level: Double
    /// The hour after the last observed one.
    let end: Int
    let latestPeak: Double
    let weeks: Int

    func exhaustion(
        at limit: Double?, slopes: (low: Double, middle: Double, high: Double)
    ) -> Exhaustion {
        guard let limit, limit.isFinite else { return .noLimit }
        guard latestPeak < limit else { return .reached }
        guard weeks >= Growth.weeksNeededForDate else {
            return .tooFewWeeks(have: weeks, needed: Growth.weeksNeededForDate)
        }
        let date = ExhaustionDate(
            earliest: hour(of: limit, by: slopes.high),
            middle: hour(of: limit, by: slopes.middle),
            latest: hour(of: limit, by: slopes.low))
        return date.earliest == nil ? .notInSight : .expected(date)
    }

    private func hour(of limit: Double, by slope: Double) -> Int? {
        guard slope > 0 else { return nil }
        let weeks = max(0, (limit - level) / slope)
        return weeks <= Double(Growth.horizonWeeks) ? end + Int((weeks * 168).rounded(.up)) : nil
    }
}
