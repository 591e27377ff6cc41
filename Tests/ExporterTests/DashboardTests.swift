import Foundation
import Testing
import Vocabulary

/// What is in `dashboards/` asks only for what a scrape has.
@Suite("Dashboards")
struct DashboardTests {
    static let folder = repository.appending(path: "dashboards")
    static let boards = [
        "overview", "sessions", "authentication", "dataplane", "telemetry",
    ]
    static let files =
        boards.map { "grafana/\($0).json" } + [
            "prometheus/weir.rules.yml", "prometheus/weir.rules.test.yml",
        ]

    @Test("name only metrics that exist", arguments: files)
    func names(_ file: String) throws {
        let text = try read(file)
        let known = Set(Catalogue.families.flatMap(sampleNames))
        let used = Set(metrics(in: text))
        #expect(used.count >= 10)
        for name in used { #expect(known.contains(name), "\(name) is not in the catalogue") }
    }

    @Test(
        "show a title, an explanation and a unit on every panel, for the chosen gateways",
        arguments: boards)
    func panels(_ board: String) throws {
        let dashboard = try dashboard(board)
        #expect(dashboard.uid == "weir-\(board)")
        #expect(dashboard.templating.list.map(\.name) == ["datasource", "job", "instance"])
        let panels = dashboard.panels.filter { $0.type != "row" }
        #expect(panels.count > 12)
        for panel in panels {
            #expect(panel.description?.hasSuffix(".") == true, "\(panel.title)")
            #expect(panel.fieldConfig?.defaults.unit?.isEmpty == false, "\(panel.title)")
            #expect(panel.targets?.isEmpty == false, "\(panel.title)")
            for target in panel.targets ?? [] {
                let selectors = target.expr.components(separatedBy: "job=~\"$job\"").count
                #expect(selectors > 1, "\(panel.title)")
                #expect(
                    target.expr.components(separatedBy: "instance=~\"$instance\"").count
                        == selectors)
            }
        }
        #expect(Set(panels.map(\.id)).count == panels.count)
        for panel in panels where panel.type == "stat" {
            #expect(
                panel.fieldConfig?.defaults.thresholds?.steps.isEmpty == false, "\(panel.title)")
        }
    }

    @Test("ask in PromQL that Prometheus reads", arguments: boards)
    func queriesParse(_ board: String) throws {
        let exprs = try dashboard(board).panels.flatMap { $0.targets ?? [] }.map(\.expr)
        let rules = exprs.enumerated().map { index, expr in
            Rules.Rule(
                record: "weir:panel\(index)",
                expr: expr.replacing("$__rate_interval", with: "5m").replacing("$job", with: ".+")
                    .replacing("$instance", with: ".+"))
        }
        try withTemporaryFolder { folder in
            // JSON is YAML.
            let file = folder.appending(path: "rules.yml")
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            try encoder.encode(Rules(groups: [.init(name: "panels", rules: rules)]))
                .write(to: file)
            let (status, output) = try run(
                "promtool", ["check", "rules", file.path], from: "prometheus")
            #expect(status == 0, "\(output)")
            #expect(output.contains("\(exprs.count) rules found"))
        }
    }

    @Test("raise alerts as their tests say")
    func alerts() throws {
        let path = Self.folder.appending(path: "prometheus/weir.rules.test.yml").path
        let (status, output) = try run("promtool", ["test", "rules", path], from: "prometheus")
        #expect(status == 0, "\(output)")
    }

    @Test("have a test for every alert, and a summary that is a sentence")
    func alertsAreComplete() throws {
        let rules = try read("prometheus/weir.rules.yml")
        let tests = try read("prometheus/weir.rules.test.yml")
        let names = rules.matches(of: /- alert: (.+)/).map { String($0.1) }
        #expect(names.count > 10)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(name.wholeMatch(of: /Weir[A-Za-z]{1,36}/) != nil, "\(name)")
            #expect(tests.contains("- alertname: \(name)\n"), "\(name) has no firing test")
        }
        let summaries = rules.matches(of: /summary: (.+)/).map(\.1)
        #expect(summaries.count == names.count)
        for summary in summaries {
            #expect(summary.hasSuffix(".") && !summary.contains("{{"), "\(summary)")
        }
    }

    /// What `mixtool lint` asks of rules, and cannot be asked here: it is no Debian package.
    @Test("are as mixins are to be")
    func mixin() throws {
        let rules = try read("prometheus/weir.rules.yml")
        let groups = rules.components(separatedBy: "\n  - name: ").dropFirst()
        #expect(groups.count >= 2)
        for group in groups {
            let name = group.prefix { $0 != "\n" }
            #expect(name.wholeMatch(of: /[a-z][a-z-]{0,39}/) != nil, "\(name)")
            #expect(group.matches(of: /\n +- (?:alert|record):/).count <= 20, "\(name)")
        }
        let alerts = rules.components(separatedBy: "- alert: ").dropFirst()
        for alert in alerts {
            let name = alert.prefix { $0 != "\n" }
            #expect(alert.contains(/severity: (critical|warning|info)\n/), "\(name)")
            let description = alert.firstMatch(of: /description: (.+)/)?.1 ?? ""
            #expect(description.contains("{{ $"), "\(name) tells nothing of its case")
        }
    }

    private func read(_ file: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
    }

    @Test("link each alert to its runbook, and each runbook belongs to an alert")
    func runbooks() throws {
        let rules = try read("prometheus/weir.rules.yml")
        let names = rules.matches(of: /- alert: (.+)/).map { String($0.1) }
        let links = rules.matches(of: /runbook_url: .*\/docs\/runbooks\/([A-Za-z]+)\.md\n/)
            .map { String($0.1) }
        #expect(links == names)
        let folder = repository.appending(path: "docs/runbooks")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(files) == Set(names.map { $0 + ".md" } + ["README.md"]))
        for name in names {
            let text = try String(contentsOf: folder.appending(path: name + ".md"), encoding: .utf8)
            #expect(text.hasPrefix("# \(name)\n"))
            for heading in ["## Meaning", "## Look", "## Act"] {
                #expect(text.contains(heading), "\(name) lacks \(heading)")
            }
        }
    }

    @Test("and documents name only metrics and records that exist")
    func documents() throws {
        let known = Set(Catalogue.families.flatMap(sampleNames) + Catalogue.families.map(\.name))
            .union(Catalogue.events.map(\.name))
        let docs = repository.appending(path: "docs")
        let runbooks = try FileManager.default.contentsOfDirectory(
            atPath: docs.appending(path: "runbooks").path)
        for file in ["monitoring.md", "radius.md"] + runbooks.map({ "runbooks/\($0)" }) {
            let text = try String(contentsOf: docs.appending(path: file), encoding: .utf8)
            let named = text.matches(of: /`((?:ike|ipsec|weir|process)_[a-z0-9_]+)[`{\[]/)
            for name in named.map({ String($0.1) }) {
                #expect(known.contains(name), "\(file): \(name)")
            }
        }
    }

    private func dashboard(_ board: String) throws -> Dashboard {
        try JSONDecoder().decode(Dashboard.self, from: Data(read("grafana/\(board).json").utf8))
    }

    /// Words with one of our prefixes, outside of label values.
    private func metrics(in text: String) -> [String] {
        text.replacing("\\\"", with: "\"").replacing(/=~?"[^"]*"/, with: "")
            .matches(of: /\b(?:ike|ipsec|weir|process)_[a-z0-9_]+/).map { String($0.0) }
    }

    private func sampleNames(_ family: MetricFamily) -> [String] {
        guard family.kind == .histogram else { return [family.name] }
        return ["_bucket", "_sum", "_count"].map { family.name + $0 }
    }
}

private struct Dashboard: Decodable {
    struct Panel: Decodable {
        struct FieldConfig: Decodable {
            struct Thresholds: Decodable {
                struct Step: Decodable { let color: String }
                let steps: [Step]
            }
            struct Defaults: Decodable {
                let unit: String?
                let thresholds: Thresholds?
            }
            let defaults: Defaults
        }
        struct Target: Decodable { let expr: String }

        let id: Int
        let type: String
        let title: String
        let description: String?
        let fieldConfig: FieldConfig?
        let targets: [Target]?
    }
    struct Templating: Decodable {
        struct Variable: Decodable { let name: String }
        let list: [Variable]
    }
    let uid: String
    let templating: Templating
    let panels: [Panel]
}

/// A Prometheus rules file.
private struct Rules: Encodable {
    struct Group: Encodable {
        let name: String
        let rules: [Rule]
    }
    struct Rule: Encodable {
        let record: String
        let expr: String
    }
    let groups: [Group]
}
