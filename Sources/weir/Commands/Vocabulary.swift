import ArgumentParser
import Presentation
import Recorder
import Settings
import Vocabulary

/// How `weir records` prints: as results do, or as the documentation page.
enum RecordsFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json, markdown
}

struct Records: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every event, field and metric there is.",
        discussion: """
            Examples:
              weir records
              weir records session_established
              weir records --format json | jq -r '.[0].rows[].event' | sort -u
            """)

    @Argument(help: "Only this kind of event.")
    var event: String?

    @Option(help: "table, json, or markdown (docs/records.md).")
    var format = RecordsFormat.table

    func run() throws {
        if format == .markdown { return say(Catalogue.markdown) }
        let events = Catalogue.events.filter { event == nil || $0.name == event }
        guard let first = events.first else {
            throw Failure.misuse(
                "no event \(visible(event ?? "")); there are: "
                    + Catalogue.events.map(\.name).joined(separator: ", "))
        }
        var output = OutputOptions()
        output.format = format == .json ? .json : .table
        var tables = [
            Self.fields(of: events),
            Self.metrics(event == nil ? Catalogue.families : first.families),
        ]
        if event != nil { tables[0].notes = [first.meaning] }
        output.show(tables)
    }

    private static func fields(of events: [EventKind]) -> Table {
        Table(
            title: "Events",
            columns: ["event", "field", "privacy", "unit", "meaning"].map { Column($0, .text) },
            rows: events.flatMap { event in
                event.fields.map { field in
                    [
                        .text(event.name), .text(field.name), .text(field.privacy),
                        field.unit == .none ? .null : .text(field.unit.rawValue),
                        .text(field.meaning),
                    ]
                }
            })
    }

    private static func metrics(_ families: [MetricFamily]) -> Table {
        Table(
            title: "Metrics",
            columns: ["metric", "type", "labels", "meaning"].map { Column($0, .text) },
            rows: families.map { family in
                [
                    .text(family.name), .text(family.kind.rawValue),
                    family.labels.isEmpty ? .null : .text(family.labels.joined(separator: ", ")),
                    .text(family.help),
                ]
            })
    }
}

struct PseudonymOf: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pseudonym",
        abstract: "Tell the pseudonym of a user or an address.",
        discussion: """
            Needs the right to read the pseudonym key. The way back does not exist.
            Examples:
              weir pseudonym alice@example.org -c /etc/weir/weir.yaml
              weir pseudonym 192.0.2.7 --store weir-demo/weir.db
            """)

    @Argument(help: "A user name, or an address.")
    var value: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let policy = try store.policy()
        func row(_ purpose: Purpose, _ meaning: String, _ bytes: [UInt8]) -> [Datum] {
            [
                .text(policy.pseudonymiser.pseudonym(of: bytes, for: purpose)), .text(meaning),
            ]
        }
        var rows = [
            row(.identity, "as a user", Identity(value).canonicalBytes)
        ]
        if let address = IPAddress(value) {
            rows.append(row(.address, "as a source address", address.bytes))
            rows.append(row(.virtualAddress, "as a virtual address", address.bytes))
        }
        output.show(
            Table(columns: [Column("pseudonym", .text), Column("meaning", .text)], rows: rows))
    }
}
