package import SQLite
import Vocabulary

/// Why a store can't be opened, written or read. Its description is one line that says what,
/// where, and what to do next.
package enum StoreError: Error, Hashable, Sendable {
    /// The file's directory is not there.
    case directoryMissing(path: String)
    /// There is no such store to read.
    case missing(path: String)
    /// The operating system refuses; `reason` is its own word.
    case inaccessible(path: String, reason: String)
    /// Users outside the file's owner and group may use it.
    case openToOthers(path: String)
    /// Another process writes to it; nil if it did not leave its process id.
    case writerRunning(path: String, pid: Int32?)
    /// The file is no SQLite database, or a damaged one.
    case notADatabase(path: String)
    /// A database of some other program.
    case notAStore(path: String)
    /// Written by a Weir that knows more than this one.
    case newerVersion(path: String, found: Int64, known: Int64)
    /// No room on the file system. The store is as it was before, and can be used again.
    case full(path: String)
    /// The write-ahead log is as long as it may be, and somebody reads what would have to be folded
    /// into the database. The store is as it was before, and can be used again when they are done.
    /// `readers` names them, as far as they can be found.
    case logPinned(path: String, limit: UInt64, readers: [String])
    /// An event that the catalogue does not have in this form. A mistake of ours.
    case unknownEvent(kind: String)
    /// There is no such hold, or it was released.
    case noSuchHold(path: String, number: Int64)
    /// As many holds as there may be at once.
    case tooManyHolds(path: String, limit: Int64)
    /// Anything else that SQLite refused.
    case database(path: String, SQLiteError)

    init(_ error: SQLiteError, path: String) {
        self =
            switch error.kind {
            case .full: .full(path: path)
            case .notADatabase, .corrupt: .notADatabase(path: path)
            case .cannotOpen, .permission, .readOnly:
                .inaccessible(path: path, reason: error.message)
            default: .database(path: path, error)
            }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .directoryMissing(let path):
            "store \(shown(path)): its directory does not exist; create it, or set telemetry.store"
        case .missing(let path):
            "store \(shown(path)): no such file; name the store that the gateway writes"
        case .inaccessible(let path, let reason):
            "store \(shown(path)): \(reason); give this user access to the file and its directory"
        case .openToOthers(let path):
            "store \(shown(path)): other users can use it; run: chmod o= \(shown(path))"
        case .writerRunning(let path, let pid):
            "store \(shown(path)): \(pid.map { "process \($0)" } ?? "another process")"
                + " writes to it; stop that one, or use another file"
        case .notADatabase(let path):
            "store \(shown(path)): not a database, or a damaged one; move it away and start again,"
                + " or restore a copy"
        case .notAStore(let path):
            "store \(shown(path)): not written by Weir; name another file"
        case .newerVersion(let path, let found, let known):
            "store \(shown(path)): written by a newer Weir (format \(found), this one knows"
                + " \(known)); use that Weir, or another file"
        case .full(let path):
            "store \(shown(path)): no space left; free some, recording goes on by itself"
        case .logPinned(let path, let limit, let readers):
            "store \(shown(path)): a reader keeps its write-ahead log from being folded into it, and"
                + " that is as long as it may be (\(limit) bytes); end "
                + (readers.isEmpty
                    ? "the one that this names: fuser -v \(shown(path + "-wal"))"
                    : readers.joined(separator: ", ")) + ", recording goes on by itself"
        case .unknownEvent(let kind):
            "store: event \(shown(kind)) is not as the catalogue has it; please report this"
        case .noSuchHold(let path, let number):
            "store \(shown(path)): no active hold \(number); see: weir store hold list"
        case .tooManyHolds(let path, let limit):
            "store \(shown(path)): \(limit) holds are active; release one, or hold a longer time"
        case .database(let path, let error):
            "store \(shown(path)): \(error); if it happens again, please report this"
        }
    }

    private func shown(_ text: String) -> String { escaped(Array(text.utf8)) }
}
