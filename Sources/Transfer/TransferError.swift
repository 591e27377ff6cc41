package import Store

/// Why records could not be brought in or out. Its description is one line: what, where, and what
/// to do next.
package enum TransferError: Error, Hashable, Sendable {
    case store(StoreError)
    /// The operating system's word.
    case file(path: String, reason: String)
    /// A line that can't be taken; those before it are in the store.
    case line(path: String, line: Int64, reason: String)
}

extension TransferError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .store(let error): error.description
        case .file(let path, let reason): "\(path): \(reason)"
        case .line(let path, let line, let reason): "\(path):\(line): \(reason)"
        }
    }
}
