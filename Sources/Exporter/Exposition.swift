/// The formats that Prometheus reads.
package enum Exposition: Sendable {
    /// Prometheus text format 0.0.4.
    case text004
    /// OpenMetrics text format 1.0.0, with exemplars.
    case openMetrics100
    /// Length-delimited `io.prometheus.client.MetricFamily`, with native histograms.
    case protobuf

    package var contentType: String {
        switch self {
        case .text004: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics100: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .protobuf:
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                + "encoding=delimited"
        }
    }

    /// Chooses by an HTTP Accept header (RFC 9110 §12.5.1): the highest `q` that we can serve,
    /// the first of equals.
    ///
    /// - Parameter accept: the header's value; only its first 4,096 bytes count.
    /// - Returns: 0.0.4 without a header; nil if the header allows nothing that there is.
    package static func negotiate(accept: String?) -> Exposition? {
        guard let accept, !accept.isEmpty else { return .text004 }
        var best: (format: Exposition, weight: Double)?
        for range in AcceptedRange.list(accept) where range.weight > best?.weight ?? 0 {
            if let format = format(range) { best = (format, range.weight) }
        }
        return best?.format
    }

    private static func format(_ range: AcceptedRange) -> Exposition? {
        let version = range.parameters["version"] ?? ""
        switch range.name {
        case "application/openmetrics-text" where ["", "1.0.0"].contains(version):
            return .openMetrics100
        case "application/vnd.google.protobuf"
        where range.parameters["proto"] == "io.prometheus.client.metricfamily"
            && range.parameters["encoding"] == "delimited":
            return .protobuf
        case "text/plain" where ["", "0.0.4"].contains(version): return .text004
        // Named but of a version that came later: 0.0.4 is what every reader of it knows.
        case "text/plain" where version == "1.0.0": return .text004
        case "text/*", "*/*": return .text004
        default: return nil
        }
    }
}
