import Interchange
import SQLite
import Store
import Vocabulary

/// A family of OpenMetrics, and where its samples are in the store.
private struct ExportedFamily {
    let name: String
    let type: MetricType
    let help: String
    let sources: [Source]

    struct Source {
        /// Empty where the first column is a JSON object of them.
        let labels: [String]
        /// Selects labels, `at_ns` and the value, series by series, each in the order of recording.
        let sql: String
        let values: [Value]
    }
}

extension Exporter {
    /// The gateway's figures, its pools' and each Child SA's counters, and imported time series:
    /// series by series, as `promtool tsdb create-blocks-from openmetrics` takes them.
    package func exportOpenMetrics() throws(TransferError) {
        try inOneMoment { () throws(TransferError) in
            for family in try self.families() { try self.write(family) }
            self.writer.end()
        }
    }

    private func families() throws(TransferError) -> [ExportedFamily] {
        var families: [ExportedFamily] = []
        if selection.session == nil {
            if selection.wants("tick") { families += Self.figures.map(figure) }
            if selection.wants("pool_sample") { families += Self.pools.map(pool) }
        }
        if selection.wants("child_sample") { families += Self.children.map(child) }
        guard selection.session == nil, selection.wants(RecordKind.importedSample.name) else {
            return families
        }
        // A family is told in one piece, also if some of it is imported.
        var imported = try imported()
        families = families.map { family in
            guard let place = imported.firstIndex(where: { $0.name == family.name }) else {
                return family
            }
            return ExportedFamily(
                name: family.name, type: family.type, help: family.help,
                sources: family.sources + imported.remove(at: place).sources)
        }
        return families + imported
    }

    /// Columns of `ticks` and the metrics that scrapes show them as.
    private static let figures = [
        ("sessions", "ike_sessions"), ("session_limit", "ike_sessions_limit"),
        ("half_open", "ike_half_open_sas"), ("child_sas", "ipsec_child_sas"),
        ("active_child_sas", "ipsec_active_child_sas"),
        ("bytes_in", "ipsec_receive_bytes_total"), ("packets_in", "ipsec_receive_packets_total"),
        ("bytes_out", "ipsec_transmit_bytes_total"),
        ("packets_out", "ipsec_transmit_packets_total"),
        ("messages_received", "ike_messages_received_total"),
        ("messages_sent", "ike_messages_sent_total"),
        ("retransmissions_sent", "ike_retransmissions_sent_total"),
    ]

    private static let pools = [
        ("size", "ike_pool_addresses"), ("used", "ike_pool_addresses_used"),
    ]

    private static let children = [
        ("bytes_in", "ipsec_child_sa_receive_bytes_total", "Inner bytes received on a Child SA."),
        (
            "packets_in", "ipsec_child_sa_receive_packets_total",
            "Inner packets received on a Child SA."
        ),
        ("bytes_out", "ipsec_child_sa_transmit_bytes_total", "Inner bytes sent on a Child SA."),
        (
            "packets_out", "ipsec_child_sa_transmit_packets_total",
            "Inner packets sent on a Child SA."
        ),
    ]

    private func figure(_ column: String, _ name: String) -> ExportedFamily {
        ExportedFamily(
            name: name, type: name.hasSuffix("_total") ? .counter : .gauge, help: Self.help(name),
            sources: [
                ExportedFamily.Source(
                    labels: [],
                    sql: "SELECT at_ns, \(column) FROM ticks WHERE at_ns >= ? AND at_ns < ?"
                        + " AND \(column) IS NOT NULL ORDER BY run, mono_ns",
                    values: times)
            ])
    }

    private func pool(_ column: String, _ name: String) -> ExportedFamily {
        ExportedFamily(
            name: name, type: .gauge, help: Self.help(name),
            sources: [
                ExportedFamily.Source(
                    labels: ["pool"],
                    sql: "SELECT pool, at_ns, \(column) FROM pool_samples"
                        + " WHERE at_ns >= ? AND at_ns < ? ORDER BY pool, run, at_ns",
                    values: times)
            ])
    }

