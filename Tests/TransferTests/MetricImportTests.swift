import Interchange
import Store
import TestFiles
import Testing
import Transfer
import Vocabulary

@Suite("Import of time series")
struct MetricImportTests {
    private let folder: Folder
    private let start: Int64 = 1_795_000_000

    init() throws { folder = try Folder() }

    private var store: String { folder("s.db") }

    /// Samples of two gateways: four counters that are sampled together, and a gauge now and then.
    private func samples() -> [(family: String, line: String, at: Int64)] {
        var lines: [(String, String, Int64)] = []
        for (number, instance) in ["gw1", "gw2"].enumerated() {
            for tick in 0..<300 {
                let at = start + Int64(tick) * 15 + Int64(number)
                for (place, name) in ["bytes_in", "bytes_out", "packets_in", "packets_out"]
                    .enumerated()
                {
                    let value = Int64(tick) * 1_000 * Int64(place + 1) + Int64(1) << 60
                    lines.append(
                        (name, "\(name)_total{instance=\"\(instance)\"} \(value) \(at).5\n", at))
                }
                if tick % 10 == 0 {
                    lines.append(
                        ("load", "load{instance=\"\(instance)\"} 0.\(tick % 7)5 \(at).5\n", at))
                }
            }
        }
        return lines
    }

    private func text(_ lines: [(family: String, line: String, at: Int64)]) -> String {
        "# TYPE bytes_in counter\n# TYPE bytes_out counter\n# TYPE load gauge\n"
            + lines.map(\.line).joined() + "# EOF\n"
    }

    private let all =
        "SELECT metric, labels, at_ns, value, step, restart, gap, type"
        + " FROM imported_samples"

