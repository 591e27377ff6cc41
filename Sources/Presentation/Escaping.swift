import Vocabulary

/// `text` as a terminal may show it: each byte of a control, format or separator character
/// becomes `\xNN`, so that no value can move the cursor, end a line or turn the reading order.
/// A backslash stays: what the store holds of peers is escaped already.
package func visible(_ text: String) -> String { visible(text, keeping: []) }

/// - Parameter kept: dangerous scalars that the caller takes care of.
func visible(_ text: String, keeping kept: Set<Unicode.Scalar>) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        if scalar.isDangerous, !kept.contains(scalar) {
            for byte in String(scalar).utf8 { result += "\\x" + hex([byte]) }
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// A JSON string with its quotes (RFC 8259 §7).
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where scalar.isDangerous:
            for unit in String(scalar).utf16 {
                result += "\\u" + hex([UInt8(unit >> 8), UInt8(unit & 0xff)])
            }
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

extension Unicode.Scalar {
    /// A terminal may obey it instead of showing it.
    var isDangerous: Bool {
        if (0x20..<0x7f).contains(value) { return false }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            return true
        default: return false
        }
    }
}
