import SQLite
import Vocabulary

/// The commands that write events, one for each kind.
final class EventInsertions {
    private var statements: [String: Statement] = [:]

    private struct Kind: Sendable {
        let insertion: String
        let fields: Int
    }

    private static let kinds = Dictionary(
        uniqueKeysWithValues: Catalogue.events.map {
            ($0.name, Kind(insertion: Tables.event($0).insertion(), fields: $0.fields.count))
        })

    static func knows(_ event: DisclosedEvent) -> Bool {
        kinds[event.kind]?.fields == event.values.count
    }

    /// - Returns: nil for a kind that is not in the catalogue.
    func statement(
        for kind: String, on connection: Connection
    ) throws(SQLiteError) -> Statement? {
        if let statement = statements[kind] { return statement }
        guard let insertion = Self.kinds[kind]?.insertion else { return nil }
        let statement = try connection.prepare(insertion)
        statements[kind] = statement
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
    mutating func bind(_ datum: Datum) {
        switch datum {
        case .null: bindNull()
        case .integer(let number): bind(number)
        case .real(let number): bind(number)
        case .text(let text): bind(text)
        }
    }
}
