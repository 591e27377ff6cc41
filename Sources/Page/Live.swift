import Presentation

extension PageState {
    /// One server-sent event (HTML Living Standard §9.2): the figures and checks by the names of
    /// their elements. The browser asks again two seconds after it.
    package var event: String {
        var pairs = figures.map { "\(json($0.id)):\(json($0.value))" }
        pairs.append("\"now\":\(json(now.rfc3339))")
        pairs += checks.map {
            "\(json($0.id)):{\"state\":\(json($0.condition.rawValue)),"
                + "\"mark\":\(json($0.condition.mark)),\"value\":\(json($0.value))}"
        }
        return "retry: 2000\ndata: {\(pairs.joined(separator: ","))}\n\n"
    }
}

/// A JSON string (RFC 8259 §7) on one line.
func json(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case _
        where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            || (0x2028...0x202e).contains(scalar.value):
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
