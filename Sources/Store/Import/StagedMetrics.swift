package import Interchange
import SQLite
import Vocabulary

/// The numbers of metrics and label sets that were met lately, so that most samples need no look
/// at the tables.
struct StagedMetrics {
    var metrics: [String: Int64] = [:]
    var labels: [[MetricLabel]: Int64] = [:]

    /// More label sets than this are not remembered at once.
    static let remembered = 50_000
    /// Names of metrics that a store takes.
    static let maxMetrics = 10_000
}

extension StoreImporter {
    /// Says what the samples of a family are, before the first of them.
    package func take(family: String, type: MetricType) throws(ImportError) {
        for (name, type) in Self.samples(of: family, type) {
            guard try find(metric: name) == nil else { continue }
            _ = try insert(metric: name, type)
        }
    }

    /// What names a family's samples have, and which of them count.
    private static func samples(
        of family: String, _ type: MetricType
    ) -> [(String, MetricType)] {
        let bare = family.hasSuffix("_total") ? String(family.dropLast(6)) : family
        switch type {
        case .counter: return [(bare + "_total", .counter)]
        case .histogram, .summary:
            let parts = ["_bucket", "_count", "_sum"].map { (family + $0, MetricType.counter) }
            return type == .histogram ? parts : Array(parts.dropFirst()) + [(family, .gauge)]
        case .gaugehistogram:
            return ["_bucket", "_gcount", "_gsum"].map { (family + $0, .gauge) }
        case .info: return [(family + "_info", .gauge)]
        case .gauge, .stateset: return [(family, .gauge)]
        case .unknown, .untyped: return [(family, .unknown)]
        }
    }

    /// Keeps a sample until the file is read: only then is it known what was sampled with it.
    ///
    /// - Throws: ``ImportError/refused(_:)`` for a sample without a time, for too many metrics, and
    ///   for another value of the same series at the same time.
    package func stage(_ sample: MetricSample) throws(ImportError) {
        guard let at = sample.at else {
            throw .refused(
                "\(sample.name) has no time; export it with timestamps, as promtool tsdb dump does")
        }
        let metric = try number(ofMetric: sample.name)
        let labels = try number(ofLabels: sample.labels)
        let (scale, value): (Int64, Int64) =
            switch sample.value {
            case .decimal(let mantissa, let decimals): (Int64(decimals), mantissa)
            case .real(let bits): (-1, Int64(bitPattern: bits))
            }
        let isNew = try storing { () throws(SQLiteError) in
            try self.connection.prepare(Self.insertStaged)
                .run(integers: [labels, at, metric, scale, value])
            return self.connection.changes > 0
        }
        guard !isNew else { return }
        let isSame = try storing { () throws(SQLiteError) in
            try self.connection.integer(
                """
                SELECT scale = ? AND value = ? FROM staged_samples
                 WHERE labels = ? AND at_ns = ? AND metric = ?
                """, [scale, value, labels, at, metric].map { .integer($0) })
        }
        guard isSame == 1 else {
            throw .refused("\(sample.name) has another value at that time already; remove one")
        }
    }

    private static let insertStaged =
        ImportTables.staged.insertion() + " ON CONFLICT DO NOTHING"

    private func number(ofMetric name: String) throws(ImportError) -> Int64 {
        if let number = try find(metric: name) { return number }
        return try insert(metric: name, name.hasSuffix("_total") ? .counter : .unknown)
    }

    private func find(metric name: String) throws(ImportError) -> Int64? {
        if let number = metrics.metrics[name] { return number }
        let stored = try storing { () throws(SQLiteError) in
            try self.connection.value(
                "SELECT id FROM imported_metrics WHERE name = ?", [.text(name)])
        }
        guard case .integer(let number) = stored else { return nil }
        metrics.metrics[name] = number
        return number
    }

    private func insert(metric name: String, _ type: MetricType) throws(ImportError) -> Int64 {
        let count = try storing { () throws(SQLiteError) in
            try self.connection.integer("SELECT count(*) FROM imported_metrics")
        }
        guard count < StagedMetrics.maxMetrics else {
            throw .refused(
                "more than \(StagedMetrics.maxMetrics) metrics; import fewer, or into another store"
            )
        }
        let number = try storing { () throws(SQLiteError) in
            try self.connection.insert(
                ImportTables.metrics.insertion(), [.null, .text(name), .text(type.rawValue)])
        }
        metrics.metrics[name] = number
        return number
    }

    private func number(ofLabels labels: [MetricLabel]) throws(ImportError) -> Int64 {
        if let number = metrics.labels[labels] { return number }
        var writer = TextWriter()
        writer.object(labels.map { ($0.name, .text($0.value)) })
        let text = String(decoding: writer.take().dropLast(), as: UTF8.self)
        let number = try storing { () throws(SQLiteError) in
            try self.connection.execute(
                "INSERT OR IGNORE INTO imported_labels (labels) VALUES (?)", [.text(text)])
            return try self.connection.integer(
                "SELECT id FROM imported_labels WHERE labels = ?", [.text(text)])
        }
        if metrics.labels.count >= StagedMetrics.remembered { metrics.labels.removeAll() }
        metrics.labels[labels] = number
        return number
    }
}
