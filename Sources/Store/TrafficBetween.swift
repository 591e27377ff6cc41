import SQLite

/// What each Child SA carried within a time: `traffic_between(since_ns, until_ns)`, half-open. One
/// row for each that carried anything. What passed after a Child SA's last sample counts when it
/// ended, so that the windows of a session that ended add up to its total.
final class TrafficBetween: VirtualTable {
    private let owner: SampleTables
    let columns = """
        run INTEGER, session TEXT, child INTEGER, bytes_in INTEGER, packets_in INTEGER,
        bytes_out INTEGER, packets_out INTEGER, since_ns INTEGER HIDDEN, until_ns INTEGER HIDDEN
        """
    let indexed: Set<Int> = [7, 8]

    init(_ owner: SampleTables) { self.owner = owner }

    func makeCursor() -> any VirtualTableCursor { TrafficCursor(owner) }

    func disconnected() { owner.disconnected() }
}

private final class TrafficCursor: VirtualTableCursor {
    private let owner: SampleTables
    private var since: Int64?
    private var until: Int64?
    private var rows: [(series: Series, total: Counters)] = []
    private var place = 0

    init(_ owner: SampleTables) { self.owner = owner }

    var isAtEnd: Bool { place >= rows.count }

    func advance() { place += 1 }

    func start(_ constraints: [Constraint]) throws(SQLiteError) {
        rows = []
        place = 0
        (since, until) = (nil, nil)
        for constraint in constraints where constraint.relation == .equal {
            guard case .integer(let value) = constraint.value else { continue }
            if constraint.column == 7 { since = value } else { until = value }
        }
        // Without both no row can be right.
        guard let since, let until, since < until else { return }
        rows = try TrafficTotals.read(since...until - 1, of: owner)
    }

    func value(_ column: Int) -> Value {
        guard place < rows.count else { return .null }
        let row = rows[place]
        return switch column {
        case 0: .integer(row.series.run)
        case 1: .text(row.series.session)
        case 2: .integer(row.series.child)
        case 3: .integer(row.total.bytesIn.clamped)
        case 4: .integer(row.total.packetsIn.clamped)
        case 5: .integer(row.total.bytesOut.clamped)
        case 6: .integer(row.total.packetsOut.clamped)
        case 7: since.map { .integer($0) } ?? .null
        case 8: until.map { .integer($0) } ?? .null
        default: .null
        }
    }
}
