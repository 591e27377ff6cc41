import SQLite
import Testing

@testable import Store

/// What people read when a store does not work: one line with what, where, and what to do next.
@Suite("A store's errors")
struct ErrorTests {
    @Test(
        "say what to do",
        arguments: [
            (
                StoreError.directoryMissing(path: "/a/b"),
                "store /a/b: its directory does not exist; create it, or set telemetry.store"
            ),
            (
                .missing(path: "/a/b"),
                "store /a/b: no such file; name the store that the gateway writes"
            ),
            (
                .inaccessible(path: "/a/b", reason: "Permission denied"),
                "store /a/b: Permission denied; give this user access to the file and its directory"
            ),
            (.openToOthers(path: "/a/b"), "store /a/b: other users can use it; run: chmod o= /a/b"),
            (
                .writerRunning(path: "/a/b", pid: 7),
                "store /a/b: process 7 writes to it; stop that one, or use another file"
            ),
            (
                .writerRunning(path: "/a/b", pid: nil),
                "store /a/b: another process writes to it; stop that one, or use another file"
            ),
            (
                .newerVersion(path: "/a/b", found: 9, known: 1),
                "store /a/b: written by a newer Weir (format 9, this one knows 1); use that Weir,"
                    + " or another file"
            ),
            (.notAStore(path: "/a/b"), "store /a/b: not written by Weir; name another file"),
            (
                .full(path: "/a\n\u{1b}b"),
                "store /a\\x0a\\x1bb: no space left; free some, recording goes on by itself"
            ),
        ])
    func words(_ example: (error: StoreError, line: String)) {
        #expect("\(example.error)" == example.line)
    }

    @Test(
        "are told apart by SQLite's code, whatever its extension",
        arguments: [
            (13, .full(path: "p")), (11, .notADatabase(path: "p")),
            (267, .notADatabase(path: "p")), (26, .notADatabase(path: "p")),
            (14, .inaccessible(path: "p", reason: "m")),
            (1_288, .inaccessible(path: "p", reason: "m")),
        ] as [(Int32, StoreError)])
    func kinds(_ example: (code: Int32, error: StoreError)) {
        let error = SQLiteError(code: example.code, message: "m", sql: "s")
        #expect(StoreError(error, path: "p") == example.error)
    }

    @Test("an input/output error keeps SQLite's words")
    func others() {
        let error = SQLiteError(code: 778, message: "disk I/O error", sql: "COMMIT")
        #expect(
            "\(StoreError(error, path: "p"))".contains("disk I/O error (SQLite 778) in: COMMIT"))
    }
}
