/// One line of the text format of OpenMetrics 1.0, or of the older one of Prometheus.
package enum OpenMetricsLine: Hashable, Sendable {
    case sample(MetricSample)
    case type(family: String, MetricType)
    /// `# EOF`: nothing may follow.
    case end
    /// Help, units, comments and empty lines.
    case other

    /// What the timestamps are in.
    package enum TimeUnit: Sendable {
        /// OpenMetrics: `1795000000.125`.
        case seconds
        /// The older format: `1795000000125`.
        case milliseconds
    }

    package static let maxLabels = 64
    /// Bytes of a metric's or label's name.
    package static let maxName = 256
    /// Bytes of a label's value as written.
    package static let maxValue = 4_096

    /// - Parameter line: without its end; of any bytes and any length.
    package init(
        parsing line: ArraySlice<UInt8>, times unit: TimeUnit = .seconds
    ) throws(FormatError) {
        var scanner = Scanner(line)
        scanner.skipBlanks()
        guard let first = scanner.peek else {
            self = .other
            return
        }
        if first == UInt8(ascii: "#") {
            self = try Self.comment(line.dropFirst(scanner.place - line.startIndex))
            return
        }
        self = .sample(try Self.sample(&scanner, unit))
    }

    private static func comment(_ line: ArraySlice<UInt8>) throws(FormatError) -> Self {
        let words = line.split(
            separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        if line.elementsEqual("# EOF".utf8) { return .end }
        guard words.count >= 2, words[0].elementsEqual("#".utf8),
            words[1].elementsEqual("TYPE".utf8)
        else { return .other }
        guard words.count == 4, let family = name(words[2]),
            let type = MetricType(rawValue: String(decoding: words[3], as: UTF8.self))
        else { throw FormatError("a TYPE line without a known type; write # TYPE name counter") }
        return .type(family: family, type)
    }

    /// A metric's name by itself.
    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        var scanner = Scanner(bytes)
        guard let name = scanner.takeName(colons: true), scanner.peek == nil else { return nil }
        return name
    }

    private static func sample(
        _ scanner: inout Scanner, _ unit: TimeUnit
    ) throws(FormatError) -> MetricSample {
        guard let name = scanner.takeName(colons: true) else {
            throw FormatError("no metric's name at the line's beginning; write name{…} value time")
        }
        scanner.skipBlanks()
        let labels = scanner.peek == UInt8(ascii: "{") ? try takeLabels(&scanner) : []
        guard let value = MetricValue(scanner.takeWord()) else {
            throw FormatError("\(name) has no number as its value")
        }
        let word = scanner.takeWord()
        var at: Int64?
        if word.first == UInt8(ascii: "#") {
            // An exemplar: it may have whatever it wants.
        } else if !word.isEmpty {
            guard let time = Self.time(word, unit) else {
                throw FormatError("\(name) has no usable time; \(Self.remedy(unit))")
            }
            at = time
            let rest = scanner.takeWord()
            guard rest.isEmpty || rest.first == UInt8(ascii: "#") else {
                throw FormatError("text after the time of \(name); one sample to a line")
            }
        }
        return MetricSample(name: name, labels: labels, value: value, at: at)
    }

    private static func remedy(_ unit: TimeUnit) -> String {
        switch unit {
        case .seconds:
            "OpenMetrics has seconds since 1970; for milliseconds use --format prometheus"
        case .milliseconds: "it has milliseconds since 1970; for seconds use --format openmetrics"
        }
    }

    /// - Returns: nil for what can't be meant: before 1970, after 2262, or in the other unit.
    private static func time(_ word: ArraySlice<UInt8>, _ unit: TimeUnit) -> Int64? {
        guard let number = MetricValue(word), case .decimal(let mantissa, let decimals) = number,
            mantissa >= 0
        else { return nil }
        switch unit {
        case .seconds: return number.mantissa(decimals: 9)
        case .milliseconds:
            guard decimals == 0 else { return nil }
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: 1_000_000)
            return overflow ? nil : product
        }
    }

    private static func takeLabels(_ scanner: inout Scanner) throws(FormatError) -> [MetricLabel] {
        scanner.skip()
        var labels: [MetricLabel] = []
        var count = 0
        while true {
            scanner.skipBlanks()
            if scanner.skip(UInt8(ascii: "}")) { break }
            count += 1
            guard count <= maxLabels else {
                throw FormatError("more than \(maxLabels) labels; drop some before you import")
            }
            guard let name = scanner.takeName(colons: false) else {
                throw FormatError("a label without a name; write name{label=\"value\"}")
            }
            scanner.skipBlanks()
            guard scanner.skip(UInt8(ascii: "=")) else {
                throw FormatError("no = after label \(name)")
            }
            scanner.skipBlanks()
            let value = try scanner.takeQuoted(of: name)
            if !value.isEmpty { labels.append(MetricLabel(name, value)) }
            scanner.skipBlanks()
            if scanner.skip(UInt8(ascii: ",")) { continue }
            guard scanner.skip(UInt8(ascii: "}")) else {
                throw FormatError("no } after the labels")
            }
            break
        }
        labels.sort()
        for (label, next) in zip(labels, labels.dropFirst()) where label.name == next.name {
            throw FormatError("label \(label.name) twice; once is enough")
        }
        return labels
    }
}

/// Walks through the bytes of a line.
private struct Scanner {
    private let bytes: ArraySlice<UInt8>
    private(set) var place: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    var peek: UInt8? { place < bytes.endIndex ? bytes[place] : nil }

    mutating func skip() { if place < bytes.endIndex { place += 1 } }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        place += 1
        return true
    }

    mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 { place += 1 }
    }

    /// - Returns: nil if there is none, or it is too long.
    mutating func takeName(colons: Bool) -> String? {
        let start = place
        while let byte = peek, Self.isOfName(byte, isFirst: place == start, colons) { place += 1 }
        guard (1...OpenMetricsLine.maxName).contains(place - start) else { return nil }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private static func isOfName(_ byte: UInt8, isFirst: Bool, _ colons: Bool) -> Bool {
        switch byte {
        case 0x41...0x5a, 0x61...0x7a, 0x5f: true
        case 0x30...0x39: !isFirst
        case 0x3a: colons
        default: false
        }
    }

    /// Up to the next blank, after any before it. Empty at the end.
    mutating func takeWord() -> ArraySlice<UInt8> {
        skipBlanks()
        let start = place
        while let byte = peek, byte != 0x20, byte != 0x09 { place += 1 }
        return bytes[start..<place]
    }

    mutating func takeQuoted(of name: String) throws(FormatError) -> String {
        guard skip(UInt8(ascii: "\"")) else {
            throw FormatError("label \(name) has no value in quotes")
        }
        var text: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            place += 1
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            switch peek {
            case UInt8(ascii: "n"): text.append(0x0a)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(bytes[place])
            default: throw FormatError("label \(name) has an escape other than \\n, \\\" and \\\\")
            }
            place += 1
        }
        guard skip(UInt8(ascii: "\"")) else {
            throw FormatError("the value of label \(name) does not end")
        }
        guard text.count <= OpenMetricsLine.maxValue else {
            throw FormatError("label \(name) is longer than \(OpenMetricsLine.maxValue) bytes")
        }
        guard let value = String(validating: text, as: UTF8.self) else {
            throw FormatError("label \(name) is not UTF-8")
        }
        return value
    }
}
