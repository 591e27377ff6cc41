import Testing
import Vocabulary

@Suite("The catalogue")
struct CatalogueTests {
    @Test("is what the golden file says: a change of name, type or privacy is seen in review")
    func golden() throws {
        var lines: [String] = []
        for event in Catalogue.events {
            lines.append(
                "event \(event.name) since \(event.since)\(event.coalesces ? " coalesces" : "")")
            for field in event.fields {
                let purpose = field.purpose.map { " \($0.rawValue)" } ?? ""
                lines.append(
                    "  \(field.name) \(field.storage.rawValue) \(field.privacy)\(purpose) \(field.unit.rawValue)"
                        .trimmingSpaces)
            }
        }
        for family in Catalogue.families {
            lines.append(
                "\(family.kind.rawValue) \(family.name){\(family.labels.joined(separator: ","))}")
            for series in family.series where !series.isEmpty {
                lines.append("  \(series.joined(separator: ","))")
            }
            if !family.buckets.isEmpty { lines.append("  buckets \(family.buckets)") }
        }
        try expectGolden(
            lines.joined(separator: "\n") + "\n", at: "Tests/VocabularyTests/Golden/catalogue.txt")
    }

    @Test("is what docs/records.md says")
    func documentation() throws {
        try expectGolden(Catalogue.markdown, at: "docs/records.md")
    }

    @Test("has each event, field and metric once")
    func unique() {
        let names = Catalogue.events.map(\.name)
        #expect(Set(names).count == names.count)
        for event in Catalogue.events {
            let fields = event.fields.map(\.name)
            #expect(Set(fields).count == fields.count, "\(event.name)")
            #expect(!fields.isEmpty)
        }
        let metrics = Catalogue.families.map(\.name)
        #expect(Set(metrics).count == metrics.count)
    }

    @Test("tells every stored property of an event", arguments: Catalogue.events)
    func complete(_ event: EventKind) {
        let properties = Mirror(reflecting: event.example).children.flatMap { child in
            child.value is any FieldGroup
                ? Mirror(reflecting: child.value).children.compactMap(\.label)
                : [child.label].compactMap(\.self)
        }
        #expect(properties.count == event.fields.count)
        #expect(properties.map { $0.snakeCase } == event.fields.map { $0.name.spelledOut })
    }

    @Test("is written in sentences", arguments: Catalogue.events)
    func sentences(_ event: EventKind) {
        #expect(event.meaning.first?.isUppercase == true)
        #expect(event.meaning.hasSuffix("."))
        #expect(event.since >= 1)
        #expect(event.rfc.isEmpty || event.rfc.contains("§"))
        for field in event.fields {
            #expect(!field.meaning.isEmpty)
            let isName = ["IKE", "Weir"].contains { field.meaning.hasPrefix($0) }
            #expect(field.meaning.first?.isUppercase == false || isName)
            #expect(!field.meaning.hasSuffix("."))
            #expect(!field.meaning.contains("|"))
        }
    }

    @Test("names fields in snake case, with their unit", arguments: Catalogue.events)
    func fieldNames(_ event: EventKind) {
        for field in event.fields {
            #expect(field.name.isSnakeCase, "\(field.name)")
            switch field.unit {
            case .milliseconds: #expect(field.name.hasSuffix("_ms"))
            case .microseconds: #expect(field.name.hasSuffix("_us"))
            case .nanoseconds: #expect(field.name.hasSuffix("_ns"))
            case .seconds: #expect(field.name.hasSuffix("_s") || field.name.hasSuffix("_seconds"))
            case .bytes: #expect(field.name.contains("bytes"))
            case .packets: #expect(field.name.contains("packets") || field.name == "count")
            case .count, .none:
                for suffix in ["_ms", "_us", "_ns", "_s", "_seconds", "_bytes"] {
                    #expect(!field.name.hasSuffix(suffix), "\(field.name) has a unit's name")
                }
            }
            if field.privacy == "personal" {
                #expect(field.purpose != nil)
                #expect(field.storage == .text)
            } else {
                #expect(field.purpose == nil)
            }
        }
    }

    @Test(
        "has an example of every event, disclosed as its schema says", arguments: Catalogue.events)
    func example(_ event: EventKind) {
        let disclosed = event.example.disclosed(under: .all(.clear))
        #expect(disclosed.kind == event.name)
        #expect(disclosed.values.count == event.fields.count)
        for (field, value) in zip(event.fields, disclosed.values) {
            switch (field.storage, value) {
            case (.integer, .integer), (.real, .real), (.text, .text), (_, .null): break
            default:
                Issue.record("\(event.name).\(field.name) is \(field.storage) and holds \(value)")
            }
        }
    }
}

