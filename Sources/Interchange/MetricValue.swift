/// A number as text formats write it, without loss: 64-bit counters stay exact, and so do decimal
/// fractions.
package enum MetricValue: Hashable, Sendable {
    /// The integer × 10^-`decimals`; 0 to 9 decimals, of which the last is not 0.
    case decimal(Int64, decimals: Int)
    /// The bits of an IEEE 754 double: infinities, NaN, -0, and what has more digits.
    case real(UInt64)

    package static let maxDecimals = 9

    package init(_ number: Double) { self = .real(number.bitPattern) }

    /// Without the zeros that end its fraction.
    ///
    /// - Parameter decimals: 0 to 9.
    package init(normalising mantissa: Int64, decimals: Int) {
        var (mantissa, decimals) = (mantissa, decimals)
        while decimals > 0, mantissa % 10 == 0 {
            mantissa /= 10
            decimals -= 1
        }
        self = .decimal(mantissa, decimals: decimals)
    }

    /// Reads a number of OpenMetrics: `1`, `-2.50`, `3e9`, `+Inf`, `NaN`.
    ///
    /// - Returns: nil for anything else, for more than 64 characters, and for what no double holds.
    package init?(_ text: ArraySlice<UInt8>) {
        guard (1...64).contains(text.count) else { return nil }
        if let special = Self.special(text) {
            self = .real(special.bitPattern)
            return
        }
        guard let digits = Digits(text) else { return nil }
        if let (mantissa, decimals) = digits.decimal {
            self.init(normalising: mantissa, decimals: decimals)
            return
        }
        guard let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite else {
            return nil
        }
        self = .real(number.bitPattern)
    }

    private static func special(_ text: ArraySlice<UInt8>) -> Double? {
        switch String(decoding: text, as: UTF8.self).lowercased() {
        case "nan": .nan
        case "inf", "+inf", "infinity", "+infinity": .infinity
        case "-inf", "-infinity": -.infinity
        default: nil
        }
    }

    /// Rounded once, if it must be.
    package var double: Double {
        switch self {
        case .real(let bits): return Double(bitPattern: bits)
        case .decimal(let mantissa, 0): return Double(mantissa)
        case .decimal(let mantissa, let decimals):
            // A quotient of two exact doubles is the nearest double to the decimal.
            if mantissa.magnitude <= 1 << 53 {
                return Double(mantissa) / Double(Self.power(decimals))
            }
            return Double(text) ?? .nan
        }
    }

    /// As ``init(_:)`` reads it.
    package var text: String {
        switch self {
        case .decimal(let mantissa, 0): return String(mantissa)
        case .decimal(let mantissa, let decimals):
            let digits = String(mantissa.magnitude)
            let padding = String(repeating: "0", count: max(0, decimals + 1 - digits.count))
            let all = padding + digits
            return (mantissa < 0 ? "-" : "") + all.dropLast(decimals) + "." + all.suffix(decimals)
        case .real(let bits):
            let number = Double(bitPattern: bits)
            if number.isNaN { return "NaN" }
            if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
            return number.description
        }
    }

    /// The integer that it is with so many decimals; nil if it has more, or 64 bits don't hold it.
    package func mantissa(decimals: Int) -> Int64? {
        guard case .decimal(let mantissa, let own) = self, own <= decimals,
            decimals <= Self.maxDecimals
        else { return nil }
        let (product, overflow) = mantissa.multipliedReportingOverflow(
            by: Self.power(decimals - own))
        return overflow ? nil : product
    }

    static func power(_ exponent: Int) -> Int64 {
        (0..<max(0, min(exponent, 18))).reduce(1) { power, _ in power * 10 }
    }
}

/// Digits with a point and an exponent, before it is known what holds them.
private struct Digits {
    private var mantissa: UInt64 = 0
    private var isTooLong = false
    private var isNegative = false
    /// How far the point is left of the last digit.
    private var decimals = 0

    init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
            isNegative = rest.first == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        var digits = takeDigits(&rest)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            decimals = takeDigits(&rest)
            digits += decimals
        }
        guard digits > 0 else { return nil }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            guard let exponent = Self.exponent(rest) else { return nil }
            decimals -= exponent
        } else if !rest.isEmpty {
            return nil
        }
    }

    private mutating func takeDigits(_ rest: inout ArraySlice<UInt8>) -> Int {
        var count = 0
        while let byte = rest.first, (0x30...0x39).contains(byte) {
            let (product, high) = mantissa.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 0x30))
            if high || carry { isTooLong = true } else { mantissa = sum }
            count += 1
            rest = rest.dropFirst()
        }
        return count
    }

    private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        let sign = rest.first == UInt8(ascii: "-") ? -1 : 1
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
            rest = rest.dropFirst()
        }
        guard (1...4).contains(rest.count), rest.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return sign * rest.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Nil if it needs more than 64 bits or nine decimals, and for -0.
    var decimal: (mantissa: Int64, decimals: Int)? {
        guard !isTooLong, !(isNegative && mantissa == 0) else { return nil }
        guard var number = Int64(exactly: mantissa) else { return nil }
        var decimals = decimals
        if number == 0 { return (0, 0) }
        while decimals > 0, number % 10 == 0 {
            number /= 10
            decimals -= 1
        }
        while decimals < 0 {
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            number = product
            decimals += 1
        }
        guard decimals <= MetricValue.maxDecimals else { return nil }
        return (isNegative ? -number : number, decimals)
    }
}
