import Testing

@testable import Exporter

/// RFC 9110 §12.5.1, with what real scrapers send.
@Suite("Content negotiation")
struct NegotiationTests {
    static let prometheus3 =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        + "application/openmetrics-text;version=0.0.1;q=0.4,"
        + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
        + "*/*;q=0.1"
    static let prometheus2 =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
        + "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    static let protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
        + "encoding=delimited;q=0.7," + prometheus3

    @Test(
        "picks the format",
        arguments: [
            (nil, Exposition.text004 as Exposition?),
            ("", .text004),
            ("*/*", .text004),
            ("text/html", nil),
            (protobuf, .protobuf),
            ("application/vnd.google.protobuf", nil),
            ("text/plain", .text004),
            ("text/plain;version=1.0.0", .text004),
            (prometheus2, .openMetrics100),
            (prometheus3, .openMetrics100),
            ("application/openmetrics-text", .openMetrics100),
            ("Application/OpenMetrics-Text ; Version=\"1.0.0\" ; charset=utf-8", .openMetrics100),
            ("application/openmetrics-text;version=0.0.1", nil),
            ("application/openmetrics-text;q=0", nil),
            ("application/openmetrics-text;q=0.2,text/plain;q=0.3", .text004),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.2", .openMetrics100),
            ("text/plain,application/openmetrics-text", .text004),
            ("application/openmetrics-text;q=nan,*/*", .text004),
            ("application/openmetrics-text;q=7,*/*", .text004),
            (",;,=;q=,;;;\u{0},\u{fffd}", nil),
            ("a" + String(repeating: "é", count: 3_000), nil),
            ("*/*;a" + String(repeating: "é", count: 3_000), .text004),
            (String(repeating: "a,", count: 50_000) + "application/openmetrics-text", nil),
        ])
    func negotiates(_ accept: String?, _ expected: Exposition?) {
        #expect(Exposition.negotiate(accept: accept) == expected)
    }

    @Test(
        "compresses for those who take gzip",
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("deflate, gzip;q=0.5", true), ("*", true),
            ("gzip;q=0", false), ("*, gzip;q=0", false), ("identity", false), ("br", false),
        ])
    func compresses(_ header: String?, _ expected: Bool) {
        #expect(acceptsGzip(header) == expected)
    }
}
