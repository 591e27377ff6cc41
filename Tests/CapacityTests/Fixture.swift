import Foundation
import SQLite
import Store
import Vocabulary

@testable import Capacity

/// A store on disk with rows of our own making, gone with the fixture.
final class Fixture {
    let directory: URL
    let database: Connection
    var path: String { directory.appendingPathComponent("weir.db").path }

    /// 2026-03-02T00:00:00Z, a Monday, in seconds.
    static let monday: Int64 = 1_772_409_600

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("weir-capacity-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false)
        let path = directory.appendingPathComponent("weir.db").path
        let store = try Store(
            path: path, version: "test", at: Timestamp(nanoseconds: 0), bootID: "boot")
        store.close()
        database = try Connection(path: path, mode: .readWrite)
        try database.execute("PRAGMA synchronous = OFF")
        try database.execute("DELETE FROM runs")
    }

    deinit {
        database.close()
        try? FileManager.default.removeItem(at: directory)
    }

    func reports() throws -> Reports { Reports(on: try StoreReader(path: path)) }

    func insert(_ table: String, _ row: KeyValuePairs<String, Value>) throws {
        try insert(table, row.map { ($0.key, $0.value) })
    }

    private func insert(_ table: String, _ row: [(name: String, value: Value)]) throws {
        let names = row.map { "\"\($0.name)\"" }.joined(separator: ", ")
        let marks = row.map { _ in "?" }.joined(separator: ", ")
        try database.execute(
            "INSERT INTO \(table) (\(names)) VALUES (\(marks))", row.map(\.value))
    }

    /// - Parameter at: seconds after ``monday``.
    func run(_ run: Int64, at: Int64) throws {
        try insert(
            "runs",
            [
                "run": .integer(run), "started_ns": ns(at), "boot_id": "boot", "version": "test",
                "last_ns": ns(at), "last_mono_ns": 0, "first_id": 0, "settled": 1,
            ])
    }

    func event(
        _ kind: String, run: Int64 = 1, at: Int64, _ fields: KeyValuePairs<String, Value> = [:]
    ) throws {
        let times: [(String, Value)] = [
            ("run", .integer(run)), ("at_ns", ns(at)), ("mono_ns", ns(at)),
        ]
        try insert(kind, times + fields.map { ($0.key, $0.value) })
    }

    func session(
        _ session: String, identity: String, connection: String = "staff", from: Int64,
        to: Int64?, reason: SessionEnd = .deletedByPeer, bytesIn: Int64 = 0, bytesOut: Int64 = 0
    ) throws {
        try event(
            "session_established", at: from,
            [
                "session": .text(session), "identity": .text(identity),
                "connection": .text(connection), "virtual_address": "vip:1", "method": "psk",
            ])
        guard let to else { return }
        try event(
            "child_sa_closed", at: to,
            [
                "session": .text(session), "child": 1, "reason": "session_closed",
                "bytes_in": .integer(bytesIn), "packets_in": .integer(bytesIn / 100),
                "bytes_out": .integer(bytesOut), "packets_out": .integer(bytesOut / 100),
                "uncertainty_ms": 0,
            ])
        try event(
            "session_closed", at: to,
            [
                "session": .text(session), "reason": .text(reason.rawValue),
                "duration_ms": .integer((to - from) * 1000), "bytes_in": .integer(bytesIn),
                "packets_in": .integer(bytesIn / 100), "bytes_out": .integer(bytesOut),
                "packets_out": .integer(bytesOut / 100), "uncertainty_ms": 0,
            ])
    }

    func tick(
        run: Int64 = 1, at: Int64, sessions: Int64 = 0, limit: Int64 = 0, bytesIn: Int64 = 0,
        bytesOut: Int64 = 0
    ) throws {
        try ticks(
            run: run, from: at, through: at, every: 1, limit: limit,
            sessions: "\(sessions)", bytesIn: "\(bytesIn)", bytesOut: "\(bytesOut)")
    }

    /// Ticks whose values are SQL expressions of `t`, seconds after ``monday``.
    func ticks(
        run: Int64 = 1, from: Int64, through: Int64, every: Int64, limit: Int64,
        sessions: String, bytesIn: String = "0", bytesOut: String = "0"
    ) throws {
        try database.execute(
            """
            WITH RECURSIVE times(t) AS (
                SELECT \(from) UNION ALL
                SELECT t + \(every) FROM times WHERE t + \(every) <= \(through))
            INSERT INTO ticks (run, at_ns, mono_ns, sessions, half_open, child_sas, session_limit,
                bytes_in, packets_in, bytes_out, packets_out, messages_received, messages_sent,
                retransmissions_sent)
            SELECT \(run), (t + \(Self.monday)) * 1000000000, (t + 5000000) * 1000000000,
                \(sessions), 0, 0, \(limit), \(bytesIn), (\(bytesIn)) / 100, \(bytesOut),
                (\(bytesOut)) / 100, 0, 0, 0 FROM times
            """)
    }

    /// A pool sampled with every tick.
    func pool(_ name: String, size: Int64, used: String) throws {
        try database.execute(
            """
            INSERT INTO pool_samples (run, at_ns, pool, size, used)
            SELECT run, at_ns, ?, ?, \(used) FROM ticks
            """, [.text(name), .integer(size)])
    }

    func window(_ since: Int64, _ until: Int64) -> Window {
        Window(since: moment(since), until: moment(until))
    }

    func moment(_ seconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: (seconds + Self.monday) * 1_000_000_000)
    }

    private func ns(_ seconds: Int64) -> Value {
        .integer((seconds + Self.monday) * 1_000_000_000)
    }
}
