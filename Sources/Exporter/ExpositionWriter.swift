import Vocabulary

/// Writes families in one of the two formats: metadata first, then all samples of the family,
/// families in the catalogue's order, labels in the family's order.
struct ExpositionWriter {
    private(set) var bytes: [UInt8] = []
    private let format: Exposition

    init(_ format: Exposition) {
        self.format = format
        bytes.reserveCapacity(32_768)
    }

    /// The comment lines of a family. OpenMetrics names a counter's family without `_total`.
    mutating func metadata(of family: MetricFamily) {
        switch format {
        case .text004:
            write("# HELP \(family.name) \(escapedHelp(family.help))\n")
            write("# TYPE \(family.name) \(family.kind.rawValue)\n")
        case .openMetrics100:
            var name = family.name[...]
            if family.kind == .counter, name.hasSuffix("_total") { name = name.dropLast(6) }
            write("# TYPE \(name) \(family.kind.rawValue)\n")
            write("# HELP \(name) \(escapedHelp(family.help))\n")
        }
    }

    mutating func sample(_ name: String, _ labels: [(name: String, value: String)], _ value: String)
    {
        write(name)
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(escapedLabel($0.value))\"" }
            write("{" + pairs.joined(separator: ",") + "}")
        }
        write(" " + value + "\n")
    }

    /// Cumulative buckets with bounds in canonical form, then the sum and the count.
    mutating func histogram(
        _ name: String, _ labels: [(name: String, value: String)], _ distribution: Distribution
    ) {
        var total: UInt64 = 0
        let bounds = distribution.bounds.map { String(describing: $0) } + ["+Inf"]
        for (bound, count) in zip(bounds, distribution.counts) {
            total = total.addingSaturating(count)
            sample(name + "_bucket", labels + [("le", bound)], String(total))
        }
        sample(name + "_sum", labels, Number.real(distribution.sum).text)
        sample(name + "_count", labels, String(total))
    }

    mutating func end() {
        if format == .openMetrics100 { write("# EOF\n") }
    }

    private mutating func write(_ text: String) { bytes += text.utf8 }

    private func escapedHelp(_ text: String) -> String {
        escape(text, quotes: format == .openMetrics100)
    }

    private func escapedLabel(_ text: String) -> String { escape(text, quotes: true) }

    private func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
