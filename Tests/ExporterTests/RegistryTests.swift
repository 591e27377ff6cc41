import Testing
import Vocabulary

@testable import Exporter

@Suite("Registry")
struct RegistryTests {
    @Test("shows every family of the catalogue, once, from the first scrape")
    func isComplete() {
        let lines = Registry(version: "1").lines()
        for family in Catalogue.families {
            #expect(lines.count { $0 == "# TYPE \(family.name) \(family.kind.rawValue)" } == 1)
            #expect(lines.count { $0.hasPrefix("# HELP \(family.name) ") } == 1)
        }
        #expect(Set(Catalogue.families.map(\.name)).count == Catalogue.families.count)
    }

    @Test("starts with at most 200 series, all zero")
    func startsSmall() {
        let samples = Registry(version: "1").lines().filter { !$0.hasPrefix("#") }
        #expect(samples.count <= 200)
        for sample in samples where !sample.hasPrefix("weir_build_info") {
            #expect(sample.hasSuffix(" 0"), "\(sample)")
        }
        #expect(samples.contains("weir_build_info{version=\"1\"} 1"))
    }

    @Test("never lets a counter go back, and adds exactly", arguments: Catalogue.events.map(\.name))
    func isMonotonic(_ kind: String) throws {
        let event = try #require(Catalogue.events.first { $0.name == kind }).example
        let registry = Registry(version: "1")
        var before = values(of: registry)
        for _ in 0..<3 {
            registry.count(event.increments)
            registry.observe(event.observations)
            let after = values(of: registry)
            for (name, value) in after { #expect(value >= before[name] ?? 0, "\(name)") }
            let moved = after.filter { $0.value != before[$0.key] && !$0.key.contains("_sum") }
            #expect(moved.isEmpty == (event.increments.isEmpty && event.observations.isEmpty))
            before = after
        }
    }

    @Test("stops a counter at its end, and ignores what the catalogue does not know")
    func isBounded() {
        let registry = Registry(version: "1")
        registry.set(.alertsFiring, slot: 99, to: 1)
        registry.set(.alertsFiring, slot: -1, to: 1)
        var flood = MessageDropped(reason: .malformed, proof: .spoofable, source: .v4(1))
        flood.count = Public(.max)
        registry.count(flood.increments)
        registry.count(flood.increments)
        let drops = "ike_messages_dropped_total{reason=\"malformed\"}"
        #expect(registry.lines().contains("\(drops) \(UInt64.max)"))
        let firing = registry.lines().filter { $0.hasPrefix("weir_alerts_firing{") }
        #expect(firing.allSatisfy { $0.hasSuffix(" 0") })
        #expect(firing.count == RuleID.allCases.count)
    }

    /// An event adds to several families at once; a scrape has all of it or nothing.
    @Test("is of one moment in each scrape")
    func isConsistent() async {
        let registry = Registry(version: "1")
        let increments = CreateChildSARefused.example.increments
        let families = [
            "ike_create_child_sa_refusals_total",
            "ike_create_child_sa_refusals_by_initiator_total",
            "ike_create_child_sa_refusals_by_kind_total",
        ]
        let rounds = 20_000
        let writer = Task.detached {
            for _ in 0..<rounds { registry.count(increments) }
        }
        var seen: Set<Double> = []
        repeat {
            let scrape = values(of: registry)
            let sums = families.map { family in
                scrape.filter { $0.key.hasPrefix(family + "{") }.map(\.value).reduce(0, +)
            }
            #expect(Set(sums).count == 1)
            seen.formUnion(sums)
        } while !seen.contains(Double(rounds))
        await writer.value
    }

    @Test("shows a series of a sparse family once it has counted something")
    func sparse() {
        let registry = Registry(version: "1")
        let family = "ike_create_child_sa_refusals_total"
        #expect(!registry.lines().contains { $0.hasPrefix("\(family){") })
        #expect(registry.text().contains("# TYPE \(family) counter"))
        registry.count(CreateChildSARefused.example.increments)
        #expect(
            registry.lines().filter { $0.hasPrefix("\(family){") }
                == ["\(family){reason=\"no_additional_sas\"} 1"])
    }

    @Test("shows the pools of the last tick and no others")
    func pools() {
        let registry = Registry(version: "1")
        registry.update(.example, at: Instant(nanoseconds: 0))
        #expect(registry.lines().contains("ike_pool_addresses_used{pool=\"staff\"} 12"))
        #expect(registry.lines().contains(#"ike_pool_addresses{pool="a \"b\\c\nd"} 1"#))
        registry.update(Tick(), at: Instant(nanoseconds: 1))
        #expect(!registry.text().contains("{pool="))
        #expect(registry.text().contains("# TYPE ike_pool_addresses gauge"))
    }

