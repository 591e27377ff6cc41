import Encoding
import SQLite
package import Vocabulary

/// Samples of Child SAs that wait for the end of their batch: a chunk for each, or several.
struct ImportedChildren {
    private struct Group {
        let known: Known
        let session: String
        let child: Int64
        var base: Counters?
        var latest: Counters
        var times: [Int64] = []
        var values: [UInt64] = []
    }

    /// What the store has of a Child SA before the batch.
    struct Known {
        let series: Int64
        /// Its session in `sampled_sessions`.
        let owner: Int64
        /// Its latest sample.
        var last: Counters?
        /// The hour in which it ended, if what it carried after its last sample is summed up.
        var settled: Int64?
    }

    private var groups: [Group] = []
    private var places: [Series: Int] = [:]
    private var traffic = TrafficEntries()
    private var range = FoldRange()
    private(set) var count = 0

    func isKnown(_ series: Series) -> Bool { places[series] != nil }

    /// - Parameter base: the counters before the group's first sample; nil if it begins.
    mutating func begin(_ series: Series, _ known: Known, base: Counters?) {
        places[series] = groups.count
        groups.append(
            Group(
                known: known, session: series.session, child: series.child, base: base,
                latest: base ?? Counters()))
    }

    /// - Parameter before: where the counters were, if that is told. If that is not where they are
    ///   known to be, a sample between is not in the file, and another chunk begins.
    mutating func add(
        _ counters: Counters, after before: Counters?, at: Int64, of series: Series,
        _ connection: Connection
    ) throws(SQLiteError) {
        guard let place = places[series] else { return }
        if let before, before != groups[place].latest {
            try write(place, connection)
            groups[place].base = before
        }
        groups[place].times.append(at)
        counters.append(to: &groups[place].values)
        groups[place].latest = counters
        count += 1
        if groups[place].times.count >= Fold.rows { try write(place, connection) }
    }

    private mutating func write(_ place: Int, _ connection: Connection) throws(SQLiteError) {
        let group = groups[place]
        guard !group.times.isEmpty else { return }
        let chunk = Chunk(
            base: group.base?.values, columns: Counters.count, times: group.times,
            values: group.values)
        try range.add(chunk, of: group.known.series, connection)
        traffic.add(chunk, session: group.known.owner)
        count -= group.times.count
        groups[place].base = group.latest
        groups[place].times = []
        groups[place].values = []
    }

    /// Within a transaction of the caller's.
    mutating func flush(_ connection: Connection) throws(SQLiteError) {
        for place in groups.indices {
            try write(place, connection)
            let group = groups[place]
            if let hour = group.known.settled {
                // That much less was carried after its last sample.
                let less = (group.known.last ?? Counters()).step(from: group.latest)
                traffic.add(less, hour: hour, session: group.known.owner)
            }
            let isClosed = try connection.integer(
                "SELECT EXISTS (SELECT 1 FROM child_sa_closed WHERE session = ? AND child = ?)",
                [.text(group.session), .integer(group.child)])
            if isClosed != 0 {
                // What an earlier file left there is not the end of it.
                try connection.execute(
                    "DELETE FROM series_last WHERE series = ?", [.integer(group.known.series)])
                continue
            }
            guard group.latest != Counters() else { continue }
            try connection.prepare(Tables.seriesLast.insertion(orReplace: true))
                .run(integers: group.latest.row(of: group.known.series))
        }
        try range.insert(connection)
        try traffic.store(connection)
        self = Self()
    }
}

extension StoreImporter {
    /// Counters of a Child SA at one moment, in the columns of `child_samples`. Without the columns
    /// of steps, its first sample is what it carried since it was installed.
    package func take(childSample members: [String: Datum]) throws(ImportError) {
        let sample = try ChildSampleRow(members)
        let run = try run(sample.run, at: sample.at, instant: 0)
        let series = Series(run: run, child: sample.child, session: sample.session)
        try storing { () throws(SQLiteError) in
            if !self.children.isKnown(series) { try self.begin(series, with: sample) }
            try self.children.add(
                sample.counters, after: sample.hasSteps ? sample.base ?? Counters() : nil,
                at: sample.at, of: series, self.connection)
        }
    }