    private func child(_ column: String, _ name: String, _ help: String) -> ExportedFamily {
        let session = selection.session.map { Value.text($0) }
        return ExportedFamily(
            name: name, type: .counter, help: help,
            sources: [
                ExportedFamily.Source(
                    labels: ["child", "run", "session"],
                    sql:
                        "SELECT s.child, s.run, s.session, s.at_ns, s.\(column) FROM child_samples s"
                        + " LEFT JOIN ticks t ON t.at_ns = s.at_ns AND t.run = s.run"
                        + " WHERE s.at_ns >= ? AND s.at_ns < ?"
                        + (session == nil ? "" : " AND s.session = ?")
                        + " ORDER BY s.run, s.child, s.session, t.mono_ns, s.at_ns",
                    values: times + (session.map { [$0] } ?? []))
            ])
    }

    private func imported() throws(TransferError) -> [ExportedFamily] {
        let metrics = try asking { () throws(SQLiteError) in
            try self.reader.connection.rows(
                "SELECT name, type FROM imported_metrics ORDER BY name"
            ) { ($0.text(0) ?? "", $0.text(1) ?? "") }
        }
        return metrics.map { name, type in
            let isCounter = type == MetricType.counter.rawValue && name.hasSuffix("_total")
            let isGauge = type == MetricType.gauge.rawValue
            return ExportedFamily(
                name: name, type: isCounter ? .counter : isGauge ? .gauge : .unknown,
                help: "Imported.",
                sources: [
                    ExportedFamily.Source(
                        labels: [],
                        sql: "SELECT labels, at_ns, value FROM imported_samples"
                            + " WHERE metric = ? AND at_ns >= ? AND at_ns < ? ORDER BY labels, at_ns",
                        values: [.text(name)] + times)
                ])
        }
    }

    private var times: [Value] {
        let times = selection.times ?? Int64.min..<Int64.max
        return [.integer(times.lowerBound), .integer(times.upperBound)]
    }

    private static func help(_ name: String) -> String {
        Catalogue.families.first { $0.name == name }?.help
            ?? "Child SAs whose counters moved since the sample before."
    }

    private func write(_ family: ExportedFamily) throws(TransferError) {
        var isFirst = true
        var series: [MetricLabel]?
        var latest = Int64.min
        for source in family.sources {
            let statement = try asking { () throws(SQLiteError) in
                let statement = try self.reader.connection.prepare(source.sql)
                try statement.start(source.values)
                return statement
            }
            defer { statement.reset() }
            while let row = try asking({ () throws(SQLiteError) in try statement.next() }) {
                guard let sample = ExportedSample(row, of: source) else { continue }
                if isFirst { writer.family(family.name, family.type, help: family.help) }
                isFirst = false
                // Prometheus knows milliseconds, and each time once.
                let time = sample.at / 1_000_000
                if sample.labels == series, time <= latest {
                    leftOut += 1
                    continue
                }
                (series, latest) = (sample.labels, time)
                writer.sample(family.name, sample.labels, sample.value, at: sample.at)
                try endLine()
            }
        }
    }
}

private struct ExportedSample {
    let labels: [MetricLabel]
    let at: Int64
    let value: MetricValue

    /// Nil for a row that can't be told.
    init?(_ row: Row, of source: ExportedFamily.Source) {
        let values = row.values
        guard values.count >= 2, case .integer(let at) = values[values.count - 2] else {
            return nil
        }
        self.at = at
        switch values[values.count - 1] {
        case .integer(let number): value = .decimal(number, decimals: 0)
        case .real(let number):
            guard let exact = MetricValue(Array(number.description.utf8)[...]) else { return nil }
            value = exact
        case .null: value = MetricValue(.nan)
        case .text, .blob: return nil
        }
        let texts = values.dropLast(2).map { value in
            switch value {
            case .integer(let number): String(number)
            case .text(let text): text
            default: ""
            }
        }
        if source.labels.isEmpty, let text = texts.first {
            guard let object = try? FlatObject(parsing: Array(text.utf8)[...]) else { return nil }
            labels = object.members.compactMap { member in
                guard case .text(let text) = member.value else { return nil }
                return MetricLabel(member.name, text)
            }
        } else {
            labels = zip(source.labels, texts).map { MetricLabel($0, $1) }
        }
    }
}
