import Foundation
import FoundationNetworking
import Testing
import Vocabulary

@testable import Exporter

/// The real scraper, which negotiates OpenMetrics. It takes about two seconds.
@Suite("Prometheus")
struct PrometheusTests {
    @Test("scrapes it and knows its numbers", .timeLimit(.minutes(1)))
    func scrapes() throws {
        let metrics = try MetricsServer(
            registry: .withExamples(), address: .v4(0x7f00_0001), port: 0, isReady: { true })
        defer { metrics.stop() }
        try withTemporaryFolder { folder in
            let prometheus = try Prometheus(in: folder, scraping: metrics.port)
            defer { prometheus.stop() }
            #expect(prometheus.eventually("up", "1"))
            #expect(prometheus.eventually("ike_sessions", "12"))
            #expect(prometheus.eventually("ike_pool_addresses_used{pool=\"staff\"}", "12"))
            #expect(
                prometheus.eventually(
                    "ike_handshake_duration_seconds_bucket{stage=\"total\",le=\"0.05\"}", "1"))
            #expect(prometheus.eventually("weir_build_info{version=\"0.1.0\"}", "1"))
        }
    }

    @Test("reads native histograms by protobuf", .timeLimit(.minutes(1)))
    func scrapesNative() throws {
        let registry = Registry.withExamples()
        let stage = SessionEstablished.example.observations[0]
        for value in [0.0, 0.001, 0.0011, 0.5, 4_000_000] {
            registry.observe([
                Observation(family: stage.family, slot: stage.slot, value: value, session: nil)
            ])
        }
        let metrics = try MetricsServer(
            registry: registry, address: .v4(0x7f00_0001), port: 0, isReady: { true })
        defer { metrics.stop() }
        try withTemporaryFolder { folder in
            let prometheus = try Prometheus(
                in: folder, scraping: metrics.port,
                options: ["--enable-feature=native-histograms"])
            defer { prometheus.stop() }
            let series = "ike_handshake_duration_seconds{stage=\"ike_sa_init\"}"
            #expect(prometheus.eventually("histogram_count(\(series))", "6"))
            #expect(prometheus.eventually("round(histogram_sum(\(series)))", "4000001"))
            #expect(prometheus.eventually("histogram_quantile(0.5, \(series)) < bool 0.00112", "1"))
            #expect(prometheus.eventually("ike_sessions", "12"))
            #expect(prometheus.eventually("sum(ike_sa_init_received_total)", "1"))
            #expect(prometheus.eventually("ike_pool_addresses_used{pool=\"staff\"}", "12"))
        }
    }
}

/// A Prometheus of this test's own, on a free port of loopback.
private struct Prometheus {
    private let process = Process()
    private let url: String

    init(in folder: URL, scraping target: UInt16, options: [String] = []) throws {
        let program = "/usr/bin/prometheus"
        try #require(
            FileManager.default.isExecutableFile(atPath: program),
            "prometheus is missing: apt-get install prometheus")
        let config = folder.appending(path: "prometheus.yml")
        let text = """
            global: {scrape_interval: 1s}
            scrape_configs: [{job_name: weir, static_configs: [{targets: ["127.0.0.1:\(target)"]}]}]
            """
        try Data(text.utf8).write(to: config)
        // Free when asked; if somebody else takes it first, this test fails and says so.
        let free = try MetricsServer(
            registry: Registry(version: "1"), address: .v4(0x7f00_0001), port: 0, isReady: { true })
        let port = free.port
        free.stop()
        url = "http://127.0.0.1:\(port)"
        process.executableURL = URL(filePath: program)
        process.arguments =
            [
                "--config.file=\(config.path)", "--storage.tsdb.path=\(folder.path)/data",
                "--web.listen-address=127.0.0.1:\(port)",
            ] + options
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Whether a query's only answer becomes `value` within ten seconds.
    func eventually(_ query: String, _ value: String) -> Bool {
        for _ in 0..<200 {
            if answers(to: query) == [value] { return true }
            usleep(50_000)
        }
        return false
    }

    private func answers(to query: String) -> [String] {
        struct Reply: Decodable {
            struct Body: Decodable { let result: [Sample] }
            struct Sample: Decodable { let value: [Scalar] }
            let data: Body
        }
        enum Scalar: Decodable {
            case time(Double)
            case value(String)
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let time = try? container.decode(Double.self) {
                    self = .time(time)
                } else {
                    self = .value(try container.decode(String.self))
                }
            }
        }
        var components = URLComponents(string: url + "/api/v1/query")
        components?.queryItems = [URLQueryItem(name: "query", value: query)]
        guard let address = components?.url, let data = try? Data(contentsOf: address),
            let reply = try? JSONDecoder().decode(Reply.self, from: data)
        else { return [] }
        return reply.data.result.compactMap {
            if case .value(let value) = $0.value.last { value } else { nil }
        }
    }
}