    private func begin(_ series: Series, with sample: ChildSampleRow) throws(SQLiteError) {
        let known = try connection.value(
            """
            SELECT s.id FROM series s JOIN sampled_sessions n ON n.id = s.session
             WHERE s.run = ? AND s.child = ? AND n.session = ?
            """, [.integer(series.run), .integer(series.child), .text(series.session)])
        var base = sample.base
        var id = nextSeries
        var last: Counters?
        if case .integer(let number) = known {
            id = number
            last = try Series.lastInChunks(id, of: connection)
            if !sample.hasSteps { base = last }
            base = base ?? Counters()
        } else {
            try Series.insert(
                id, run: series.run, child: series.child, session: series.session, on: connection)
            nextSeries += 1
        }
        let owner = try connection.integer(
            "SELECT session FROM series WHERE id = ?", [.integer(id)])
        let settled = try settledHour(of: series)
        children.begin(
            series,
            ImportedChildren.Known(series: id, owner: owner, last: last, settled: settled),
            base: base)
    }

    private func settledHour(of series: Series) throws(SQLiteError) -> Int64? {
        try connection.rows(
            """
            SELECT at_ns FROM child_sa_closed
             WHERE id <= (SELECT closing FROM summed)
               AND id = (SELECT min(id) FROM child_sa_closed WHERE session = ? AND child = ?)
            """, [.text(series.session), .integer(series.child)]
        ) { TrafficEntries.hour($0.integer(0) ?? 0) }.first
    }
}

/// A row of `child_samples` as somebody else wrote it.
private struct ChildSampleRow {
    let run: Int64
    let at: Int64
    let session: String
    let child: Int64
    let counters: Counters
    let hasSteps: Bool
    /// Before this sample; nil if that was zero.
    let base: Counters?

    private static let required = ["run", "at_ns", "child"] + Tables.traffic
    private static let steps = Tables.traffic.map { $0 + "_step" }

    init(_ members: [String: Datum]) throws(ImportError) {
        for name in members.keys.sorted()
        where !(Self.required + Self.steps + ["session", "moved"]).contains(name) {
            throw .refused("there is no field \(escaped(Array(name.utf8.prefix(64))))")
        }
        guard case .text(let session)? = members["session"], SessionID.isWellFormed(session) else {
            throw .refused("field session is no session id such as \(SessionID.example)")
        }
        var numbers: [String: Int64] = [:]
        for name in Self.required {
            guard case .integer(let number)? = members[name] else {
                throw .refused("field \(name) is no integer")
            }
            guard number >= 0 || name == "run" else { throw .refused("field \(name) is negative") }
            numbers[name] = number
        }
        self.session = session
        run = numbers["run"] ?? 0
        at = numbers["at_ns"] ?? 0
        child = numbers["child"] ?? 0
        counters = Self.counters(Tables.traffic.map { numbers[$0] ?? 0 })

        var steps: [Int64] = []
        for name in Self.steps {
            switch members[name] {
            case .integer(let number)?: steps.append(number)
            case nil, .null?: break
            default: throw .refused("field \(name) is no integer")
            }
        }
        guard steps.isEmpty || steps.count == Self.steps.count else {
            throw .refused("some fields *_step are missing; give all four, or none")
        }
        hasSteps = !steps.isEmpty
        let before = hasSteps ? counters.step(from: Self.counters(steps)) : Counters()
        base = before == Counters() ? nil : before
    }

    /// - Parameter values: in the order of ``Tables/traffic``.
    private static func counters(_ values: [Int64]) -> Counters {
        func value(_ place: Int) -> UInt64 {
            values.indices.contains(place) ? UInt64(bitPattern: values[place]) : 0
        }
        return Counters(
            packetsIn: value(1), bytesIn: value(0), packetsOut: value(3), bytesOut: value(2))
    }
}
