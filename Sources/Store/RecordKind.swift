package import SQLite
import Vocabulary

/// A kind of record that leaves the store as rows of the same columns.
package struct RecordKind: Sendable {
    package let name: String
    /// The columns of a row, in their order.
    package let columns: [String]
    /// False if the records are of the gateway, not of one session.
    package let hasSession: Bool
    /// It has an `id`, in whose order records of all such kinds were made.
    package let isEvent: Bool
    private let table: String
    private let since: String
    private let until: String
    private let order: String

    private init(
        _ name: String, _ columns: [String], of table: String, hasSession: Bool = false,
        isEvent: Bool = false, since: String = "at_ns", until: String = "at_ns", order: String = ""
    ) {
        self.name = name
        self.columns = columns
        self.table = table
        self.hasSession = hasSession
        self.isEvent = isEvent
        self.since = since
        self.until = until
        self.order = order
    }

    /// Those that a store is made of: with all of them, in this order, it can be made again.
    package static let all: [RecordKind] =
        [run] + Catalogue.events.map(event) + [tick, poolSample, childSample]

    /// A value of an imported time series.
    package static let importedSample = RecordKind(
        "imported_sample",
        ["metric", "labels", "at_ns", "value", "step", "restart", "gap", "type"],
        of: "imported_samples")

    private static let run = RecordKind(
        "run", Tables.runs.columns.map(\.name).filter { $0 != "first_id" }, of: Tables.runs.name,
        since: "last_ns", until: "started_ns", order: "run")

    private static func event(_ kind: EventKind) -> RecordKind {
        RecordKind(
            kind.name, ["run", "at_ns", "mono_ns"] + kind.fields.map(\.name), of: kind.name,
            hasSession: kind.hasSession, isEvent: true, order: "id")
    }

    private static let tick = RecordKind(
        "tick", Tables.ticks.columns.map(\.name), of: Tables.ticks.name, order: "at_ns, run")

    private static let poolSample = RecordKind(
        "pool_sample", Tables.poolSamples.columns.map(\.name), of: Tables.poolSamples.name,
        order: "at_ns, run, pool")

    /// As ``SampleTables`` has them, without what follows from the rest. Chunk by chunk: the
    /// samples of one Child SA in their order, and time goes on as a whole.
    private static let childSample = RecordKind(
        "child_sample",
        ["run", "at_ns", "session", "child"] + Tables.traffic + Tables.traffic.map { $0 + "_step" },
        of: "child_samples", hasSession: true)

    /// Selects `id`, or 0, and then ``columns``.
    ///
    /// - Parameters:
    ///   - times: nanoseconds since 1970.
    ///   - session: its id; only for kinds that have one.
    package func query(
        times: Range<Int64>?, session: String?
    ) -> (sql: String, values: [Value]) {
        var conditions: [String] = []
        var values: [Value] = []
        if let times {
            conditions += ["\(since) >= ?", "\(until) < ?"]
            values += [.integer(times.lowerBound), .integer(times.upperBound)]
        }
        if let session, hasSession {
            conditions.append("session = ?")
            values.append(.text(session))
        }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let sorting = order.isEmpty ? "" : " ORDER BY \(order)"
        return (
            "SELECT \(isEvent ? "id" : "0"), \(columns.map(quoted).joined(separator: ", "))"
                + " FROM \(quoted(table))\(filter)\(sorting)", values
        )
    }
}
