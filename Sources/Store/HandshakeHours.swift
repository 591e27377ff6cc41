package import Encoding
package import SQLite

/// How long handshakes took that succeeded, by the hour in which they ended: `handshake_hours`.
package enum HandshakeHours {
    /// Handshakes that one transaction of the gateway's adds at most.
    private static let atOnce: Int64 = 20_000

    /// Adds those that are not in yet, within a transaction of the caller's.
    ///
    /// - Parameter id: of the last `session_established` that is in.
    /// - Returns: whether there are more.
    static func add(upTo id: inout Int64, _ connection: Connection) throws(SQLiteError) -> Bool {
        let new = try events("id > ?", [.integer(id), .integer(atOnce)], "LIMIT ?", connection)
        for (hour, sketch) in new.sketches.sorted(by: { $0.key < $1.key }) {
            try add(sketch, to: hour, connection)
        }
        guard new.count < atOnce else {
            id = new.last
            return true
        }
        id = max(id, try connection.integer("SELECT max(id) FROM session_established"))
        return false
    }

    private static func add(
        _ sketch: Sketch, to hour: Int64, _ connection: Connection
    ) throws(SQLiteError) {
        var sum = try stored("hour = ?", [.integer(hour)], connection).first?.sketch ?? Sketch()
        sum.merge(sketch)
        let figures = [sum.quantile(0.5), sum.quantile(0.95), sum.quantile(0.99), sum.most]
        try connection.execute(
            Tables.handshakeHours.insertion(orReplace: true),
            [.integer(hour), .integer(sum.count.clamped)]
                + figures.map { .integer($0?.clamped ?? 0) } + [.blob(sum.encoded)])
    }

    /// Those that ended within hours since 1970, by hour, up to now: what is not summed up yet is
    /// read from its events.
    package static func sketches(
        in hours: Range<Int64>, on connection: Connection
    ) throws(SQLiteError) -> [Int64: Sketch] {
        let position = try Ledger.Position(of: connection).establishing
        var sketches = try events("id > ?", [.integer(position)], "", connection).sketches
            .filter { hours.contains($0.key) }
        let bounds: [Value] = [.integer(hours.lowerBound), .integer(hours.upperBound)]
        for (hour, sketch) in try stored("hour >= ? AND hour < ?", bounds, connection) {
            sketches[hour, default: Sketch()].merge(sketch)
        }
        return sketches
    }

    /// Rows that can't be read are as if they were not there.
    private static func stored(
        _ condition: String, _ values: [Value], _ connection: Connection
    ) throws(SQLiteError) -> [(hour: Int64, sketch: Sketch)] {
        try connection.rows(
            "SELECT hour, sketch FROM handshake_hours WHERE \(condition)", values
        ) { row -> (hour: Int64, sketch: Sketch)? in
            guard let hour = row.integer(0), case .blob(let bytes) = row.value(1),
                let sketch = try? Sketch(decoding: bytes)
            else { return nil }
            return (hour, sketch)
        }.compactMap { $0 }
    }

    private static func events(
        _ condition: String, _ values: [Value], _ limit: String, _ connection: Connection
    ) throws(SQLiteError) -> (sketches: [Int64: Sketch], last: Int64, count: Int64) {
        var found = (sketches: [Int64: Sketch](), last: Int64(0), count: Int64(0))
        try connection.prepare(
            """
            SELECT id, at_ns, total_us FROM session_established WHERE \(condition)
             ORDER BY id \(limit)
            """
        ).forEachRow(values) { row in
            found.count += 1
            found.last = row.integer(0) ?? 0
            guard let duration = row.integer(2) else { return }
            let hour = TrafficEntries.hour(row.integer(1) ?? 0)
            found.sketches[hour, default: Sketch()].add(UInt64(clamping: duration))
        }
        return found
    }

    /// Hours whose sketch can't be read, or is not of the handshakes that the events have.
    ///
    /// - Parameter note: is told how many handshakes could not be compared.
    static func problems(
        on connection: Connection, _ note: (String) -> Void
    ) throws(SQLiteError) -> [String] {
        let position = try Ledger.Position(of: connection).establishing
        var expected = try events("id <= ?", [.integer(position)], "", connection).sketches
        let isEveryEventThere = try Writer.isEveryEventThere(on: connection)
        let first = try connection.value(
            "SELECT min(hour) FROM handshake_hours r WHERE NOT \(Holds.holdingHour)")
        var problems: [String] = []
        var left: UInt64 = 0
        try connection.prepare("SELECT hour, handshakes, sketch FROM handshake_hours").forEachRow {
            row in
            let hour = row.integer(0) ?? 0
            let counted = expected.removeValue(forKey: hour) ?? Sketch()
            guard case .blob(let bytes) = row.value(2), let sketch = try? Sketch(decoding: bytes),
                sketch.count.clamped == row.integer(1)
            else {
                problems.append("handshakes of hour \(hour): their sketch is damaged")
                return
            }
            if counted.count < sketch.count, !isEveryEventThere {
                left &+= sketch.count - counted.count
            } else if counted != sketch {
                problems.append(
                    "handshakes of hour \(hour): \(sketch.count) are summed up, and not as the"
                        + " events of \(counted.count) have them")
            }
        }
        // Hours go for their age as events do, but not together.
        for (hour, sketch) in expected.sorted(by: { $0.key < $1.key }) {
            if case .integer(let first) = first, first < hour {
                problems.append("handshakes of hour \(hour): \(sketch.count) are not summed up")
            } else {
                left &+= sketch.count
            }
        }
        if left > 0 { note("\(left) handshakes: not compared, their events or sums were deleted") }
        return problems
    }
}
