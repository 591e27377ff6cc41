package import SQLite
import Vocabulary

/// The tables that read chunks and journal as one. Every connection of ours has them; any other
/// gets them by loading our extension.
package final class SampleTables {
    /// Chunks that could not be read, by their `id`, and rows of the journal as negative numbers.
    /// Everything else was served.
    package private(set) var damaged: Set<Int64> = []
    unowned let connection: Connection
    /// The connection, if nobody else keeps it.
    private let guest: Connection?

    package convenience init(on connection: Connection) throws(SQLiteError) {
        try self.init(connection, guest: nil)
    }

    /// For a connection of somebody else's: the tables and all they need live as long as that.
    package static func register(onGuest connection: Connection) throws(SQLiteError) {
        _ = try SampleTables(connection, guest: connection)
    }

    private init(_ connection: Connection, guest: Connection?) throws(SQLiteError) {
        self.connection = connection
        self.guest = guest
        try connection.register(ChildSamples(self), as: "child_samples")
        try connection.register(TrafficBetween(self), as: "traffic_between")
        try connection.register(UnsummedTraffic(self), as: "traffic_unsummed")
        try connection.register(ImportedSamples(self), as: "imported_samples")
        try SketchFunctions.register(on: connection)
    }

    func disconnected() { guest?.forgetStatements() }

    func noteDamage(_ id: Int64) { damaged.insert(id) }
}

/// One row for each sample of a Child SA: its counters, and what they moved since its sample
/// before (its first: since it was installed).
private final class ChildSamples: VirtualTable {
    private let owner: SampleTables
    let columns = """
        run INTEGER, at_ns INTEGER, session TEXT, child INTEGER, bytes_in INTEGER,
        packets_in INTEGER, bytes_out INTEGER, packets_out INTEGER, bytes_in_step INTEGER,
        packets_in_step INTEGER, bytes_out_step INTEGER, packets_out_step INTEGER, moved INTEGER
        """
    let indexed: Set<Int> = [0, 1, 2, 3, 12]

    init(_ owner: SampleTables) { self.owner = owner }

    func makeCursor() -> any VirtualTableCursor { SampleCursor(owner) }

    func disconnected() { owner.disconnected() }
}

/// Hands on the samples of a scan, one after the other.
private final class SampleCursor: VirtualTableCursor {
    private let owner: SampleTables
    private var scan: SampleScan?
    private var samples = Samples()

    init(_ owner: SampleTables) { self.owner = owner }

    var isAtEnd: Bool { samples.isAtEnd }

    func value(_ column: Int) -> Value { samples.value(column) }

    func start(_ constraints: [Constraint]) throws(SQLiteError) {
        scan = try SampleScan(SampleWindow(constraints), of: owner)
        try refill()
    }

    func advance() throws(SQLiteError) {
        if samples.advance() { try refill() }
    }

    private func refill() throws(SQLiteError) {
        samples.removeAll()
        while samples.isAtEnd, try scan?.next(into: &samples) == true {}
    }
}