    @Test("shows a connection that nobody uses at 0, and messages by exchange")
    func connections() {
        let registry = Registry(version: "1")
        registry.update(.example, at: Instant(nanoseconds: 0))
        let lines = registry.lines()
        #expect(lines.contains("ike_connection_sessions{connection=\"staff\"} 12"))
        #expect(lines.contains("ike_connection_sessions{connection=\"guests\"} 0"))
        let messages = "ike_messages_received_total{exchange="
        #expect(lines.contains("\(messages)\"ike_auth\",message=\"request\"} 1"))
        #expect(lines.contains("\(messages)\"informational\",message=\"response\"} 1"))
        #expect(lines.contains("\(messages)\"other\",message=\"other\"} 1"))
        #expect(lines.contains("\(messages)\"create_child_sa\",message=\"request\"} 0"))
        #expect(!lines.contains { $0.hasPrefix("\(messages)\"ike_auth\",message=\"response\"") })
    }

    @Test("knows rates from the second look on, and not across a new start")
    func rates() {
        let registry = Registry(version: "1")
        func look(_ second: UInt64, _ bytesIn: UInt64, _ bytesOut: UInt64) {
            var tick = Tick()
            tick.traffic = Traffic(bytesIn: bytesIn, bytesOut: bytesOut)
            registry.update(tick, at: Instant(nanoseconds: second * 1_000_000_000))
        }
        look(15, 1_000, 0)
        #expect(registry.rates == nil)
        look(30, 16_000, 1_500)
        #expect(registry.rates?.receive == 8_000)
        #expect(registry.rates?.transmit == 800)
        look(40, 16_000, 1_500)
        #expect(registry.rates?.receive == 0)
        look(50, 5, 5)
        #expect(registry.rates == nil)
    }

    @Test("shows RADIUS servers from the moment that they are configured")
    func radius() {
        let registry = Registry(version: "1")
        #expect(!registry.text().contains("{server="))
        var server = RadiusServerState(name: "radius1")
        registry.update([server], answers: [])
        let prefix = "weir_radius_"
        var lines = registry.lines()
        #expect(lines.contains("\(prefix)server_up{server=\"radius1\"} 0"))
        #expect(
            lines.contains("\(prefix)requests_total{server=\"radius1\",result=\"unanswered\"} 0"))
        #expect(lines.contains("\(prefix)response_duration_seconds_count{server=\"radius1\"} 0"))
        #expect(!lines.contains { $0.hasPrefix("\(prefix)responses_dropped_total{") })
        server.isUp = true
        server.count(.answered)
        server.count(.authenticator)
        registry.update([server], answers: [RadiusAnswer(server: "radius1", seconds: 0.05)])
        lines = registry.lines()
        #expect(lines.contains("\(prefix)server_up{server=\"radius1\"} 1"))
        let dropped =
            "\(prefix)responses_dropped_total{server=\"radius1\",reason=\"authenticator\"}"
        #expect(lines.contains("\(dropped) 1"))
        let bucket = "\(prefix)response_duration_seconds_bucket{server=\"radius1\",le="
        #expect(lines.contains("\(bucket)\"0.01\"} 0") && lines.contains("\(bucket)\"0.1\"} 1"))
    }

    @Test("puts a measurement into its bucket and all above it")
    func buckets() {
        let registry = Registry(version: "1")
        registry.observe(SessionEstablished.example.observations)
        let lines = registry.lines()
        let name = "ike_handshake_duration_seconds"
        #expect(lines.contains("\(name)_bucket{stage=\"total\",le=\"0.01\"} 0"))
        #expect(lines.contains("\(name)_bucket{stage=\"total\",le=\"0.05\"} 1"))
        #expect(lines.contains("\(name)_bucket{stage=\"total\",le=\"+Inf\"} 1"))
        #expect(lines.contains("\(name)_sum{stage=\"total\"} 0.0245"))
        #expect(lines.contains("\(name)_count{stage=\"total\"} 1"))
    }

    @Test(
        "writes numbers as the formats want them",
        arguments: [
            (Number.count(.max), "18446744073709551615"), (.real(3), "3"), (.real(-2), "-2"),
            (.real(0.0005), "0.0005"), (.real(1e-05), "1e-05"), (.real(1e300), "1e+300"),
            (.real(.nan), "NaN"), (.real(.infinity), "+Inf"), (.real(-.infinity), "-Inf"),
        ])
    func numbers(_ number: Number, _ text: String) {
        #expect(number.text == text)
    }

    @Test("reads the process's own figures")
    func process() throws {
        let registry = Registry(version: "1")
        let text = String(decoding: registry.render(.text004), as: UTF8.self)
        let values = parse(text)
        #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(values["process_open_fds"]) >= 3)
        #expect(try #require(values["process_max_fds"]) >= 64)
        #expect(try #require(values["process_start_time_seconds"]) > 1_600_000_000)
        #expect(values["process_cpu_seconds_total"] != nil)
    }

    private func values(of registry: Registry) -> [String: Double] { parse(registry.text()) }

    private func parse(_ text: String) -> [String: Double] {
        var values: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            values[String(parts[0])] = parts.last.flatMap { Double($0) }
        }
        return values
    }
}
