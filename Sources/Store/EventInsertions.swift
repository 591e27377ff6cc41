import SQLite
import Vocabulary

/// The commands that write events: for each kind one that writes a row, and others that write
/// several, for which SQLite opens the table and its indexes once.
final class EventInsertions {
    private var statements: [Block: Statement] = [:]

    private struct Block: Hashable {
        let kind: Int
        let rows: Int
    }

    /// Rows that one command writes, from many to one.
    private static let blocks = [16, 4, 1]

    private static let kinds = Dictionary(
        uniqueKeysWithValues: Catalogue.events.enumerated().map { ($1.name, $0) })
    private static let fields = Catalogue.events.map(\.fields.count)

    static func knows(_ event: DisclosedEvent) -> Bool {
        kinds[event.kind].map { fields[$0] == event.values.count } ?? false
    }

    /// Writes each event with the id that is as far from `id` as the event is from the first one.
    /// Kinds that are not in the catalogue are left out.
    func insert(
        _ records: [RecordedEvent], id: Int64, run: Int64, on connection: Connection
    ) throws(SQLiteError) {
        var places = [[Int]](repeating: [], count: Self.fields.count)
        for place in records.indices {
            guard let kind = Self.kinds[records[place].event.kind] else { continue }
            places[kind].append(place)
        }
        for (kind, places) in places.enumerated() {
            var rest = places[...]
            for rows in Self.blocks {
                while rest.count >= rows {
                    let statement = try statement(for: Block(kind: kind, rows: rows), connection)
                    try statement.run { row in
                        for place in rest.prefix(rows) {
                            row.bind(records[place], id: id + Int64(place), run: run)
                        }
                    }
                    rest = rest.dropFirst(rows)
                }
            }
        }
    }

    private func statement(
        for block: Block, _ connection: Connection
    ) throws(SQLiteError) -> Statement {
        if let statement = statements[block] { return statement }
        let table = Tables.event(Catalogue.events[block.kind])
        let statement = try connection.prepare(table.insertion(ofRows: block.rows))
        statements[block] = statement
        return statement
    }

    func forget() { statements.removeAll() }

    /// - Returns: the Child SA that an event ends; nil for any other event.
    static func closedChild(_ event: DisclosedEvent) -> ChildID? {
        guard event.kind == closing, let place = closingChild, place < event.values.count,
            case .integer(let number) = event.values[place]
        else { return nil }
        return ChildID(UInt64(clamping: number))
    }

    private static let closing = ChildSAClosed.schema.name
    private static let closingChild = ChildSAClosed.schema.fields.firstIndex {
        $0.description.name == "child"
    }
}

extension RowBinder {
    fileprivate mutating func bind(_ record: RecordedEvent, id: Int64, run: Int64) {
        bind(id)
        bind(run)
        bind(record.at.nanoseconds)
        bind(record.instant.stored)
        for datum in record.event.values { bind(datum) }
    }

    mutating func bind(_ datum: Datum) {
        switch datum {
        case .null: bindNull()
        case .integer(let number): bind(number)
        case .real(let number): bind(number)
        case .text(let text): bind(text)
        }
    }
}
