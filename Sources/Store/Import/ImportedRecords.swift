import SQLite
package import Vocabulary

/// When and in which run of its file a record was made.
package struct ImportedTime: Hashable, Sendable {
    package let run: Int64
    /// The wall clock's, nanoseconds since 1970.
    package let at: Int64
    /// The monotonic clock's, nanoseconds.
    package let instant: Int64

    package init(run: Int64, at: Int64, instant: Int64) {
        self.run = run
        self.at = at
        self.instant = instant
    }
}

extension StoreImporter {
    /// An event, after the policy.
    package func take(_ event: DisclosedEvent, _ time: ImportedTime) throws(ImportError) {
        let run = try run(time.run, at: time.at, instant: time.instant)
        guard let insertion = Self.insertions[event.kind] else {
            throw .store(.unknownEvent(kind: event.kind))
        }
        try storing { () throws(SQLiteError) in
            try self.connection.execute(
                insertion,
                [
                    .integer(self.nextEvent), .integer(run), .integer(time.at),
                    .integer(time.instant),
                ] + event.values.map(\.value))
        }
        nextEvent += 1
        runs.note(run, at: time.at, instant: time.instant)
    }

    private static let insertions = Dictionary(
        uniqueKeysWithValues: Catalogue.events.map { ($0.name, Tables.event($0).insertion()) })

    /// The gateway's figures at one moment, by column.
    package func take(tick members: [String: Datum]) throws(ImportError) {
        try take(Tables.ticks, members)
    }

    /// A pool at one moment, by column.
    package func take(pool members: [String: Datum]) throws(ImportError) {
        try take(Tables.poolSamples, members)
    }

    private func take(_ table: Tables.Table, _ members: [String: Datum]) throws(ImportError) {
        var row = try ImportedRow(table, members)
        guard case .integer(let fileRun) = row["run"], case .integer(let at) = row["at_ns"] else {
            throw .refused("field run is missing")
        }
        var instant: Int64 = 0
        if case .integer(let number) = row["mono_ns"] { instant = number }
        let run = try run(fileRun, at: at, instant: instant)
        row["run"] = .integer(run)
        let values = row.values
        try storing { () throws(SQLiteError) in
            try self.connection.execute(table.insertion(orReplace: true), values)
        }
        if table.name == Tables.ticks.name { runs.note(run, at: at, instant: instant) }
    }
}
