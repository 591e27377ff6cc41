package import Vocabulary

/// Writes lines of the formats that programs exchange. Its bytes are taken in pieces, so that a
/// file of any length needs memory for one piece only.
package struct TextWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() { bytes.reserveCapacity(80_000) }

    /// - Returns: what was written since.
    package mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    package mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

    package mutating func write(_ byte: Unicode.Scalar) { bytes.append(UInt8(ascii: byte)) }

    // MARK: OpenMetrics

    /// A family's lines before its samples. OpenMetrics names a counter without `_total`.
    package mutating func family(_ name: String, _ type: MetricType, help: String) {
        let family =
            type == .counter && name.hasSuffix("_total") ? String(name.dropLast(6)) : name
        write("# TYPE \(family) \(type.rawValue)\n# HELP \(family) ")
        escape(help)
        write("\n")
    }

    /// - Parameters:
    ///   - labels: by ascending name.
    ///   - at: nanoseconds since 1970.
    package mutating func sample(
        _ name: String, _ labels: [MetricLabel], _ value: MetricValue, at: Int64?
    ) {
        write(name)
        if !labels.isEmpty {
            var separator: Unicode.Scalar = "{"
            for label in labels {
                write(separator)
                write(label.name)
                write("=\"")
                escape(label.value)
                write("\"")
                separator = ","
            }
            write("}")
        }
        write(" ")
        write(value.text)
        if let at {
            write(" ")
            write(MetricValue(normalising: at, decimals: 9).text)
        }
        write("\n")
    }

    package mutating func end() { write("# EOF\n") }

    private mutating func escape(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): write("\\\\")
            case UInt8(ascii: "\""): write("\\\"")
            case 0x0a: write("\\n")
            default: bytes.append(byte)
            }
        }
    }

    // MARK: NDJSON

    /// One flat object on a line (RFC 8259), members in their order.
    package mutating func object(_ members: [(name: String, value: Datum)]) {
        var separator: Unicode.Scalar = "{"
        for member in members {
            write(separator)
            string(member.name)
            write(":")
            switch member.value {
            case .null: write("null")
            case .integer(let number): write(String(number))
            case .real(let number): write(number.isFinite ? number.description : "null")
            case .text(let text): string(text)
            }
            separator = ","
        }
        write(members.isEmpty ? "{}\n" : "}\n")
    }

    /// A string of JSON, with its quotes.
    package mutating func string(_ text: String) {
        write("\"")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): write("\\\"")
            case UInt8(ascii: "\\"): write("\\\\")
            case 0x0a: write("\\n")
            case 0x0d: write("\\r")
            case 0x09: write("\\t")
            case 0..<0x20, 0x7f: write("\\u00\(hex([byte]))")
            default: bytes.append(byte)
            }
        }
        write("\"")
    }

    // MARK: CSV

    /// A record of RFC 4180. Null is an empty field, an empty text is `""`.
    package mutating func record(_ fields: [Datum]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { write(",") }
            switch field {
            case .null: break
            case .integer(let number): write(String(number))
            case .real(let number): write(number.isFinite ? number.description : "")
            case .text(let text): self.field(text)
            }
        }
        write("\r\n")
    }

    private mutating func field(_ text: String) {
        let needsQuotes = text.isEmpty || text.utf8.contains { Self.quotedInCSV.contains($0) }
        guard needsQuotes else { return write(text) }
        write("\"")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        write("\"")
    }

    /// A blank, too: some readers trim what has no quotes.
    private static let quotedInCSV: Set<UInt8> = [0x22, 0x2c, 0x0a, 0x0d, 0x20]
}
