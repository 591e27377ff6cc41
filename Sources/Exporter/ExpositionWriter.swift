import Vocabulary

typealias Labels = [(name: String, value: String)]

/// Writes families in one format: metadata first, then all samples of the family.
protocol FamilyWriter {
    mutating func begin(_ family: MetricFamily)
    mutating func sample(_ family: MetricFamily, _ labels: Labels, _ value: Number)
    mutating func histogram(
        _ family: MetricFamily, _ labels: Labels, _ distribution: Distribution)
    mutating func end(_ family: MetricFamily)
    /// - Returns: the whole exposition.
    mutating func finish() -> [UInt8]
}

/// The two text formats.
struct ExpositionWriter: FamilyWriter {
    private var bytes: [UInt8] = []
    private let isOpenMetrics: Bool

    init(openMetrics: Bool) {
        isOpenMetrics = openMetrics
        bytes.reserveCapacity(65_536)
    }

    /// The comment lines of a family. OpenMetrics names a counter's family without `_total`.
    mutating func begin(_ family: MetricFamily) {
        var name = family.name[...]
        if isOpenMetrics, family.kind == .counter, name.hasSuffix("_total") {
            name = name.dropLast(6)
        }
        let type = "# TYPE \(name) \(family.kind.rawValue)\n"
        let help = "# HELP \(name) \(escaped(family.help, quotes: isOpenMetrics))\n"
        write(isOpenMetrics ? type + help : help + type)
    }

    mutating func sample(_ family: MetricFamily, _ labels: Labels, _ value: Number) {
        line(family.name, "", labels, value.text)
    }

    /// Cumulative buckets with bounds in canonical form, then the sum and the count.
    mutating func histogram(
        _ family: MetricFamily, _ labels: Labels, _ distribution: Distribution
    ) {
        var total: UInt64 = 0
        let bounds = distribution.bounds.map { String(describing: $0) } + ["+Inf"]
        for (place, bound) in bounds.enumerated() {
            total = total.addingSaturating(distribution.counts[place])
            let exemplar = isOpenMetrics ? distribution.exemplars[place] : nil
            line(family.name, "_bucket", labels + [("le", bound)], String(total), exemplar)
        }
        line(family.name, "_sum", labels, Number.real(distribution.sum).text)
        line(family.name, "_count", labels, String(total))
    }

    mutating func end(_ family: MetricFamily) {}

    mutating func finish() -> [UInt8] {
        if isOpenMetrics { write("# EOF\n") }
        return bytes
    }

    private mutating func line(
        _ name: String, _ suffix: String, _ labels: Labels, _ value: String,
        _ exemplar: Exemplar? = nil
    ) {
        write(name)
        write(suffix)
        if !labels.isEmpty {
            var separator = UInt8(ascii: "{")
            for label in labels {
                bytes.append(separator)
                write(label.name)
                write("=\"")
                write(escaped(label.value, quotes: true))
                bytes.append(UInt8(ascii: "\""))
                separator = UInt8(ascii: ",")
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        write(value)
        if let exemplar { write(text(of: exemplar)) }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// OpenMetrics 1.0 §exemplars: labels, value, time.
    private func text(of exemplar: Exemplar) -> String {
        let value = Number.real(exemplar.value).text
        let time = String(describing: Double(exemplar.time.nanoseconds) / 1e9)
        return " # {session_id=\"\(exemplar.session)\"} \(value) \(time)"
    }

    private mutating func write(_ text: String) { bytes += text.utf8 }

    private func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5c || $0 == 0x0a || $0 == 0x22 }) else {
            return text
        }
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
