import CSQLite

/// A table that a program computes. It needs no `CREATE`: a connection that it was registered on
/// has it.
package protocol VirtualTable: AnyObject {
    /// Columns as in `CREATE TABLE`, without the parentheses.
    var columns: String { get }
    /// Columns that a scan can be narrowed by.
    var indexed: Set<Int> { get }
    func makeCursor() -> any VirtualTableCursor
    /// The connection forgets the table, because it closes. Statements of its own must go.
    func disconnected()
}

/// A reading of a ``VirtualTable``.
package protocol VirtualTableCursor: AnyObject {
    /// Stands on the first row that `constraints` allow. More rows than that may come: SQLite
    /// looks at each again.
    func start(_ constraints: [Constraint]) throws(SQLiteError)
    var isAtEnd: Bool { get }
    func advance() throws(SQLiteError)
    func value(_ column: Int) -> Value
}

/// What a question says of one column.
package struct Constraint: Hashable, Sendable {
    package enum Relation: UInt8, Sendable {
        case equal = 0x3d
        case greater = 0x3e
        case less = 0x3c
        case atLeast = 0x67
        case atMost = 0x6c

        init?(_ code: UInt8) {
            switch Int32(code) {
            case SQLITE_INDEX_CONSTRAINT_EQ: self = .equal
            case SQLITE_INDEX_CONSTRAINT_GT: self = .greater
            case SQLITE_INDEX_CONSTRAINT_LT: self = .less
            case SQLITE_INDEX_CONSTRAINT_GE: self = .atLeast
            case SQLITE_INDEX_CONSTRAINT_LE: self = .atMost
            default: return nil
            }
        }
    }

    package let column: Int
    package let relation: Relation
    package let value: Value
}

extension Connection {
    /// Gives this connection a table of that name, for as long as it is open.
    package func register(_ table: any VirtualTable, as name: String) throws(SQLiteError) {
        let box = Unmanaged.passRetained(TableBox(table)).toOpaque()
        let code = sqlite3_create_module_v2(
            try handle.open(), name, VirtualTableModule.shared, box
        ) { box in
            if let box { Unmanaged<TableBox>.fromOpaque(box).release() }
        }
        guard code == SQLITE_OK else { throw handle.error(code, name) }
    }
}

private final class TableBox {
    let table: any VirtualTable
    init(_ table: any VirtualTable) { self.table = table }
}

private final class CursorBox {
    let cursor: any VirtualTableCursor
    init(_ cursor: any VirtualTableCursor) { self.cursor = cursor }
}

/// What SQLite sees of a table, and of a cursor: its own struct first, ours behind it.
private struct TableShell {
    var base = sqlite3_vtab()
    var table: UnsafeMutableRawPointer
}

private struct CursorShell {
    var base = sqlite3_vtab_cursor()
    var cursor: UnsafeMutableRawPointer
}

/// The functions that SQLite calls. They keep no state.
private enum VirtualTableModule {
    nonisolated(unsafe) static let shared: UnsafeMutablePointer<sqlite3_module> = {
        let module = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
        var functions = sqlite3_module()
        // Without xCreate the table is there without CREATE VIRTUAL TABLE, and only so.
        functions.iVersion = 1
        functions.xConnect = { connect($0, $1, $4, $5) }
        functions.xBestIndex = { plan($0, $1) }
        functions.xDisconnect = { shell in
            table(shell)?.disconnected()
            shell.map { UnsafeMutableRawPointer($0) }?
                .assumingMemoryBound(to: TableShell.self).deallocate()
            return SQLITE_OK
        }
        functions.xOpen = { open($0, $1) }
        functions.xClose = { shell in
            guard let shell = cursorShell(shell) else { return SQLITE_MISUSE }
            Unmanaged<CursorBox>.fromOpaque(shell.pointee.cursor).release()
            shell.deallocate()
            return SQLITE_OK
        }
        functions.xFilter = { filter($0, $2, $3, $4) }
        functions.xNext = { shell in
            attempt(shell) { cursor throws(SQLiteError) in try cursor.advance() }
        }
        functions.xEof = { cursor($0)?.isAtEnd == false ? 0 : 1 }
        functions.xColumn = { shell, context, column in
            guard let cursor = cursor(shell), let context else { return SQLITE_MISUSE }
            cursor.value(Int(column)).give(to: context)
            return SQLITE_OK
        }
        functions.xRowid = { _, number in
            number?.pointee = 0
            return SQLITE_OK
        }
        module.initialize(to: functions)
        return module
    }()

