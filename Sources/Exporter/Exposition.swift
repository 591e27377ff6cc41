/// The two text formats that Prometheus reads.
package enum Exposition: Sendable {
    /// Prometheus text format 0.0.4.
    case text004
    /// OpenMetrics text format 1.0.0.
    case openMetrics100

    package var contentType: String {
        switch self {
        case .text004: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics100: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// Chooses by an HTTP Accept header (RFC 9110 §12.5.1): the highest `q` that we can serve,
    /// the first of equals, and 0.0.4 where nothing fits.
    ///
    /// - Parameter accept: the header's value; only its first 4,096 bytes count.
    package static func negotiate(accept: String?) -> Exposition {
        guard let accept else { return .text004 }
        var best: (format: Exposition, q: Double)?
        for range in accept.utf8.prefix(4096).split(separator: UInt8(ascii: ",")) {
            guard let (format, q) = offer(Substring(range)), q > best?.q ?? 0 else { continue }
            best = (format, q)
        }
        return best?.format ?? .text004
    }

    /// What one media range asks for; nil if we don't have it.
    private static func offer(_ range: Substring) -> (Exposition, Double)? {
        let parts = range.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        var version: String?
        var q = 1.0
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { trimmed($0) }
            guard pair.count == 2 else { continue }
            switch pair[0] {
            case "version": version = pair[1]
            case "q":
                guard let weight = Double(pair[1]), (0...1).contains(weight) else { return nil }
                q = weight
            default: break
            }
        }
        return format(parts.first ?? "", version: version).map { ($0, q) }
    }

    private static func format(_ type: String, version: String?) -> Exposition? {
        switch (type, version ?? "") {
        case ("application/openmetrics-text", "1.0.0"), ("application/openmetrics-text", ""):
            .openMetrics100
        case ("text/plain", "0.0.4"), ("text/plain", ""), ("text/*", _), ("*/*", _): .text004
        default: nil
        }
    }

    /// Without blanks and quotes around it, in lower case.
    private static func trimmed(_ text: Substring) -> String {
        func isPadding(_ character: Character) -> Bool { " \t\"".contains(character) }
        return String(text.drop(while: isPadding).reversed().drop(while: isPadding).reversed())
            .lowercased()
    }
}
