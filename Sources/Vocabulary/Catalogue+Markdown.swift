// `docs/records.md` and `weir records`: the vocabulary, for people. Made from the catalogue, so
// that it can't say anything else than the program does.

extension Catalogue {
    /// Every event with its fields, and every metric, as Markdown.
    package static var markdown: String {
        var lines = [
            "# Records",
            "",
            "Everything that Weir tells: \(events.count) kinds of event and \(families.count) "
                + "metrics. Made from the vocabulary; don't edit.",
            "",
            "A `personal` field reaches a sink only through the redaction policy: as a pseudonym, "
                + "unless the configuration says otherwise. Durations and sizes bear their unit at "
                + "the end of their name; `null` means that there is nothing to tell.",
            "",
            "## Events",
        ]
        for event in events { lines += section(event) }
        lines += ["", "## Metrics", "", "| name | kind | labels | series | meaning |", row(5)]
        for family in families { lines.append(line(family)) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func section(_ event: EventKind) -> [String] {
        var lines = ["", "### \(event.name)", "", event.meaning]
        if !event.rfc.isEmpty { lines[3] += " RFC \(event.rfc)." }
        if event.coalesces { lines[3] += " Like ones of one second are one event with a count." }
        lines += ["", "| field | stored as | privacy | unit | meaning |", row(5)]
        for field in event.fields {
            let privacy = field.purpose.map { "\(field.privacy) (\($0.rawValue))" } ?? field.privacy
            let cells = [
                "`\(field.name)`", field.storage.rawValue, privacy, field.unit.rawValue,
                field.meaning,
            ]
            lines.append(table(cells))
        }
        if !event.families.isEmpty {
            let names = event.families.map { "`\($0.name)`" }.joined(separator: ", ")
            lines += ["", "Drives \(names)."]
        }
        return lines
    }

    private static func line(_ family: MetricFamily) -> String {
        let series = family.series.isEmpty ? "by configuration" : "\(family.series.count)"
        return table([
            "`\(family.name)`", family.kind.rawValue,
            family.labels.map { "`\($0)`" }.joined(separator: ", "), series, family.help,
        ])
    }

    private static func table(_ cells: [String]) -> String {
        "|" + cells.map { $0.isEmpty ? " " : " \($0) " }.joined(separator: "|") + "|"
    }

    private static func row(_ columns: Int) -> String {
        "|" + String(repeating: "---|", count: columns)
    }
}
