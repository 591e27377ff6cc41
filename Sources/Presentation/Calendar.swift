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

    /// Reads RFC 3339 with any offset and fraction (digits beyond the nanosecond are dropped).
    /// A leap second is the second after it. Nil for anything else, and for times that don't
    /// fit: before 1677-09-21 and after 2262-04-11.
    package init?(rfc3339 text: String) {
        var rest = Substring(text)
        guard let year = rest.number(4), rest.skip("-"), let month = rest.number(2),
            rest.skip("-"), let day = rest.number(2), rest.skip("T", "t", " "),
            let hour = rest.number(2), rest.skip(":"), let minute = rest.number(2),
            rest.skip(":"), let second = rest.number(2),
            let fraction = rest.fraction(), let offset = rest.offset(), rest.isEmpty,
            (1...12).contains(month), (1...daysIn(month: month, of: year)).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        let (product, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = product.addingReportingOverflow(fraction)
        guard !tooLarge, !overflow else { return nil }
        self.init(nanoseconds: sum)
    }
}

/// Rounds towards the past, where `/` rounds towards 1970.
func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

// The two functions below are the well-known ones that count in eras of 400 years and begin the
// year in March, so that the leap day is a year's last.

/// The proleptic Gregorian date of a day; day 0 is 1970-01-01.
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

func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, by: 400)
    let marchMonth = month > 2 ? month - 3 : month + 9
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

private func daysIn(month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

extension Substring {
    /// Takes exactly `count` ASCII digits.
    fileprivate mutating func number(_ count: Int) -> Int64? {
        let digits = prefix(count)
        guard digits.utf8.count == count, digits.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        removeFirst(count)
        return Int64(digits)
    }

    fileprivate mutating func skip(_ characters: Character...) -> Bool {
        guard let first, characters.contains(first) else { return false }
        removeFirst()
        return true
    }

    /// Takes `.digits` if it is there. Nanoseconds.
    fileprivate mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        let digits = prefix { $0.isASCII && $0.isNumber }
        removeFirst(digits.count)
        let nine = digits.prefix(9) + String(repeating: "0", count: Swift.max(0, 9 - digits.count))
        return digits.isEmpty ? nil : Int64(nine)
    }

    /// Takes `Z` or `±hh:mm`. Seconds.
    fileprivate mutating func offset() -> Int64? {
        if skip("Z", "z") { return 0 }
        guard let sign = first, skip("+", "-"), let hours = number(2), skip(":"),
            let minutes = number(2), hours < 24, minutes < 60
        else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}
