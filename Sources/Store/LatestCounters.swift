import SQLite

/// `series_last`: a tick writes only a part of it, so a crash leaves some of its rows behind what
/// the journal has.
enum LatestCounters {
    /// Brings it up to the journal, within a transaction of the caller's. Counters only rise: where
    /// a row of the journal can't be read, what is there stays.
    static func catchUp(_ connection: Connection) throws(SQLiteError) {
        var latest: [Int64: Counters] = [:]
        try Fold.forEachRow(connection) { row in
            guard var reader = row.journalRow?.reader else { return }
            while let entry = reader.next() {
                if let counters = reader.counters(of: entry) { latest[entry.series] = counters }
            }
        }
        guard !latest.isEmpty else { return }
        let update = try connection.prepare(update)
        for (series, counters) in latest.sorted(by: { $0.key < $1.key })
        where counters != Counters() {
            try update.run(integers: counters.row(of: series))
        }
    }

    private static let update: String = {
        let columns = Tables.traffic
        let sets = columns.map { "\($0) = max(\($0), excluded.\($0))" }.joined(separator: ", ")
        let isLess = columns.map { "\($0) < excluded.\($0)" }.joined(separator: " OR ")
        return Tables.seriesLast.insertion()
            + " ON CONFLICT (series) DO UPDATE SET \(sets) WHERE \(isLess)"
    }()
}
