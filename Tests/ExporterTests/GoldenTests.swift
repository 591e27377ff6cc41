import Foundation
import Testing

@testable import Exporter

/// What a scrape looks like. After a deliberate change, run the tests with
/// `WEIR_GOLDEN=1` and read the difference.
@Suite("Exposition")
struct GoldenTests {
    @Test(
        "is as agreed",
        arguments: [("metrics.txt", Exposition.text004), ("metrics.openmetrics", .openMetrics100)])
    func isAsAgreed(_ name: String, _ format: Exposition) throws {
        let file = repository.appending(path: "Tests/ExporterTests/Golden/\(name)")
        let text = Registry.withExamples().text(format)
        if ProcessInfo.processInfo.environment["WEIR_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        let agreed = try String(contentsOf: file, encoding: .utf8)
        for (line, expected) in zip(lines(text), lines(agreed)) { #expect(line == expected) }
        #expect(lines(text).count == lines(agreed).count)
        #expect(text.utf8.last == UInt8(ascii: "\n"))
    }

    @Test("passes Prometheus's own lint")
    func lints() throws {
        let scrape = Registry.withExamples().render(.text004)
        let (status, output) = try run(
            "promtool", ["check", "metrics"], from: "prometheus", input: scrape)
        #expect(status == 0, "\(output)")
        #expect(output.isEmpty)
    }

    /// promtool reads OpenMetrics only to import it, which takes a time with each sample.
    @Test("is read by Prometheus's OpenMetrics parser")
    func parsesAsOpenMetrics() throws {
        try withTemporaryFolder { folder in
            let timed = Registry.withExamples().lines(.openMetrics100)
                .map { line in
                    guard !line.hasPrefix("#") else { return line }
                    let parts = line.components(separatedBy: " # ")
                    return ([parts[0] + " 1795000000"] + parts.dropFirst()).joined(separator: " # ")
                }
            let file = folder.appending(path: "scrape")
            try Data((timed.joined(separator: "\n") + "\n").utf8).write(to: file)
            let (status, output) = try run(
                "promtool",
                [
                    "tsdb", "create-blocks-from", "openmetrics", file.path,
                    folder.appending(path: "blocks").path,
                ],
                from: "prometheus")
            #expect(status == 0, "\(output)")
        }
    }

    @Test("ends OpenMetrics with its mark, once, and names counters without _total")
    func openMetricsRules() {
        let lines = Registry.withExamples().lines(.openMetrics100)
        #expect(lines.last == "# EOF")
        #expect(lines.count { $0 == "# EOF" } == 1)
        #expect(!lines.contains { $0.hasPrefix("# ") && $0.contains("_total ") })
        #expect(!lines.contains { $0.contains("_created") })
        #expect(lines.contains("# TYPE ike_sa_init_received counter"))
        #expect(lines.contains("ike_sa_init_received_total{proof=\"spoofable\"} 1"))
    }

    private func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}
