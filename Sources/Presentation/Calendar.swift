package import Vocabulary

extension Timestamp {
    /// RFC 3339 in UTC, to the second, rounded down: `2026-11-23T14:22:58Z`.
    package var rfc3339: String {
        let (days, time) = floorDivide(nanoseconds, by: 86_400_000_000_000)
        let (year, month, day) = civil(daysSinceEpoch: days)
        let second = time / 1_000_000_000
        return "\(padded(year, to: 4))-\(padded(month, to: 2))-\(padded(day, to: 2))T"
            + "\(padded(second / 3600, to: 2)):\(padded(second / 60 % 60, to: 2)):"
            + "\(padded(second % 60, to: 2))Z"
    }
}

/// Rounds towards the past, where `/` rounds towards 1970.
func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// The proleptic Gregorian date of a day; day 0 is 1970-01-01. Counts in eras of 400 years whose
/// years begin in March, so that the leap day is a year's last.
func civil(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(daysSinceEpoch + 719_468, by: 146_097)
    let yearOfEra =
        (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
}
