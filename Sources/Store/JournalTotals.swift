import SQLite

/// Adds up what each group moved in rows of the journal, which it takes in their order.
struct JournalTotals {
    private struct Group {
        let series: Int64
        var latest: Counters
        var total = Counters()
    }

    /// By ascending series.
    private var groups: [Group] = []
    /// A row could not be read: where a group was before it is unknown.
    private var isBroken = false

    /// A row that can't be read.
    mutating func noteDamage() { isBroken = true }

    /// - Parameter counts: false if only where the groups are is of interest.
    mutating func add(
        _ row: StoredRow, counts: Bool, on connection: Connection
    ) throws(SQLiteError) {
        let counts = counts && row.kind == .tick
        var reader = row.reader
        var place = 0
        while let entry = reader.next() {
            guard let counters = reader.counters(of: entry) else { continue }
            while place < groups.count, groups[place].series < entry.series { place += 1 }
            if place == groups.count || groups[place].series != entry.series {
                let before =
                    isBroken ? try Series.lastInChunks(entry.series, of: connection) : nil
                groups.insert(Group(series: entry.series, latest: before ?? Counters()), at: place)
            }
            if counts { groups[place].total.add(counters.step(from: groups[place].latest)) }
            groups[place].latest = counters
        }
    }

    /// What each group moved since this was last asked; those that did, by ascending series.
    mutating func take() -> [(series: Int64, total: Counters)] {
        var moved: [(series: Int64, total: Counters)] = []
        for place in groups.indices where groups[place].total != Counters() {
            moved.append((groups[place].series, groups[place].total))
            groups[place].total = Counters()
        }
        return moved
    }
}