@Suite("Metrics")
struct MetricNameTests {
    @Test("are named as Prometheus asks", arguments: Catalogue.families.map(\.name))
    func names(_ name: String) throws {
        let family = try #require(Catalogue.families.first { $0.name == name })
        #expect(name.isSnakeCase)
        #expect(["ike_", "ipsec_", "weir_", "process_"].contains { name.hasPrefix($0) })
        #expect((family.kind == .counter) == name.hasSuffix("_total"))
        for unit in ["_ms", "_us", "_milliseconds", "_microseconds", "_kilobytes", "_minutes"] {
            #expect(!"\(name)_".contains("\(unit)_"), "base units only")
        }
        for suffix in ["_count", "_sum", "_bucket"] {
            #expect(!name.hasSuffix(suffix), "\(suffix) is a histogram's own")
        }
        #expect(family.help.hasSuffix("."))
        #expect(family.labels.allSatisfy { $0.isSnakeCase && $0 != "le" && !$0.hasPrefix("__") })
        #expect(family.series.allSatisfy { $0.count == family.labels.count })
        #expect(Set(family.series).count == family.series.count)
        #expect(family.buckets == family.buckets.sorted())
        #expect(family.buckets.isEmpty == (family.kind != .histogram))
    }

    @Test("are at most 200 series by default, 250 when everything has happened")
    func cardinality() {
        func count(_ families: [MetricFamily]) -> Int {
            families.reduce(0) { sum, family in
                // A label that the configuration fills counts as one.
                let series = max(1, family.series.count)
                return sum + series * (family.kind == .histogram ? family.buckets.count + 3 : 1)
            }
        }
        // A RADIUS server, which nobody has by default, costs a few more.
        let (radius, others) =
            Catalogue.families.reduce(into: ([], [])) { sorted, family in
                if family.labels.first == "server" {
                    sorted.0.append(family)
                } else {
                    sorted.1.append(family)
                }
            } as ([MetricFamily], [MetricFamily])
        #expect(count(others.filter { !$0.isSparse }) <= 200)
        #expect(count(others) <= 250)
        let details = RadiusResult.allCases.count + RadiusDrop.allCases.count - 2
        #expect(count(radius) + details <= 17)
    }

    @Test("are moved by events into slots that exist", arguments: Catalogue.events)
    func slots(_ event: EventKind) {
        for increment in event.example.increments {
            let family = event.families.first { $0.name == increment.family }
            #expect(family?.series.indices.contains(increment.slot) == true)
            #expect(increment.amount >= 1)
        }
        for observation in event.example.observations {
            let family = event.families.first { $0.name == observation.family }
            #expect(family?.series.indices.contains(observation.slot) == true)
            #expect(observation.value >= 0)
        }
    }

    @Test("count what an event says, under its label")
    func increments() {
        let drop = ESPDropped(reason: .integrity, session: nil, source: nil, count: 7)
        let increment = drop.increments.first
        #expect(increment?.amount == 7)
        let family = Catalogue.families.first { $0.name == "ipsec_packets_dropped_total" }
        #expect(family?.series[increment?.slot ?? 0] == ["integrity"])
        let stages = SessionEstablished.example.observations
        #expect(stages.map(\.value) == [0.000_21, 0.000_34, 0.024_5])
    }
}

extension String {
    var isSnakeCase: Bool {
        let parts = split(separator: "_", omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) }
        } && first?.isNumber == false
    }

    /// `inboundSPI` is `inbound_spi`, `bytesIn` is `bytes_in`.
    var snakeCase: String {
        var text = ""
        var last: Character?
        for character in self {
            if character.isUppercase, last?.isUppercase == false { text.append("_") }
            text += character.lowercased()
            last = character
        }
        return text.spelledOut
    }

    /// A field may say `duration_ms` and its property `durationMilliseconds`.
    var spelledOut: String {
        var text = self
        let short = [
            "_ms": "_milliseconds", "_us": "_microseconds", "from_address": "from",
            "to_address": "to",
        ]
        for (suffix, word) in short where text.hasSuffix(suffix) {
            text = String(text.dropLast(suffix.count)) + word
        }
        return text
    }

    var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
