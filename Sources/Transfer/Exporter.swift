import Interchange
import SQLite
package import Store
import Vocabulary

/// What is wanted of a store.
package struct ExportSelection: Hashable, Sendable {
    /// Nanoseconds since 1970; nil is all.
    package var times: Range<Int64>?
    /// Names of kinds; nil is all.
    package var kinds: Set<String>?
    /// Only what belongs to this session.
    package var session: String?

    package init(
        times: Range<Int64>? = nil, kinds: Set<String>? = nil, session: String? = nil
    ) {
        self.times = times
        self.kinds = kinds
        self.session = session
    }

    func wants(_ name: String) -> Bool { kinds?.contains(name) ?? true }

    func wants(_ kind: RecordKind) -> Bool {
        wants(kind.name) && (session == nil || kind.hasSession || kind.name == "run")
    }
}

/// Writes what a store holds, piece by piece, all of one moment.
package final class Exporter {
    /// The version of the NDJSON that this writes.
    package static let format: Int64 = 1

    let reader: StoreReader
    let selection: ExportSelection
    var writer = TextWriter()
    private let sink: ([UInt8]) throws(TransferError) -> Void
    /// Lines so far.
    package private(set) var lines: Int64 = 0
    /// Samples that OpenMetrics has no place for: at or before the time of the one before them,
    /// because the clock stepped back.
    package internal(set) var leftOut: Int64 = 0

    /// - Parameter sink: takes the next piece of the output.
    package init(
        _ reader: StoreReader, _ selection: ExportSelection = ExportSelection(),
        to sink: @escaping ([UInt8]) throws(TransferError) -> Void
    ) {
        self.reader = reader
        self.selection = selection
        self.sink = sink
    }

    /// All records as flat JSON objects, one to a line, after a line that says what they are.
    package func exportNDJSON(version: String) throws(TransferError) {
        try inOneMoment { () throws(TransferError) in
            self.writer.object([
                ("kind", .text("weir_export")), ("format", .integer(Self.format)),
                ("version", .text(version)),
            ])
            let kinds = RecordKind.all.filter(self.selection.wants)
            try self.rows(of: kinds.filter { $0.name == "run" })
            try self.rows(of: kinds.filter(\.isEvent))
            for kind in kinds where !kind.isEvent && kind.name != "run" {
                try self.rows(of: [kind])
            }
            if self.selection.kinds?.contains(RecordKind.importedSample.name) == true {
                try self.rows(of: [RecordKind.importedSample])
            }
        }
    }

    /// One kind of record as RFC 4180 has it, with a header.
    package func exportCSV(_ kind: RecordKind) throws(TransferError) {
        try inOneMoment { () throws(TransferError) in
            self.writer.record(kind.columns.map { .text($0) })
            let cursor = try self.cursor(of: kind)
            while let row = try cursor.next() {
                self.writer.record(row.values)
                try self.endLine()
            }
        }
    }

    /// Records of some kinds, by their ids.
    private func rows(of kinds: [RecordKind]) throws(TransferError) {
        var cursors: [(kind: RecordKind, cursor: RecordCursor, row: RecordCursor.Record)] = []
        for kind in kinds {
            let cursor = try cursor(of: kind)
            if let row = try cursor.next() { cursors.append((kind, cursor, row)) }
        }
        while let place = cursors.indices.min(by: { cursors[$0].row.id < cursors[$1].row.id }) {
            let (kind, cursor, row) = cursors[place]
            writer.object(
                [("kind", .text(kind.name))]
                    + zip(kind.columns, row.values).map { (Member.name(of: $0), $1) })
            try endLine()
            if let next = try cursor.next() {
                cursors[place].row = next
            } else {
                cursors.remove(at: place)
            }
        }
    }

    private func cursor(of kind: RecordKind) throws(TransferError) -> RecordCursor {
        let (sql, values) = kind.query(times: selection.times, session: selection.session)
        return try asking { () throws(SQLiteError) in
            RecordCursor(try self.reader.connection.prepare(sql), values, path: self.reader.path)
        }
    }

    func endLine() throws(TransferError) {
        lines += 1
        if writer.bytes.count >= 65_536 { try sink(writer.take()) }
    }

    /// Everything that `body` reads is of the same moment, whatever is recorded meanwhile.
    func inOneMoment(_ body: () throws(TransferError) -> Void) throws(TransferError) {
        try asking { () throws(SQLiteError) in try self.reader.connection.execute("BEGIN") }
        defer { _ = try? reader.connection.execute("COMMIT") }
        try body()
        try sink(writer.take())
    }

    func asking<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(TransferError) -> Result {
        do throws(SQLiteError) { return try body() } catch {
            throw .store(.database(path: reader.path, error))
        }
    }
}

/// Reads records one after the other.
final class RecordCursor {
    struct Record {
        let id: Int64
        let values: [Datum]
    }

    private let statement: Statement
    private let values: [Value]
    private let path: String
    private var hasStarted = false

    init(_ statement: Statement, _ values: [Value], path: String) {
        self.statement = statement
        self.values = values
        self.path = path
    }

    deinit { statement.reset() }

    func next() throws(TransferError) -> Record? {
        do throws(SQLiteError) {
            if !hasStarted { try statement.start(values) }
            hasStarted = true
            guard let row = try statement.next() else { return nil }
            let all = row.values
            guard case .integer(let id)? = all.first else { return nil }
            return Record(id: id, values: all.dropFirst().map { Datum($0) })
        } catch {
            throw .store(.database(path: path, error))
        }
    }
}
