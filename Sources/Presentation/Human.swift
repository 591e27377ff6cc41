package import Vocabulary

/// A value for people, with its unit, and safe on a terminal. Text in a column of numbers stays
/// text.
package func human(_ datum: Datum, _ kind: Kind) -> String {
    switch (datum, kind) {
    case (.null, _): "-"
    case (.text(let text), _): visible(text)
    case (.integer(let value), .duration): duration(nanoseconds: value)
    case (.integer(let value), .timestamp): Timestamp(nanoseconds: value).rfc3339
    case (.integer(let value), .date): String(Timestamp(nanoseconds: value).rfc3339.prefix(10))
    case (.integer(let value), .hourOfDay) where (0..<24).contains(value):
        padded(value, to: 2) + ":00"
    case (.integer(let value), .text), (.integer(let value), .count), (.integer(let value), .unit),
        (.integer(let value), .measured), (.integer(let value), .hourOfDay):
        String(value)
    case (.integer(let value), _): human(Double(value), kind)
    case (.real(let value), _): human(value, kind)
    }
}

private func human(_ value: Double, _ kind: Kind) -> String {
    guard value.isFinite else { return "-" }
    switch kind {
    case .bytes: return scaled(value, unit: "B")
    case .bitsPerSecond: return scaled(value, unit: "bit/s")
    case .perSecond: return significant(value) + "/s"
    case .ratio: return fixed(value * 100, digits: 1) + " %"
    case .duration, .timestamp, .date, .hourOfDay:
        return human(.integer(Int64(exactly: value.rounded()) ?? .max), kind)
    case .text, .count, .unit, .measured: return significant(value)
    }
}

/// Three significant digits and an SI prefix: `999 B`, `1.23 kB`, `12.3 GB`.
func scaled(_ value: Double, unit: String) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P", "E"]
    var size = value.magnitude
    var index = 0
    // 999.5 would be written as 1000.
    while size >= 999.5, index < prefixes.count - 1 {
        size /= 1000
        index += 1
    }
    let sign = value < 0 ? "-" : ""
    let isWhole = index == 0 && size == size.rounded()
    let digits = isWhole ? fixed(size, digits: 0) : threeDigits(size)
    return "\(sign)\(digits) \(prefixes[index])\(unit)"
}

/// `0.417`, `4.17`, `41.7`, `417`, `4170`; whole numbers without a fraction, and what would look
/// like 0 as `<0.001`.
private func significant(_ value: Double) -> String {
    if value == value.rounded(), value.magnitude < 1e15 { return fixed(value, digits: 0) }
    if value.magnitude < 0.0005 { return value < 0 ? ">-0.001" : "<0.001" }
    return value < 0 ? "-" + threeDigits(-value) : threeDigits(value)
}

private func threeDigits(_ size: Double) -> String {
    fixed(size, digits: size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
}

/// Decimal notation, rounded half away from zero. Beyond 10¹⁵ as Swift writes it.
func fixed(_ value: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(Int64(1)) { power, _ in power * 10 }
    let rounded = (value.magnitude * Double(scale)).rounded()
    guard let units = Int64(exactly: rounded), rounded < 1e15 else { return "\(value)" }
    let sign = value < 0 && units > 0 ? "-" : ""
    guard digits > 0 else { return sign + String(units) }
    return "\(sign)\(units / scale).\(padded(units % scale, to: digits))"
}

/// The two largest units: `3d 04h`, `1h 02m`, `2m 05s`, `12s`, `340 ms`.
func duration(nanoseconds: Int64) -> String {
    let sign = nanoseconds < 0 ? "-" : ""
    let size = Int64(clamping: nanoseconds.magnitude)
    if size > 0, size < 1_000_000_000 { return sign + short(size) }
    let seconds = size / 1_000_000_000
    let (days, hours) = seconds.quotientAndRemainder(dividingBy: 86_400)
    if days > 0 { return "\(sign)\(days)d \(padded(hours / 3600, to: 2))h" }
    let (wholeHours, rest) = seconds.quotientAndRemainder(dividingBy: 3600)
    if wholeHours > 0 { return "\(sign)\(wholeHours)h \(padded(rest / 60, to: 2))m" }
    return seconds < 60
        ? "\(sign)\(seconds)s" : "\(sign)\(seconds / 60)m \(padded(seconds % 60, to: 2))s"
}

/// Below a second.
private func short(_ nanoseconds: Int64) -> String {
    if nanoseconds >= 1_000_000 { return "\(nanoseconds / 1_000_000) ms" }
    return nanoseconds >= 1000 ? "\(nanoseconds / 1000) µs" : "\(nanoseconds) ns"
}

func padded(_ value: Int64, to width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
