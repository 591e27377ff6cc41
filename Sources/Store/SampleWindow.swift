import SQLite

/// What a question wants of the samples.
struct SampleWindow {
    var times = Int64.min...Int64.max
    /// Samples that are as the ones before them are not wanted.
    private(set) var onlyMoved = false
    private var run: Int64?
    private var child: Int64?
    private var session: String?

    init(_ constraints: [Constraint]) {
        for constraint in constraints {
            switch (constraint.column, constraint.relation, constraint.value) {
            case (0, .equal, .integer(let value)): run = value
            case (2, .equal, .text(let value)): session = value
            case (3, .equal, .integer(let value)): child = value
            case (12, .equal, .integer(1)): onlyMoved = true
            case (1, let relation, .integer(let value)): narrow(relation, value)
            default: break
            }
        }
    }

    /// Finds a Child SA by its session, where its beginning tells that: there is an index for it.
    mutating func findSession(_ connection: Connection) throws(SQLiteError) {
        guard session == nil, let run, let child else { return }
        session =
            try connection.rows(
                "SELECT session FROM child_sa_installed WHERE run = ? AND child = ? LIMIT 1",
                [.integer(run), .integer(child)]
            ) { $0.text(0) }.first ?? nil
    }

    private mutating func narrow(_ relation: Constraint.Relation, _ value: Int64) {
        var (lower, upper) = (times.lowerBound, times.upperBound)
        if relation != .less, relation != .atMost { lower = max(lower, value) }
        if relation != .greater, relation != .atLeast { upper = min(upper, value) }
        // SQLite drops the rows at the bounds that it does not want.
        times = lower...max(lower, upper)
    }

    /// The groups that a session, a Child SA or a run has; nil if all are wanted.
    var seriesQuery: (sql: String, values: [Value])? {
        let (conditions, values) = ownerConditions
        guard !conditions.isEmpty else { return nil }
        return (
            "SELECT s.id FROM series s JOIN sampled_sessions n ON n.id = s.session WHERE "
                + conditions.joined(separator: " AND ") + " ORDER BY s.id", values
        )
    }

    private var ownerConditions: ([String], [Value]) {
        var conditions: [String] = []
        var values: [Value] = []
        if let session {
            conditions.append("n.session = ?")
            values.append(.text(session))
        }
        if let run {
            conditions.append("s.run = ?")
            values.append(.integer(run))
        }
        if let child {
            conditions.append("s.child = ?")
            values.append(.integer(child))
        }
        return (conditions, values)
    }

    /// More groups than these are not named one by one.
    private static let named = 64

    /// Columns: data, id, run, child, session. In the order of the chunks.
    ///
    /// - Parameter wanted: the groups that there are; nil is all.
    func chunkQuery(_ wanted: [Int64]?) -> (sql: String, values: [Value]) {
        var (conditions, values) = ownerConditions
        if let wanted, wanted.count <= Self.named {
            conditions = ["c.series IN (\(wanted.map(String.init).joined(separator: ", ")))"]
            values = []
        }
        func add(_ condition: String, _ value: Int64) {
            conditions.append(condition)
            values.append(.integer(value))
        }
        // With a session or a Child SA in hand its own index is the best one; and CROSS JOIN has
        // SQLite begin with the few folds that are of the time.
        let isOfTime = session == nil && child == nil
        if isOfTime, times.lowerBound > Int64.min {
            add("f.last_s >= ?", FoldRange.seconds(times.lowerBound))
        }
        if isOfTime, times.upperBound < Int64.max {
            add("f.first_s <= ?", FoldRange.seconds(times.upperBound))
        }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let source =
            isOfTime
            ? "folds f CROSS JOIN chunks c ON c.id BETWEEN f.first_chunk AND f.last_chunk"
            : "chunks c"
        return (
            "SELECT c.data, c.id, s.run, s.child, n.session FROM \(source)"
                + " JOIN series s ON s.id = c.series"
                + " JOIN sampled_sessions n ON n.id = s.session\(filter)"
                + (isOfTime ? "" : " ORDER BY c.id"), values
        )
    }
}
