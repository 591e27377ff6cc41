import SQLite
package import Vocabulary

/// The writer of one store: a SQLite file in WAL mode, with this as its only writer.
///
/// Use it from one thread, the recorder's; ``sizeBytes`` and ``logBytes`` may be read from any. It is unchecked
/// `Sendable` so that it can be made on one thread and handed over to that one.
package final class Store: @unchecked Sendable {
    /// Without symbolic links.
    package let path: String
    /// The number of this run; the first is 1.
    package let run: Int64
    /// What earlier runs left open, as it was before this run began.
    package let unfinished: Unfinished

    /// How often what is too old could not be deleted, and why the last time.
    package private(set) var retentionFailures: (count: UInt64, latest: StoreError?) = (0, nil)

    let connection: Connection
    private let logLimit: LogLimit
    private let samples: SampleTables
    private let lock: WriterLock
    private var writer: Writer
    private var sweeper: Sweeper

    /// Bytes of the write-ahead log for who was not told otherwise.
    package static let standardLogLimit: UInt64 = 1 << 30

    /// Opens a store, or makes one that only its owner can read. Begins a new run.
    ///
    /// - Parameters:
    ///   - version: Weir's.
    ///   - at: now, by the wall clock.
    ///   - bootID: tells which monotonic clock the run's instants are of.
    ///   - retention: how long things are kept.
    ///   - logLimit: bytes of the write-ahead log from which on nothing is recorded, while a reader
    ///     keeps it from being folded into the database.
    /// - Throws: ``StoreError`` if the file is missing its directory, not usable, not ours, newer
    ///   than we are, or another writer's. The file is then as it was.
    package init(
        path: String, version: String, at: Timestamp, bootID: String,
        retention: Retention = Retention(), logLimit: UInt64 = Store.standardLogLimit
    ) throws(StoreError) {
        sweeper = Sweeper(retention)
        let path = try StoreFile.resolve(path)
        self.logLimit = LogLimit(path: path, bytes: logLimit)
        try StoreFile.create(path)
        try StoreFile.checkPermissions(path)
        let lock = try WriterLock(for: path)
        let connection = try reporting(path) { () throws(SQLiteError) in
            try Connection(
                path: path, mode: .readWrite, busyTimeoutMilliseconds: Self.patience)
        }
        _ = try Format.state(of: connection, path: path)
        samples = try reporting(path) { () throws(SQLiteError) in
            try SampleTables(on: connection)
        }

        (unfinished, run) = try reporting(path) { () throws(SQLiteError) in
            try Self.configure(connection)
            try Format.upgrade(connection)
            return try Self.begin(version: version, at: at, bootID: bootID, on: connection)
        }
        writer = try reporting(path) { [run] () throws(SQLiteError) in
            try Writer(run: run, on: connection)
        }
        self.path = path
        self.lock = lock
        self.connection = connection
    }

    /// Records some events, in their order, and then some ticks: all of them or, if it throws,
    /// none. What is recorded survives a power failure.
    ///
    /// - Throws: ``StoreError/full(path:)`` and ``StoreError/logPinned(path:limit:readers:)`` among
    ///   others; the same batch may be tried again.
    package func append(
        events: [RecordedEvent], ticks: [RecordedTick]
    ) throws(StoreError) {
        guard !events.isEmpty || !ticks.isEmpty else { return }
        if let stranger = events.first(where: { !writer.knows($0.event) }) {
            throw .unknownEvent(kind: stranger.event.kind)
        }
        try logLimit.check(connection)
        try reporting(path) { () throws(SQLiteError) in
            // A copy, so that a batch that failed leaves no trace in memory either.
            var next = writer
            try connection.transaction { () throws(SQLiteError) in
                try next.append(events: events, ticks: ticks, on: connection)
            }
            writer = next
        }
        guard let tick = ticks.last else { return }
        // The batch is recorded, whatever comes of this. What fails is tried again at the next tick.
        do throws(SQLiteError) {
            try recordHolds(at: tick)
            try sumTraffic(after: tick)
            try sweeper.sweep(
                after: tick, on: connection, isBehind: writer.isBehind
            ) { [writer] in writer.isLive($0) }
        } catch {
            retentionFailures.count += 1
            retentionFailures.latest = StoreError(error, path: path)
        }
    }

    private func sumTraffic(after tick: RecordedTick) throws(SQLiteError) {
        guard writer.isToSum(after: tick) else { return }
        var next = writer
        try connection.transaction { () throws(SQLiteError) in
            try next.sumTraffic(after: tick, on: connection)
        }
        writer = next
    }

    /// Holds come from other processes; that they were placed or released is recorded here.
    private func recordHolds(at tick: RecordedTick) throws(SQLiteError) {
        let news = try Holds.unrecorded(on: connection)
        guard !news.isEmpty else { return }
        var next = writer
        let events = news.map { RecordedEvent(at: tick.at, instant: tick.instant, event: $0.event) }
        try connection.transaction { () throws(SQLiteError) in
            try next.append(events: events, ticks: [], on: connection)
            for hold in news {
                try connection.execute(
                    "UPDATE holds SET recorded = ? WHERE id = ?",
                    [.integer(hold.recorded), .integer(hold.id)])
            }
        }
        writer = next
    }

    /// Turns what is in the journal into chunks now, as otherwise happens every two hours.
    package func fold() throws(StoreError) {
        try reporting(path) { () throws(SQLiteError) in
            var next = writer
            try connection.transaction { () throws(SQLiteError) in
                try next.fold(on: connection)
            }
            writer = next
        }
    }

    /// Bytes on disk: the database and its write-ahead log.
    package var sizeBytes: UInt64 { StoreFile.size(path) + logBytes }

    /// Of that, the write-ahead log. It is 16 MiB or less most of the time, and 64 MiB only where a reader
    /// holds one question open and so keeps it from being folded into the database.
    package var logBytes: UInt64 { LogLimit.size(path) }

    /// Gives free space back, folds the write-ahead log into the database, closes it and lets the
    /// next writer in. Nothing recorded is lost if this is never called.
    package func close() {
        // The next writer does it, if this can't.
        if logLimit.hasRoom {
            try? connection.transaction { () throws(SQLiteError) in
                try writer.storeLatest(on: connection)
                try writer.sumTraffic(after: nil, on: connection)
            }
            _ = try? connection.execute("PRAGMA incremental_vacuum(\(Self.freedAtClose))")
        }
        writer.forgetStatements()
        // A reader may hold the log; then the next writer folds it.
        _ = try? connection.value("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        lock.release()
    }

    /// Milliseconds that a batch waits for somebody else's lock before it fails: facts of that time
    /// wait in memory, and it can be tried again.
    private static let patience: Int32 = 1_000
    /// Pages of 4 kB.
    private static let freedAtClose = 4_096

    private static let cacheKilobytes = 8_192
    /// Of the write-ahead log.
    private static let logPages = 4_096

    static func configure(_ connection: Connection) throws(SQLiteError) {
        // Counts for a file that is still empty; any other has what it was made with.
        _ = try connection.value("PRAGMA auto_vacuum = INCREMENTAL")
        _ = try connection.value("PRAGMA journal_mode = WAL")
        try connection.execute("PRAGMA synchronous = FULL")
        // Room for a batch of a tenth of a second, so that none of its pages is written twice.
        _ = try connection.value("PRAGMA cache_size = -\(cacheKilobytes)")
        // Pages that every tick writes are folded into the database once in hundreds of ticks.
        _ = try connection.value("PRAGMA wal_autocheckpoint = \(logPages)")
        // After a long reader has let the log grow, it shrinks to this again.
        _ = try connection.value("PRAGMA journal_size_limit = \(logPages * 4_096)")
    }

    private static func begin(
        version: String, at: Timestamp, bootID: String, on connection: Connection
    ) throws(SQLiteError) -> (Unfinished, run: Int64) {
        try connection.transaction { () throws(SQLiteError) in
            try LatestCounters.catchUp(connection)
            let unfinished = try Unfinished(of: connection)
            try connection.execute("UPDATE runs SET settled = 1 WHERE settled = 0")
            for run in unfinished.runs {
                try connection.execute("UPDATE runs SET settled = 0 WHERE run = ?", [.integer(run)])
            }
            let run = try connection.integer("SELECT coalesce(max(run), 0) + 1 FROM runs")
            let first = try Writer.nextID(on: connection)
            try connection.execute(
                Tables.runs.insertion(),
                [
                    .integer(run), .integer(at.nanoseconds), .text(bootID), .text(version),
                    .integer(at.nanoseconds), 0, .integer(first), 0,
                ])
            return (unfinished, run)
        }
    }
}
