import Interchange
import Testing

@Suite("OpenMetrics")
struct OpenMetricsTests {
    private func parse(
        _ text: String, _ unit: OpenMetricsLine.TimeUnit = .seconds
    ) throws(FormatError) -> OpenMetricsLine {
        try OpenMetricsLine(parsing: text.bytes, times: unit)
    }

    @Test("what is written can be read: names, labels, values and times of any kind")
    func roundTrip() throws {
        var generator = SeededGenerator(3)
        for _ in 0..<2_000 {
            let names = ["a", "b_c", "_d", "E9", "session"].filter { _ in
                Bool.random(using: &generator)
            }
            let sample = MetricSample(
                name: ["up", "x:y_total", "_"].randomElement(using: &generator) ?? "up",
                labels: names.sorted().map { MetricLabel($0, randomText(&generator)) },
                value: .decimal(.random(in: .min...(.max), using: &generator), decimals: 0),
                at: .random(in: 0...(.max), using: &generator))
            var writer = TextWriter()
            writer.sample(sample.name, sample.labels, sample.value, at: sample.at)
            let line = writer.take()[...].withoutLineEnd
            #expect(try OpenMetricsLine(parsing: line) == .sample(sample))
        }
    }

    @Test("a family's lines")
    func family() throws {
        var writer = TextWriter()
        writer.family("requests_total", .counter, help: "All \"of\" them\\\n.")
        writer.end()
        let text = String(decoding: writer.take(), as: UTF8.self)
        #expect(
            text == """
                # TYPE requests counter
                # HELP requests All \\"of\\" them\\\\\\n.
                # EOF

                """)
        #expect(try parse("# TYPE requests counter") == .type(family: "requests", .counter))
        #expect(try parse("# EOF") == .end)
        for line in ["", "# HELP a b", "# UNIT a seconds", "# anything", "#", "   "] {
            #expect(try parse(line) == .other)
        }
    }

    @Test("liberties that writers take")
    func liberties() throws {
        func sample(_ labels: [MetricLabel], at: Int64?) -> OpenMetricsLine {
            .sample(
                MetricSample(
                    name: "a", labels: labels, value: .decimal(1, decimals: 0), at: at))
        }
        #expect(try parse("a 1") == sample([], at: nil))
        #expect(try parse("a{} 1 2") == sample([], at: 2_000_000_000))
        #expect(
            try parse("a{z=\"1\", b=\"2\",} 1e0 2.5")
                == sample([MetricLabel("b", "2"), MetricLabel("z", "1")], at: 2_500_000_000))
        #expect(try parse("a{b=\"\"}\t1  2") == sample([], at: 2_000_000_000))
        #expect(try parse("a 1 2 # {id=\"x\"} 0.5 1") == sample([], at: 2_000_000_000))
        #expect(try parse("a 1 # {id=\"x\"} 0.5") == sample([], at: nil))
        #expect(
            try parse("a 1 1795000000125", .milliseconds)
                == sample([], at: 1_795_000_000_125_000_000))
    }

    @Test(
        "is refused with what to do",
        arguments: [
            "1", "{a=\"1\"} 1", "a", "a b", "a{ 1", "a{b} 1", "a{b=} 1", "a{b=\"} 1",
            "a{b=\"\\x\"} 1", "a{b=\"1\" c=\"2\"} 1", "a{b=\"1\",b=\"2\"} 1 1", "a{1=\"1\"} 1",
            "a 1 x", "a 1 -1", "a 1 1795000000125", "a 1 1 1", "a 1 NaN", "a 1 0.0000000001",
            "# TYPE a sometype", "# TYPE 1 counter", "# TYPE a", "a-b 1 1",
        ])
    func refused(_ text: String) {
        #expect(throws: FormatError.self) { try parse(text) }
    }

    @Test("has bounds")
    func bounds() {
        let many = (0...OpenMetricsLine.maxLabels).map { "l\($0)=\"1\"" }.joined(separator: ",")
        #expect(throws: FormatError.self) { try parse("a{\(many)} 1 1") }
        let long = String(repeating: "x", count: OpenMetricsLine.maxValue + 1)
        #expect(throws: FormatError.self) { try parse("a{b=\"\(long)\"} 1 1") }
        #expect(throws: FormatError.self) { try parse("\(long) 1 1") }
        #expect(throws: FormatError.self) {
            try OpenMetricsLine(parsing: [
                0x61, 0x7b, 0x62, 0x3d, 0x22, 0xff, 0x22, 0x7d, 0x20, 0x31,
            ])
        }
    }

    @Test("no bytes do any harm")
    func hostile() throws {
        var generator = SeededGenerator(4)
        let good = Array("name{a=\"b\\n\",c=\"d\"} 1.5e3 1795000000.125 # {x=\"y\"} 1".utf8)
        for end in good.indices { _ = try? OpenMetricsLine(parsing: good[..<end]) }
        for _ in 0..<5_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] =
                    UInt8.random(in: 0...255, using: &generator)
            }
            guard case .sample(let sample)? = try? OpenMetricsLine(parsing: bytes[...]) else {
                continue
            }
            #expect(sample.labels == sample.labels.sorted())
        }
    }
}
