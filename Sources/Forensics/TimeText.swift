package import Vocabulary

/// Times as people write them.
package enum TimeText {
    /// What ``parse(_:now:)`` takes, for messages.
    package static let expected = "a time such as 2026-11-23T14:00:00Z, -24h, -90m, -7d or now"

    /// - Parameter text: RFC 3339 with `Z` or an offset and up to nine digits of fraction; `now`;
    ///   or how long ago, `-` and a number and one of `s m h d w`.
    /// - Returns: nil for anything else, for leap seconds, and for times that 64 bits of
    ///   nanoseconds don't hold.
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if text == "now" { return now }
        let bytes = Array(text.utf8.prefix(40))
        guard bytes.count < 40 else { return nil }
        return bytes.first == UInt8(ascii: "-") ? ago(bytes, now) : rfc3339(bytes)
    }

    private static func ago(_ bytes: [UInt8], _ now: Timestamp) -> Timestamp? {
        let seconds: Int64? =
            switch bytes.last {
            case UInt8(ascii: "s"): 1
            case UInt8(ascii: "m"): 60
            case UInt8(ascii: "h"): 3_600
            case UInt8(ascii: "d"): 86_400
            case UInt8(ascii: "w"): 604_800
            default: nil
            }
        guard let seconds, let count = number(bytes.dropFirst().dropLast()) else { return nil }
        let (span, tooLong) = count.multipliedReportingOverflow(by: seconds * 1_000_000_000)
        let (time, overflow) = now.nanoseconds.subtractingReportingOverflow(span)
        return tooLong || overflow ? nil : Timestamp(nanoseconds: time)
    }

    private static func rfc3339(_ bytes: [UInt8]) -> Timestamp? {
        var rest = bytes[...]
        guard let year = take(4, &rest), skip("-", &rest),
            let month = take(2, &rest), skip("-", &rest), let day = take(2, &rest),
            skip("Tt ", &rest),
            let hour = take(2, &rest), skip(":", &rest),
            let minute = take(2, &rest), skip(":", &rest), let second = take(2, &rest),
            let fraction = takeFraction(&rest), let offset = takeOffset(&rest), rest.isEmpty,
            (1...12).contains(month), (1...days(in: month, of: year)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let time = (dayNumber(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second - offset
        let (product, tooLarge) = time.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = product.addingReportingOverflow(fraction)
        return tooLarge || overflow ? nil : Timestamp(nanoseconds: sum)
    }

    // MARK: Pieces

    /// Digits only, at least one, no overflow.
    private static func number(_ digits: some Collection<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard rest.count >= count, let value = number(rest.prefix(count)) else { return nil }
        rest = rest.dropFirst(count)
        return value
    }

    private static func skip(_ any: String, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let byte = rest.first, any.utf8.contains(byte) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// In nanoseconds.
    private static func takeFraction(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard skip(".", &rest) else { return 0 }
        let digits = rest.prefix { (48...57).contains($0) }
        guard (1...9).contains(digits.count), let value = number(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        return (digits.count..<9).reduce(value) { value, _ in value * 10 }
    }

    /// In seconds, east of Greenwich positive.
    private static func takeOffset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if skip("Zz", &rest) { return 0 }
        let west = rest.first == UInt8(ascii: "-")
        guard skip("+-", &rest), let hours = take(2, &rest), skip(":", &rest),
            let minutes = take(2, &rest), hours < 24, minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (west ? -60 : 60)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the Gregorian calendar, of a year from 0 to 9999.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years begin in March, so that the leap day is a year's last.
        let shifted = month <= 2 ? year - 1 + 400 : year + 400
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear
            - 719_468 - 146_097
    }
}