    private static func connect(
        _ database: OpaquePointer?, _ box: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab>?>?,
        _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Int32 {
        guard let box, let result else { return SQLITE_MISUSE }
        let table = Unmanaged<TableBox>.fromOpaque(box).takeUnretainedValue().table
        let code = sqlite3_declare_vtab(database, "CREATE TABLE x (\(table.columns))")
        guard code == SQLITE_OK else { return code }
        let shell = UnsafeMutablePointer<TableShell>.allocate(capacity: 1)
        shell.initialize(to: TableShell(table: box))
        result.pointee = UnsafeMutableRawPointer(shell)
            .assumingMemoryBound(to: sqlite3_vtab.self)
        return SQLITE_OK
    }

    /// Writes the plan as three bytes for each constraint that is passed on: column and relation.
    private static func plan(
        _ shell: UnsafeMutablePointer<sqlite3_vtab>?,
        _ info: UnsafeMutablePointer<sqlite3_index_info>?
    ) -> Int32 {
        guard let table = table(shell), let info else { return SQLITE_MISUSE }
        var plan: [UInt8] = []
        var cost = 10_000_000.0
        var used: Int32 = 0
        for index in 0..<Int(info.pointee.nConstraint) {
            guard let constraint = info.pointee.aConstraint?[index], constraint.usable != 0,
                table.indexed.contains(Int(constraint.iColumn)), constraint.iColumn < 64,
                let relation = Constraint.Relation(constraint.op), used < 32
            else { continue }
            used += 1
            info.pointee.aConstraintUsage?[index].argvIndex = used
            plan.append(UInt8(constraint.iColumn) + 0x30)
            plan.append(relation.rawValue)
            cost /= relation == .equal ? 1_000 : 3
        }
        guard let text = sqlite3_malloc(Int32(plan.count + 1)) else { return SQLITE_NOMEM }
        let bytes = text.assumingMemoryBound(to: CChar.self)
        for (index, byte) in plan.enumerated() { bytes[index] = CChar(bitPattern: byte) }
        bytes[plan.count] = 0
        info.pointee.idxStr = bytes
        info.pointee.needToFreeIdxStr = 1
        info.pointee.estimatedCost = cost
        info.pointee.estimatedRows = Int64(cost / 10) + 1
        return SQLITE_OK
    }

    private static func open(
        _ shell: UnsafeMutablePointer<sqlite3_vtab>?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab_cursor>?>?
    ) -> Int32 {
        guard let table = table(shell), let result else { return SQLITE_MISUSE }
        let box = Unmanaged.passRetained(CursorBox(table.makeCursor())).toOpaque()
        let cursor = UnsafeMutablePointer<CursorShell>.allocate(capacity: 1)
        cursor.initialize(to: CursorShell(cursor: box))
        result.pointee = UnsafeMutableRawPointer(cursor)
            .assumingMemoryBound(to: sqlite3_vtab_cursor.self)
        return SQLITE_OK
    }

    private static func filter(
        _ shell: UnsafeMutablePointer<sqlite3_vtab_cursor>?, _ plan: UnsafePointer<CChar>?,
        _ count: Int32, _ values: UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32 {
        var constraints: [Constraint] = []
        for index in 0..<Int(count) {
            guard let plan, let values,
                let relation = Constraint.Relation(rawValue: UInt8(bitPattern: plan[2 * index + 1]))
            else { return SQLITE_MISUSE }
            constraints.append(
                Constraint(
                    column: Int(plan[2 * index]) - 0x30, relation: relation,
                    value: Value(argument: values[index])))
        }
        return attempt(shell) { cursor throws(SQLiteError) in try cursor.start(constraints) }
    }

    /// What went wrong inside reaches whoever asked.
    private static func attempt(
        _ shell: UnsafeMutablePointer<sqlite3_vtab_cursor>?,
        _ body: (any VirtualTableCursor) throws(SQLiteError) -> Void
    ) -> Int32 {
        guard let cursor = cursor(shell) else { return SQLITE_MISUSE }
        do throws(SQLiteError) {
            try body(cursor)
            return SQLITE_OK
        } catch {
            return error.code
        }
    }

    private static func table(
        _ shell: UnsafeMutablePointer<sqlite3_vtab>?
    ) -> (any VirtualTable)? {
        guard let shell else { return nil }
        let box = UnsafeMutableRawPointer(shell).assumingMemoryBound(to: TableShell.self)
            .pointee.table
        return Unmanaged<TableBox>.fromOpaque(box).takeUnretainedValue().table
    }

    private static func cursorShell(
        _ shell: UnsafeMutablePointer<sqlite3_vtab_cursor>?
    ) -> UnsafeMutablePointer<CursorShell>? {
        shell.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: CursorShell.self) }
    }

    private static func cursor(
        _ shell: UnsafeMutablePointer<sqlite3_vtab_cursor>?
    ) -> (any VirtualTableCursor)? {
        guard let shell = cursorShell(shell) else { return nil }
        return Unmanaged<CursorBox>.fromOpaque(shell.pointee.cursor).takeUnretainedValue().cursor
    }
}
