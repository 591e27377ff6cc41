import SQLite
import Testing

@Suite("A connection")
struct ConnectionTests {
    let connection: Connection

    init() throws {
        connection = try Connection(path: ":memory:", mode: .readWrite)
        try connection.execute("CREATE TABLE t (a INTEGER, b TEXT) STRICT")
    }

    @Test(
        "gives back what was bound",
        arguments: [
            Value.null, .integer(.min), .integer(.max), .integer(0), .real(0.1), .real(-1e300),
            .text(""), .text("naïve \u{0} text"), .text(String(repeating: "x", count: 100_000)),
            .blob([]), .blob([0, 255, 0]),
        ])
    func roundTrips(_ value: Value) throws {
        #expect(try connection.value("SELECT ?", [value]) == value)
    }

    @Test("reads columns by type, and nothing else as that type")
    func typedRows() throws {
        let found = try connection.rows("SELECT 7, 1.5, 'x', NULL") { row in
            [
                row.integer(0) == 7, row.real(0) == 7, row.text(0) == nil, row.integer(1) == nil,
                row.real(1) == 1.5, row.text(2) == "x", row.integer(2) == nil,
                row.integer(3) == nil, row.text(3) == nil, row.value(3) == .null,
                row.value(4) == .null, row.integer(-1) == nil, row.count == 4,
            ]
        }
        #expect(found == [Array(repeating: true, count: 13)])
    }

    @Test("repairs text that is not UTF-8")
    func repairsText() throws {
        #expect(try connection.value("SELECT CAST(x'41ff42' AS TEXT)") == .text("A\u{fffd}B"))
    }

    @Test(
        "refuses",
        arguments: [
            (sql: "SELEC 1", kind: SQLiteError.Kind.error),
            (sql: "SELECT * FROM nowhere", kind: .error),
            (sql: "", kind: .misuse),
            (sql: "-- nothing", kind: .misuse),
            (sql: "SELECT 1; SELECT 2", kind: .misuse),
            (sql: "SELECT ?", kind: .range),
            (sql: "INSERT INTO t VALUES ('x', 1)", kind: .constraint),
        ])
    func refuses(_ example: (sql: String, kind: SQLiteError.Kind)) {
        let error = #expect(throws: SQLiteError.self) { try connection.execute(example.sql) }
        #expect(error?.kind == example.kind)
        #expect(error?.sql == example.sql)
        #expect(error?.description.contains(example.sql) == true)
    }

    @Test("takes a semicolon and blanks after the command")
    func takesTrailingBlanks() throws {
        #expect(try connection.value("SELECT 1 ; \n") == 1)
    }

    @Test("an error says nothing of the values")
    func errorsAreSilent() {
        let error = #expect(throws: SQLiteError.self) {
            try connection.execute("INSERT INTO t (a) VALUES (?)", ["alice@example.org"])
        }
        #expect(error?.description.contains("alice") == false)
    }

    @Test("prepares a text once, but never hands out a statement that is in use")
    func caches() throws {
        let first = try connection.prepare("SELECT 1 UNION SELECT 2")
        #expect(try connection.prepare("SELECT 1 UNION SELECT 2") === first)
        var inner: [Int64?] = []
        var isOther = false
        try first.forEachRow { _ in
            guard let second = try? connection.prepare("SELECT 1 UNION SELECT 2") else { return }
            isOther = second !== first
            inner += (try? second.rows { $0.integer(0) }) ?? []
        }
        #expect(isOther)
        #expect(inner == [1, 2, 1, 2])
    }

    @Test("the cache of statements is bounded and stays right")
    func boundedCache() throws {
        for number in 0..<1_000 {
            #expect(try connection.value("SELECT \(number)") == .integer(Int64(number)))
        }
    }

    @Test("names columns and parameters")
    func names() throws {
        let statement = try connection.prepare("SELECT :a AS x, ? AS y")
        #expect(statement.columnNames == ["x", "y"])
        #expect(statement.parameterNames == [":a", nil])
        #expect(statement.isReadOnly)
        #expect(try !connection.prepare("DELETE FROM t").isReadOnly)
    }

    @Test("a transaction is all or nothing")
    func transactions() throws {
        try connection.transaction { () throws(SQLiteError) in
            try connection.execute("INSERT INTO t VALUES (1, 'x')")
        }
        #expect(connection.changes == 1)
        #expect(throws: SQLiteError.self) {
            try connection.transaction { () throws(SQLiteError) in
                try connection.execute("INSERT INTO t VALUES (2, 'y')")
                try connection.execute("INSERT INTO nowhere VALUES (1)")
            }
        }
        #expect(try connection.value("SELECT group_concat(a) FROM t") == "1")
        try connection.transaction { () throws(SQLiteError) in
            try connection.execute("INSERT INTO t VALUES (3, 'z')")
        }
        #expect(try connection.value("SELECT group_concat(a) FROM t") == "1,3")
    }

    @Test("after a full disk, a transaction can be tried again")
    func fullDisk() throws {
        try connection.execute("PRAGMA max_page_count = 3")
        let big = Value.text(String(repeating: "x", count: 100_000))
        let error = #expect(throws: SQLiteError.self) {
            try connection.transaction { () throws(SQLiteError) in
                try connection.execute("INSERT INTO t VALUES (1, ?)", [big])
            }
        }
        #expect(error?.kind == .full)
        try connection.execute("PRAGMA max_page_count = 1000")
        try connection.transaction { () throws(SQLiteError) in
            try connection.execute("INSERT INTO t VALUES (1, ?)", [big])
        }
        #expect(try connection.value("SELECT count(*) FROM t") == 1)
    }

    @Test("once closed, throws instead of crashing")
    func closed() throws {
        let statement = try connection.prepare("SELECT 1")
        connection.close()
        connection.close()
        #expect(throws: SQLiteError.self) { try statement.run() }
        #expect(throws: SQLiteError.self) { try connection.execute("SELECT 1") }
        #expect(throws: SQLiteError.self) { try connection.execute(script: "SELECT 1") }
        #expect(connection.changes == 0)
    }

    @Test("can't open what is not there")
    func missing() {
        let error = #expect(throws: SQLiteError.self) {
            try Connection(path: "/nowhere/at/all.db", mode: .readOnly)
        }
        #expect(error?.kind == .cannotOpen)
    }
}
