import Forecast
import Testing

@Suite("Growth")
struct GrowthTests {
    /// Busy from 8 to 17 on each day; the busiest hour of the day has `peak(day)`.
    func load(days: Range<Int>, peak: (Int) -> Double) -> [HourlyValue] {
        days.flatMap { day in
            (0..<24).map { hour in
                HourlyValue(
                    hour: day * 24 + hour,
                    value: peak(day) * (hour == 9 ? 1 : (8..<17).contains(hour) ? 0.8 : 0.1))
            }
        }
    }

    @Test("no trend of less than 14 days", arguments: 0..<14)
    func refuses(days: Int) {
        let hourly = load(days: 0..<days) { Double(100 + 50 * $0) }
        #expect(
            growth(of: hourly, limit: 200)
                == .insufficientHistory(daysHave: days, daysNeeded: 14))
    }

    @Test("13 days and 23 hours are not 14 days; gaps are not history")
    func strict() {
        let hourly = load(days: 0..<14) { _ in 1 }
        #expect(
            growth(of: Array(hourly.dropLast()), limit: nil)
                == .insufficientHistory(daysHave: 13, daysNeeded: 14))
        let ends = Array(hourly.prefix(100)) + load(days: 300..<304) { _ in 1 }
        #expect(
            growth(of: ends, limit: nil) == .insufficientHistory(daysHave: 8, daysNeeded: 14))
        let twice = hourly.prefix(200) + hourly.prefix(200)
        #expect(
            growth(of: Array(twice), limit: nil)
                == .insufficientHistory(daysHave: 8, daysNeeded: 14))
    }

    @Test("four hours a day make days, but no usable week")
    func sparse() {
        let hourly = load(days: 0..<200) { _ in 5 }.filter { (8..<12).contains($0.hour % 24) }
        #expect(
            growth(of: hourly, limit: 10) == .insufficientHistory(daysHave: 0, daysNeeded: 14))
    }

    @Test("two weeks have a slope and no date")
    func twoWeeks() throws {
        let trend = try #require(fitted(load(days: 0..<14) { $0 < 7 ? 100 : 110 }, limit: 200))
        #expect(trend.perWeek == 10)
        #expect(trend.weeks == 2)
        #expect(trend.exhaustion == .tooFewWeeks(have: 2, needed: 3))
    }

    @Test("a steady 10 a week reaches 200 from 190 in a week")
    func knownAnswer() throws {
        let hourly = load(days: 0..<70) { Double(100 + 10 * ($0 / 7)) }
        let trend = try #require(fitted(hourly, limit: 200))
        #expect(trend.perWeek == 10)
        #expect(trend.perWeekRange == 10...10)
        #expect(trend.level == 190)
        #expect(trend.weeks == 10)
        let end = 70 * 24 + 168
        guard case .expected(let date) = trend.exhaustion else {
            Issue.record("\(trend.exhaustion)")
            return
        }
        #expect([date.earliest, date.middle, date.latest] == [end, end, end])
    }

    @Test("an outage week, a holiday and a wild hour don't move it")
    func robust() throws {
        var hourly = load(days: 0..<70) { day in
            day / 7 == 4 ? 20 : Double(100 + 10 * (day / 7))
        }
        hourly.removeAll { (21 * 24..<25 * 24).contains($0.hour) }
        hourly[800] = HourlyValue(hour: hourly[800].hour, value: 1e6)
        let trend = try #require(fitted(hourly, limit: nil))
        #expect(trend.perWeek == 10)
        #expect(trend.weeks == 9)
        #expect(trend.exhaustion == .noLimit)
    }

    @Test("exhaustion has a range, open where a slope does not get there")
    func range() throws {
        let levels = [100, 130, 120, 150, 125, 160, 170, 140].map(Double.init)
        let hourly = load(days: 0..<56) { levels[$0 / 7] }
        let trend = try #require(fitted(hourly, limit: 250))
        #expect(trend.perWeekRange.lowerBound < 0)
        guard case .expected(let date) = trend.exhaustion else {
            Issue.record("\(trend.exhaustion)")
            return
        }
        let middle = try #require(date.middle)
        #expect(try #require(date.earliest) < middle)
        #expect(date.latest == nil)
        #expect(middle > 56 * 24)
    }

    @Test("full, flat, shrinking and far off are not dates")
    func noDate() throws {
        let growing = load(days: 0..<28) { Double(100 + $0 / 7) }
        #expect(fitted(growing, limit: 103)?.exhaustion == .reached)
        #expect(fitted(growing, limit: 0)?.exhaustion == .reached)
        #expect(fitted(growing, limit: 103 + 105)?.exhaustion == .notInSight)
        #expect(fitted(growing, limit: .infinity)?.exhaustion == .noLimit)
        let flat = load(days: 0..<28) { _ in 5 }
        #expect(fitted(flat, limit: 10)?.exhaustion == .notInSight)
        let shrinking = load(days: 0..<28) { Double(100 - $0 / 7) }
        #expect(fitted(shrinking, limit: 101)?.exhaustion == .notInSight)
    }

    @Test("order and hours that are not numbers don't matter", arguments: 0..<5)
    func order(seed: Int) {
        var random = Random(seed: seed)
        let hourly = load(days: 3..<50) { Double($0) }
        let mixed = (hourly + [HourlyValue(hour: 99, value: .nan)]).shuffled(using: &random)
        #expect(growth(of: mixed, limit: 90) == growth(of: hourly, limit: 90))
    }

    @Test("hours at the ends of the number line don't trap")
    func extremes() {
        let hourly =
            load(days: 0..<30) { _ in 1 }
            + [.min, .max].map { HourlyValue(hour: $0, value: 1) }
        #expect(fitted(hourly, limit: 2) != nil)
    }

    func fitted(_ hourly: [HourlyValue], limit: Double?) -> Trend? {
        guard case .trend(let trend) = growth(of: hourly, limit: limit) else { return nil }
        return trend
    }
}

@Suite("Busy hour")
struct BusyHourTests {
    @Test("the greatest mean over the days wins, not the greatest hour")
    func consistent() {
        var hourly = (0..<72).map { HourlyValue(hour: $0, value: $0 % 24 == 10 ? 50 : 1) }
        hourly[27] = HourlyValue(hour: 27, value: 120)
        guard case .busyHour(let busy) = busyHour(of: hourly) else {
            Issue.record("no busy hour")
            return
        }
        #expect(busy.hourOfDay == 10)
        #expect(busy.mean == 50)
        #expect(busy.days == 3)
    }

    @Test("the earliest of equals")
    func ties() {
        let hourly = (0..<24).map { HourlyValue(hour: $0, value: $0 == 7 || $0 == 19 ? 2 : 1) }
        guard case .busyHour(let busy) = busyHour(of: hourly) else {
            Issue.record("no busy hour")
            return
        }
        #expect(busy.hourOfDay == 7)
    }

    @Test("a day seen in part has no busy hour", arguments: [0, 1, 23])
    func insufficient(hours: Int) {
        let hourly = (0..<hours).map { HourlyValue(hour: $0 - 12, value: 1) }
        #expect(busyHour(of: hourly) == .insufficientHistory(hoursOfDaySeen: hours))
    }
}
