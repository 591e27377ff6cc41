package import Presentation
import SQLite
package import Store
import Vocabulary

/// What traffic is summed by.
package enum Grouping: String, CaseIterable, Sendable {
    case identity, connection, hour
}

extension Reports {
    /// Who or when had how much traffic: by identity or connection the most first, by hour in
    /// the order of time.
    ///
    /// - Parameter limit: how many rows to list; shares are of all. Hours are listed all.
    package func traffic(
        in window: Window, by grouping: Grouping, limit: Int = 50
    ) throws(StoreError) -> [Table] {
        try snapshot { () throws(SQLiteError) in
            switch grouping {
            case .identity, .connection:
                let users = try usage(in: window, by: grouping)
                return [usageTable(users, in: window, by: grouping, limit: max(0, limit))]
            case .hour:
                let fold = try ticks(in: window)
                let quality = try quality(of: fold, in: window)
                return [hourTable(fold.hours, notes: quality.notes)]
            }
        }
    }

    /// Of the whole hours that overlap the window.
    private func usage(
        in window: Window, by grouping: Grouping
    ) throws(SQLiteError) -> [Usage] {
        let column = grouping == .identity ? "identity" : "connection"
        let hours = window.hours
        var users: [Datum: Usage] = [:]
        // The plus keeps SQLite from reading the sessions in the order of that column, all over
        // the file: four times as fast.
        let sessions = try database.rows(
            """
            SELECT \(column), count(*) FROM sessions WHERE \(Self.overlap) GROUP BY +\(column)
            """, window.wholeHours.overlapBounds
        ) { (name: Datum($0.value(0)), count: $0.integer(1) ?? 0) }
        for (name, count) in sessions { users[name, default: Usage(name: name)].sessions = count }
        let carried = try database.rows(
            """
            SELECT \(column), sum(bytes_in), sum(packets_in), sum(bytes_out), sum(packets_out)
              FROM session_hours
             WHERE hour >= ? AND hour < ? GROUP BY \(column)
            """, [.integer(hours.lowerBound), .integer(hours.upperBound)]
        ) { (name: Datum($0.value(0)), traffic: $0.traffic(from: 1)) }
        for (name, traffic) in carried {
            users[name, default: Usage(name: name)].traffic = traffic
        }
        return Array(users.values)
    }
}

/// The traffic of one identity or connection.
struct Usage: Hashable {
    let name: Datum
    var sessions: Int64 = 0
    var traffic = Traffic()

    /// The most traffic first, then by name.
    static func precedes(_ left: Self, _ right: Self) -> Bool {
        (-left.traffic.bytes, human(left.name, .text))
            < (-right.traffic.bytes, human(right.name, .text))
    }
}

func usageTable(
    _ users: [Usage], in window: Window, by grouping: Grouping, limit: Int
) -> Table {
    let total = users.reduce(0) { $0 + $1.traffic.bytes }
    var notes: [String] = []
    if users.count > limit { notes.append("Not listed: \(users.count - limit) more.") }
    notes += window.wholeHoursNotes
    return Table(
        title: "Traffic by \(grouping.rawValue)",
        columns: [
            Column(grouping.rawValue, .text, absent: "(not recorded)"),
            Column("sessions", .count), Column("bytes_in", .bytes),
            Column("packets_in", .count), Column("bytes_out", .bytes),
            Column("packets_out", .count), Column("share", .ratio),
        ],
        rows: users.sorted(by: Usage.precedes).prefix(limit).map { user in
            [user.name, .integer(user.sessions)] + user.traffic.data
                + [total > 0 ? .real(user.traffic.bytes / total) : .null]
        },
        notes: notes)
}

/// An hour without ticks has no row, and is a blank in the charts.
func hourTable(_ hours: [Int: TickHour], notes: [String]) -> Table {
    let order = hours.keys.sorted()
    let total = hours.values.reduce(0) { $0 + $1.traffic.bytes }
    return Table(
        title: "Traffic by hour",
        columns: [
            Column("hour", .timestamp), Column("observed", .duration),
            Column("bytes_in", .bytes), Column("packets_in", .count),
            Column("bytes_out", .bytes), Column("packets_out", .count),
            Column("share", .ratio),
        ],
        rows: order.compactMap { index in
            guard let hour = hours[index] else { return nil }
            return [.integer(Int64(index) * Span.hour), .integer(hour.observed)]
                + hour.traffic.data + [total > 0 ? .real(hour.traffic.bytes / total) : .null]
        },
        notes: notes,
        charts: hourCharts(hours))
}

private func hourCharts(_ hours: [Int: TickHour]) -> [Chart] {
    guard let first = hours.keys.min(), let last = hours.keys.max(), last > first,
        last - first < 24 * 3660
    else { return [] }
    let span = (first...last).map { hours[$0]?.traffic }
    return [
        Chart(label: "in", values: span.map { $0.map { Double($0.bytesIn) } }),
        Chart(label: "out", values: span.map { $0.map { Double($0.bytesOut) } }),
    ]
}

extension Traffic {
    /// Both directions.
    var bytes: Double { Double(bytesIn) + Double(bytesOut) }

    /// In the order of the columns.
    var data: [Datum] {
        [Datum(bytesIn), Datum(packetsIn), Datum(bytesOut), Datum(packetsOut)]
    }
}
