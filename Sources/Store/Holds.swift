import SQLite
package import Vocabulary

/// Legal holds: what one covers is never deleted for its age, until it is released. The gateway
/// records both as events, at its next tick.
package enum Holds {
    /// What is to be held.
    package enum Scope: Hashable, Sendable {
        /// Everything of the time.
        case time
        /// What belongs to one session, by its id.
        case session(String)
        /// What belongs to one user and the user's sessions; as the store holds identities.
        case identity(String)
    }

    /// More of them at once would make each look for old rows slow.
    static let limit: Int64 = 1_000

    /// Places a hold. The gateway may be running.
    ///
    /// - Parameters:
    ///   - since: nil: from the beginning.
    ///   - until: excluded; nil: for ever.
    ///   - reason: for people.
    /// - Returns: its number.
    package static func place(
        path: String, _ scope: Scope, since: Timestamp?, until: Timestamp?, reason: String,
        at now: Timestamp
    ) throws(StoreError) -> Int64 {
        try write(path) { (connection: Connection, path: String) throws(StoreError) in
            let active = try reporting(path) { () throws(SQLiteError) in
                try connection.integer("SELECT count(*) FROM holds WHERE released_ns IS NULL")
            }
            guard active < limit else { throw .tooManyHolds(path: path, limit: limit) }
            var (session, identity) = (Value.null, Value.null)
            switch scope {
            case .time: break
            case .session(let id): session = .text(id)
            case .identity(let name): identity = .text(name)
            }
            return try reporting(path) { () throws(SQLiteError) in
                try connection.insert(
                    Tables.holds.insertion(),
                    [
                        .null, .integer(now.nanoseconds), .null, session, identity,
                        since.map { .integer($0.nanoseconds) } ?? .null,
                        until.map { .integer($0.nanoseconds) } ?? .null, .text(reason), 0,
                    ])
            }
        }
    }

    /// Releases a hold. The gateway may be running.
    ///
    /// - Throws: ``StoreError/noSuchHold(path:number:)``.
    package static func release(
        path: String, number: Int64, at now: Timestamp
    ) throws(StoreError) {
        try write(path) { (connection: Connection, path: String) throws(StoreError) in
            let changed = try reporting(path) { () throws(SQLiteError) in
                try connection.execute(
                    "UPDATE holds SET released_ns = ? WHERE id = ? AND released_ns IS NULL",
                    [.integer(now.nanoseconds), .integer(number)])
                return connection.changes
            }
            guard changed == 1 else { throw .noSuchHold(path: path, number: number) }
        }
    }

    /// A gateway that runs has brought the file up to date. Where none runs, we do.
    private static func write<Result>(
        _ path: String, _ body: (Connection, String) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let path = try StoreFile.resolve(path)
        guard StoreFile.exists(path) else { throw .missing(path: path) }
        try StoreFile.checkPermissions(path)
        let lock = try? WriterLock(for: path)
        defer { lock?.release() }
        let connection = try reporting(path) { () throws(SQLiteError) in
            try Connection(path: path, mode: .readWrite)
        }
        defer { connection.close() }
        guard try Format.state(of: connection, path: path) == .ours else {
            throw .notAStore(path: path)
        }
        if lock != nil {
            try reporting(path) { () throws(SQLiteError) in
                // Views of ours need these tables to be made.
                let samples = try SampleTables(on: connection)
                try Format.upgrade(connection)
                withExtendedLifetime(samples) {}
            }
        }
        return try body(connection, path)
    }

    // MARK: - SQL

    private static func active(_ times: String, _ owners: [String]) -> String {
        let scope = ["h.session IS NULL AND h.identity IS NULL"] + owners
        return """
            EXISTS (SELECT 1 FROM holds h WHERE h.released_ns IS NULL AND \(times)
               AND (\(scope.joined(separator: " OR "))))
            """
    }

    private static func owned(by session: String) -> [String] {
        [
            "h.session = \(session)",
            """
            h.identity IS NOT NULL AND EXISTS (SELECT 1 FROM session_established o
                WHERE o.session = \(session) AND o.identity = h.identity)
            """,
        ]
    }

    private static func overlaps(_ start: String, _ end: String) -> String {
        "(h.since_ns IS NULL OR h.since_ns < \(end)) AND (h.until_ns IS NULL OR h.until_ns > \(start))"
    }

    /// Whether the event `e` of this kind is held.
    static func holding(_ kind: EventKind) -> String {
        var owners = kind.hasSession ? owned(by: "e.session") : []
        if kind.fields.contains(where: { $0.name == "identity" }) {
            owners.append("h.identity = e.identity")
        }
        return active(
            "(h.since_ns IS NULL OR e.at_ns >= h.since_ns)"
                + " AND (h.until_ns IS NULL OR e.at_ns < h.until_ns)", owners)
    }

    /// Whether a chunk of the session `n` and of the fold `f` is held.
    static let holdingChunk = active(
        overlaps("f.first_s * 1000000000", "(f.last_s + 1) * 1000000000"), owned(by: "n.session"))

    /// Whether what the session `n` carried in the hour of `t` is held.
    static let holdingTraffic = active(
        overlaps("t.hour * \(MinuteFold.hour)", "(t.hour + 1) * \(MinuteFold.hour)"),
        owned(by: "n.session"))

    /// Whether the session that the event `e` began, if there is one, and `c` ended is held.
    static let holdingSession = active(
        overlaps("coalesce(e.at_ns, c.at_ns)", "c.at_ns + 1"), owned(by: "c.session"))

    /// Whether figures of the hour `r` are held.
    static let holdingHour = active(
        overlaps("r.hour * \(MinuteFold.hour)", "(r.hour + 1) * \(MinuteFold.hour)"), [])

    // MARK: - Their record

    /// What is to be recorded of holds that were placed or released since; and what then is true.
    static func unrecorded(
        on connection: Connection
    ) throws(SQLiteError) -> [(id: Int64, recorded: Int64, event: DisclosedEvent)] {
        try connection.rows(
            """
            SELECT id, session IS NOT NULL, identity IS NOT NULL, recorded FROM holds
             WHERE recorded = 0 OR (recorded = 1 AND released_ns IS NOT NULL) ORDER BY id LIMIT 100
            """
        ) { row in
            let id = row.integer(0) ?? 0
            let number = UInt64(clamping: id)
            let policy = Disclosure(pseudonymiser: NothingPersonal())
            guard row.integer(3) == 0 else {
                return (id, 2, HoldReleased(hold: number).disclosed(under: policy))
            }
            let scope: HoldScope =
                row.integer(1) == 1 ? .session : row.integer(2) == 1 ? .identity : .time
            return (id, 1, HoldPlaced(hold: number, scope: scope).disclosed(under: policy))
        }
    }
}

/// These events have no personal value.
private struct NothingPersonal: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String { "" }
}
