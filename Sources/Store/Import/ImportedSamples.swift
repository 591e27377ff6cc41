import Encoding
import Interchange
import SQLite

/// One row for each value of an imported time series.
///
/// `step` is what a counter moved since its sample before: all of it, if it is lower than that.
/// Null for what is no counter, and where there is no sample before. `restart`: a counter of the
/// group is lower than before. `gap`: at least one sampling between the two did not happen.
final class ImportedSamples: VirtualTable {
    private let owner: SampleTables
    let columns = """
        metric TEXT, labels TEXT, at_ns INTEGER, value, step, restart INTEGER, gap INTEGER,
        type TEXT, grouping INTEGER
        """
    let indexed: Set<Int> = [0, 1, 2]

    init(_ owner: SampleTables) { self.owner = owner }

    func makeCursor() -> any VirtualTableCursor { ImportedCursor(owner) }

    func disconnected() { owner.disconnected() }
}

/// Reads one chunk after the other, and of each one metric after the other.
private final class ImportedCursor: VirtualTableCursor {
    private struct Metric {
        let id: Int64
        let name: String
        let type: String
    }

    private let owner: SampleTables
    private var metrics: [Int64: Metric] = [:]
    private var statement: Statement?
    private var wanted: String?
    private var times = Int64.min...Int64.max

    private var chunk: MetricChunk?
    private var labels = ""
    private var grouping: Int64 = 0
    /// Of this chunk, with their columns.
    private var columns: [(column: Int, metric: Metric)] = []
    private var place = 0
    private var sample = 0

    init(_ owner: SampleTables) { self.owner = owner }

    deinit { statement?.reset() }

    private(set) var isAtEnd = true

    func start(_ constraints: [Constraint]) throws(SQLiteError) {
        statement?.reset()
        (wanted, times, chunk) = (nil, Int64.min...Int64.max, nil)
        var labels: String?
        for constraint in constraints {
            switch (constraint.column, constraint.relation, constraint.value) {
            case (0, .equal, .text(let name)): wanted = name
            case (1, .equal, .text(let text)): labels = text
            case (2, let relation, .integer(let bound)): narrow(relation, bound)
            default: break
            }
        }
        let stored = try owner.connection.rows("SELECT id, name, type FROM imported_metrics") {
            Metric(id: $0.integer(0) ?? 0, name: $0.text(1) ?? "", type: $0.text(2) ?? "")
        }
        metrics = Dictionary(stored.map { ($0.id, $0) }) { first, _ in first }
        let next = try owner.connection.prepare(Self.chunks(of: labels))
        try next.start(
            [
                .integer(FoldRange.seconds(times.lowerBound)),
                .integer(FoldRange.seconds(times.upperBound)),
            ] + (labels.map { [.text($0)] } ?? []))
        statement = next
        isAtEnd = false
        try refill()
    }

    private static func chunks(of labels: String?) -> String {
        """
        SELECT c.scales, c.data, g.id, g.metrics, l.labels, c.id FROM imported_chunks c
          JOIN imported_groups g ON g.id = c.grouping
          JOIN imported_labels l ON l.id = g.labels
         WHERE c.last_s >= ? AND c.first_s <= ? \(labels == nil ? "" : "AND l.labels = ?")
         ORDER BY c.id
        """
    }

    private func narrow(_ relation: Constraint.Relation, _ bound: Int64) {
        var (lower, upper) = (times.lowerBound, times.upperBound)
        if relation != .less, relation != .atMost { lower = max(lower, bound) }
        if relation != .greater, relation != .atLeast { upper = min(upper, bound) }
        times = lower...max(lower, upper)
    }

    func advance() throws(SQLiteError) {
        sample += 1
        try refill()
    }

    /// Goes on to a sample that is wanted, if this one is none.
    private func refill() throws(SQLiteError) {
        while true {
            if let chunk {
                while place < columns.count {
                    while sample < chunk.chunk.times.count {
                        if times.contains(chunk.chunk.times[sample]) { return }
                        sample += 1
                    }
                    place += 1
                    sample = 0
                }
            }
            guard let row = try statement?.next() else {
                statement?.reset()
                chunk = nil
                isAtEnd = true
                return
            }
            take(row)
        }
    }

    private func take(_ row: Row) {
        let ids = (row.text(3) ?? "").split(separator: ",").compactMap { Int64($0) }
        (place, sample, columns) = (0, 0, [])
        chunk = MetricChunk(row, columns: ids.count)
        guard chunk != nil else { return owner.noteDamage(row.integer(5) ?? 0) }
        labels = row.text(4) ?? ""
        grouping = row.integer(2) ?? 0
        for (column, id) in ids.enumerated() {
            guard let metric = metrics[id], wanted == nil || wanted == metric.name else { continue }
            columns.append((column, metric))
        }
    }

    func value(_ column: Int) -> Value {
        guard let chunk, columns.indices.contains(place) else { return .null }
        let (own, metric) = columns[place]
        let mark = chunk.chunk.marks.isEmpty ? [] : chunk.chunk.marks[sample]
        switch column {
        case 0: return .text(metric.name)
        case 1: return .text(labels)
        case 2: return .integer(chunk.chunk.times[sample])
        case 3: return Value(chunk.value(sample, own))
        case 4: return metric.type == "counter" ? step(chunk, own) : .null
        case 5: return .integer(mark.contains(.restart) ? 1 : 0)
        case 6: return .integer(mark.contains(.gap) ? 1 : 0)
        case 7: return .text(metric.type)
        case 8: return .integer(grouping)
        default: return .null
        }
    }

    private func step(_ chunk: MetricChunk, _ column: Int) -> Value {
        let now = chunk.value(sample, column)
        let before: MetricValue
        if sample > 0 {
            before = chunk.value(sample - 1, column)
        } else if let base = chunk.chunk.base {
            before = chunk.scales[column].value(base[column])
        } else {
            return .null
        }
        if now.double < before.double { return Value(now) }
        if case .decimal(let new, 0) = now, case .decimal(let old, 0) = before {
            let (step, overflow) = new.subtractingReportingOverflow(old)
            if !overflow { return .integer(step) }
        }
        return .real(now.double - before.double)
    }
}

extension Value {
    /// An integer if it is whole, however large. SQLite has no NaN: it is null.
    fileprivate init(_ value: MetricValue) {
        if case .decimal(let number, 0) = value {
            self = .integer(number)
        } else {
            self = .real(value.double)
        }
    }
}
