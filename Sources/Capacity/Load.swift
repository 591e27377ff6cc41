import Forecast
import Presentation
import Vocabulary

/// One hour of a load.
struct LoadHour: Hashable {
    /// Since 1970-01-01T00:00Z.
    let hour: Int
    let mean: Double
    let peak: Peak
}

/// How much of something is in use, and how much there is.
struct Load: Hashable {
    let name: String
    let kind: Kind
    /// At the latest sample; nil if there is none.
    let now: Double?
    /// Nil if nobody has set one.
    let limit: Double?
    /// Those that were observed, in order.
    let hours: [LoadHour]
    /// Nanoseconds that the hours were observed for, all together.
    let observed: Int64

    /// Less history than this has no percentile, no peak and no headroom.
    static let observedNeeded = Span.hour

    private var isEnough: Bool { observed >= Self.observedNeeded }

    /// Nil if not enough was observed.
    var peak: Peak? {
        guard isEnough else { return nil }
        return hours.map(\.peak).filter { $0.at != nil }.reduce(nil as Peak?) { greatest, peak in
            guard let greatest, greatest.value >= peak.value else { return peak }
            return greatest
        }
    }

    /// 95 % of the hours peaked at this or lower. Nil if not enough was observed.
    var percentile95: Double? {
        isEnough ? percentile(95, of: hours.map(\.peak.value)) : nil
    }

    var busy: BusyHourAnswer {
        busyHour(of: hours.map { HourlyValue(hour: $0.hour, value: $0.mean) })
    }

    var growth: Growth {
        Forecast.growth(
            of: hours.map { HourlyValue(hour: $0.hour, value: $0.peak.value) }, limit: limit)
    }

    /// What of the limit is free at the latest sample; nothing is too little history for that.
    var freeNow: Double? {
        guard let limit, limit > 0, let now else { return nil }
        return 1 - now / limit
    }

    /// What of the limit the peak left over; negative if it went beyond.
    var headroom: Double? {
        guard let limit, limit > 0, let peak else { return nil }
        return 1 - peak.value / limit
    }
}

extension Load {
    static let loadColumns = [
        Column("resource", .text), Column("unit", .unit), Column("now", .measured),
        Column("busy_hour_utc", .hourOfDay, absent: "insufficient"),
        Column("busy_hour_mean", .measured, absent: "insufficient"),
        Column("p95", .measured, absent: "insufficient"),
        Column("peak", .measured, absent: "insufficient"), Column("peak_at", .timestamp),
    ]

    var loadRow: [Datum] {
        var busyHour: [Datum] = [.null, .null]
        if case .busyHour(let busy) = busy {
            busyHour = [.integer(Int64(busy.hourOfDay)), Datum(busy.mean)]
        }
        return [.text(name), .text(kind.rawValue), Datum(now)] + busyHour
            + [Datum(percentile95), Datum(peak?.value), Datum(peak?.at)]
    }

    static let limitColumns = [
        Column("resource", .text), Column("unit", .unit),
        Column("limit", .measured, absent: "not set"), Column("free_now", .ratio),
        Column("headroom", .ratio),
        Column("growth_per_week", .measured), Column("exhausted_earliest", .date),
        Column("exhausted_by", .date), Column("exhausted_latest", .date),
        Column("outlook", .text),
    ]

    var limitRow: [Datum] {
        [.text(name), .text(kind.rawValue), Datum(limit), Datum(freeNow), Datum(headroom)]
            + outlook
    }

    /// Growth, three dates, and in words what they rest on or why there are none.
    private var outlook: [Datum] {
        switch growth {
        case .insufficientHistory(let have, let needed):
            return [
                .null, .null, .null, .null,
                .text("insufficient history (have \(have) days, need \(needed))"),
            ]
        case .trend(let trend):
            guard case .expected(let date) = trend.exhaustion else {
                return [Datum(trend.perWeek), .null, .null, .null, .text(words(for: trend))]
            }
            return [
                Datum(trend.perWeek), moment(date.earliest), moment(date.middle),
                moment(date.latest), .text(words(for: trend)),
            ]
        }
    }

    private func moment(_ hour: Int?) -> Datum {
        guard let hour else { return .null }
        let (nanoseconds, overflow) = Int64(hour).multipliedReportingOverflow(by: Span.hour)
        return overflow ? .null : .integer(nanoseconds)
    }

    private func words(for trend: Trend) -> String {
        switch trend.exhaustion {
        case .noLimit: "trend of \(trend.weeks) weeks, no limit"
        case .tooFewWeeks(let have, let needed):
            "no date yet (have \(have) weeks, need \(needed))"
        case .reached: "reached"
        case .notInSight: "not within \(Growth.horizonWeeks) weeks"
        case .expected: "trend of \(trend.weeks) weeks"
        }
    }
}

/// Both tables of the capacity report.
func capacityTables(_ loads: [Load], asOf latest: Timestamp?, notes: [String]) -> [Table] {
    let when = latest.map { "Now is \($0.rfc3339), the latest sample." }
    var loadNotes = [when ?? "There are no samples of this time."] + notes
    if let sessions = loads.first, latest != nil {
        loadNotes.insert(contentsOf: insufficiency(of: sessions), at: 1)
    }
    return [
        Table(
            title: "Load", columns: Load.loadColumns, rows: loads.map(\.loadRow),
            notes: loadNotes),
        Table(
            title: "Limits", columns: Load.limitColumns, rows: loads.map(\.limitRow),
            notes: [
                "Headroom is what the peak left of the limit. Growth is of the second-highest hour "
                    + "of each week; the dates are when its trend reaches the limit, by the 90th "
                    + "percentile, the median and the 10th percentile of the slopes between weeks: "
                    + "a range, not a confidence interval."
            ]),
    ]
}

private func insufficiency(of load: Load) -> [String] {
    var notes: [String] = []
    if load.observed < Load.observedNeeded {
        notes.append(
            "Insufficient: a peak needs 1h of samples, there are "
                + "\(human(.integer(load.observed), .duration)).")
    }
    if case .insufficientHistory(let seen) = load.busy {
        notes.append(
            "Insufficient: a busy hour needs each hour of the day once, \(seen) of 24 were seen.")
    }
    return notes
}