    @Test("series order and time order come to the same, in any batches")
    func orders() throws {
        let series = samples().sorted { ($0.family, $0.at) < ($1.family, $1.at) }
        let time = samples().sorted { ($0.at, $0.family) < ($1.at, $1.family) }
        try imported(try folder.write(text(series), to: "series"), into: store)
        try imported(
            try folder.write(text(time), to: "time"), into: folder("t.db"), batch: 333)
        let reader = try StoreReader(path: store)
        let rows = try reader.sorted(all)
        #expect(rows.count == 2_460)
        #expect(try StoreReader(path: folder("t.db")).sorted(all) == rows)
        #expect(
            try reader.all(
                "SELECT value FROM imported_samples WHERE metric = 'bytes_out_total'"
                    + " AND labels = '{\"instance\":\"gw2\"}' ORDER BY at_ns DESC LIMIT 1")
                == [[.integer(299 * 2_000 + 1 << 60)]])
        #expect(
            try reader.all("SELECT count(*) FROM staged_samples") == [[.integer(0)]])
    }

    @Test("what is sampled together is stored together")
    func groups() throws {
        try imported(try folder.write(text(samples()), to: "file"), into: store)
        let reader = try StoreReader(path: store)
        // Of each gateway: the four alone, and with the gauge.
        #expect(
            try reader.all(
                "SELECT length(metrics) - length(replace(metrics, ',', '')) + 1, count(*)"
                    + " FROM imported_groups GROUP BY 1 ORDER BY 1")
                == [[.integer(4), .integer(2)], [.integer(5), .integer(2)]])
    }

    @Test("restarts, pauses and missing samples are told")
    func marks() throws {
        let values: [(at: Int64, value: Int64)] = [
            (0, 5), (15, 8), (30, 9), (75, 12), (90, 2), (105, 2), (120, 4),
        ]
        let lines = values.map { "c_total \($0.value) \(start + $0.at)\n" }.joined()
        try imported(
            try folder.write("# TYPE c counter\n\(lines)# EOF\n", to: "file"), into: store)
        let rows = try StoreReader(path: store).all(
            "SELECT value, step, restart, gap FROM imported_samples ORDER BY at_ns")
        let expected: [[Int64?]] = [
            [5, nil, 0, 0], [8, 3, 0, 0], [9, 1, 0, 0], [12, 3, 0, 1], [2, 2, 1, 0], [2, 0, 0, 0],
            [4, 2, 0, 0],
        ]
        #expect(rows == expected.map { $0.map { $0.map { .integer($0) } ?? .null } })
    }

    @Test("a later file goes on where the earlier one ended; what overlaps counts once")
    func continued() throws {
        func file(_ ticks: Range<Int64>) throws -> String {
            let lines = ticks.map { "c_total \($0 * 10) \(start + $0 * 15)\n" }.joined()
            return try folder.write("\(lines)# EOF\n", to: "ticks-\(ticks)")
        }
        try imported(try file(0..<600), into: store)
        try imported(try file(500..<900), into: store)
        try imported(try file(900..<950), into: store)
        let reader = try StoreReader(path: store)
        #expect(
            try reader.all("SELECT count(*), sum(step), max(gap) FROM imported_samples")
                == [[.integer(950), .integer(9_490), .integer(0)]])
    }

    @Test("values of any kind come back as they were")
    func exact() throws {
        let texts = [
            "0.1", "-2.5", "1e-300", "9007199254740993", "+Inf", "NaN", "-0.0", "123456.789012345",
        ]
        let lines = texts.enumerated().map { "g \($0.element) \(start + Int64($0.offset))\n" }
        try imported(
            try folder.write("# TYPE g gauge\n\(lines.joined())# EOF\n", to: "file"), into: store)
        let values = try StoreReader(path: store).all("SELECT value FROM imported_samples")
        // NaN is null in SQL. With so many kinds in one column a whole number is a double, too.
        #expect(
            values.map { $0[0] } == [
                .real(0.1), .real(-2.5), .real(1e-300), .real(9_007_199_254_740_992),
                .real(.infinity), .null, .real(-0.0), .real(123456.789012345),
            ])
    }

    @Test("our own export comes in again, with the same values at the same times")
    func ours() throws {
        try History.write(to: folder("o.db"), ticks: 40)
        let original = try StoreReader(path: folder("o.db"))
        let text = try exported(original) { exporter throws(TransferError) in
            try exporter.exportOpenMetrics()
        }
        try imported(try folder.write(text, to: "file"), into: store)
        let reader = try StoreReader(path: store)
        let before = try original.sorted(
            "SELECT session, child, at_ns, bytes_out FROM child_samples")
        #expect(!before.isEmpty)
        #expect(
            try reader.sorted(
                """
                SELECT json_extract(labels, '$.session'), CAST(labels ->> '$.child' AS INTEGER),
                       at_ns, value
                  FROM imported_samples WHERE metric = 'ipsec_child_sa_transmit_bytes_total'
                """) == before)
        #expect(
            try reader.sorted(
                "SELECT at_ns, value FROM imported_samples WHERE metric = 'ike_pool_addresses_used'"
            ) == original.sorted("SELECT at_ns, used FROM pool_samples"))
        let again = try exported(reader) { exporter throws(TransferError) in
            try exporter.exportOpenMetrics()
        }
        func values(_ text: String) -> [Substring] {
            text.split(separator: "\n").filter { !$0.hasPrefix("#") }.sorted()
        }
        #expect(values(again) == values(text))
    }

    @Test(
        "what can't be taken is named by its line",
        arguments: [
            ("a 1 1795000000\na 2\n# EOF\n", 2, "no time"),
            ("a 1 1795000000\na 2 1795000000\n# EOF\n", 2, "another value"),
            ("a 1 1795000000\n# EOF\na 1 1795000015\n", 3, "after # EOF"),
            ("a 1 1795000000000\n# EOF\n", 1, "prometheus"), ("a 1 1\n", 1, "without # EOF"),
            ("a 1 1795000000\na{b=\"1\",b=\"2\"} 1 1\n# EOF\n", 2, "twice"),
        ])
    func refusals(_ text: String, _ line: Int, _ reason: String) throws {
        let file = try folder.write(text, to: "bad")
        do {
            try imported(file, into: store)
            Issue.record("it was taken")
        } catch let error as TransferError {
            #expect(error.description.hasPrefix("\(file):\(line): "), "\(error)")
            #expect(error.description.contains(reason), "\(error)")
        }
    }

    @Test("the older text format has milliseconds, and no end")
    func older() throws {
        let file = try folder.write(
            "# TYPE c_total counter\nc_total 1 1795000000125\nc_total 1 1795000000125\n", to: "file"
        )
        try imported(file, into: store, as: .prometheus)
        #expect(
            try StoreReader(path: store).all("SELECT at_ns, type FROM imported_samples")
                == [[.integer(1_795_000_000_125_000_000), .text("counter")]])
    }

    @Test("killed while it groups, it goes on")
    func resume() throws {
        let file = try folder.write(text(samples()), to: "file")
        try imported(file, into: folder("t.db"))
        var calls = 0
        while calls < 100 {
            calls += 1
            let target = try StoreImporter(path: store)
            var blocks = 0
            let importer = Importer(into: target, policy: policy, batch: 400, block: 9_000) {
                _ throws(TransferError) in
                blocks += 1
                if blocks == 3 { throw .file(path: "", reason: "interrupted") }
            }
            defer { target.close() }
            do {
                _ = try importer.take(path: file, as: nil)
                break
            } catch { #expect(error == .file(path: "", reason: "interrupted")) }
        }
        #expect(calls > 3 && calls < 100)
        let found = try StoreReader(path: store).sorted(all)
        let whole = try StoreReader(path: folder("t.db")).sorted(all)
        #expect(found.count == whole.count)
        #expect(found.filter { !whole.contains($0) }.prefix(3) == [])
    }
}
