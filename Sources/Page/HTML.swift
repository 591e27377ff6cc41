/// HTML text. What is interpolated into it is escaped, unless it is HTML itself: no foreign text
/// can become markup.
package struct HTML: Hashable, Sendable, ExpressibleByStringInterpolation {
    package private(set) var text: String

    package init(stringLiteral value: String) { text = value }

    package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ html: HTML) { text += html.text }
        package mutating func appendInterpolation(_ html: [HTML]) {
            for part in html { text += part.text }
        }
        package mutating func appendInterpolation(_ value: String) { text += escaped(value) }
        package mutating func appendInterpolation(_ value: Int) { text += String(value) }
        /// With one decimal: coordinates.
        package mutating func appendInterpolation(_ value: Double) {
            let tenths = value.isFinite ? Int((min(max(value, -1e9), 1e9) * 10).rounded()) : 0
            text += tenths % 10 == 0 ? String(tenths / 10) : String(Double(tenths) / 10)
        }
    }

    package static func += (left: inout Self, right: Self) { left.text += right.text }
}

/// Safe within elements and quoted attributes. Control characters are of no use in either.
func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        case "\t", "\n": result += " "
        case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
            result += "\u{fffd}"
        // Marks that turn the reading order.
        case "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}", "\u{200e}", "\u{200f}":
            result += "\u{fffd}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// For a query parameter (RFC 3986 §2.3).
func percentEncoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            result += "%" + (digits.count < 2 ? "0" : "") + digits
        }
    }
    return result
}
