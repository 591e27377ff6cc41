import SQLite

/// What sessions carried that `session_traffic` does not have yet, by hour: `traffic_unsummed`.
/// A row for what was sampled, and perhaps another one for a session that was too short for that.
final class UnsummedTraffic: VirtualTable {
    private let owner: SampleTables
    let columns = """
        session TEXT, hour INTEGER, bytes_in INTEGER, packets_in INTEGER, bytes_out INTEGER,
        packets_out INTEGER
        """
    let indexed: Set<Int> = []

    init(_ owner: SampleTables) { self.owner = owner }

    func makeCursor() -> any VirtualTableCursor { UnsummedCursor(owner) }

    func disconnected() { owner.disconnected() }
}

private final class UnsummedCursor: VirtualTableCursor {
    private let owner: SampleTables
    private var rows: [(session: String, hour: Int64, carried: Counters)] = []
    private var place = 0

    init(_ owner: SampleTables) { self.owner = owner }

    var isAtEnd: Bool { place >= rows.count }

    func advance() { place += 1 }

    func start(_ constraints: [Constraint]) throws(SQLiteError) {
        place = 0
        let entries = try Ledger.unsummed(owner.connection) { owner.noteDamage($0) }
        rows = entries.unsampled.map { ($0.session, $0.hour, $0.carried) }
        let name = try owner.connection.prepare(
            "SELECT session FROM sampled_sessions WHERE id = ?")
        for (key, carried) in entries.known.sorted(by: { $0.key < $1.key }) {
            let session = try name.rows([.integer(key.session)]) { $0.text(0) ?? "" }.first
            if let session { rows.append((session, key.hour, carried)) }
        }
    }

    func value(_ column: Int) -> Value {
        guard place < rows.count else { return .null }
        let row = rows[place]
        return switch column {
        case 0: .text(row.session)
        case 1: .integer(row.hour)
        case 2: .integer(row.carried.bytesIn.clamped)
        case 3: .integer(row.carried.packetsIn.clamped)
        case 4: .integer(row.carried.bytesOut.clamped)
        case 5: .integer(row.carried.packetsOut.clamped)
        default: .null
        }
    }
}
