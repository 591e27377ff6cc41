import Glibc
import Synchronization

/// The open connections, and by when each must have completed a request.
///
/// libmicrohttpd only ends connections that are silent. Who sends or reads a byte now and then
/// would hold a connection for ever; this hangs up on them.
final class ConnectionTable: Sendable {
    private let deadlines = Mutex<[Int32: ContinuousClock.Instant]>([:])
    private let limit: Duration

    /// - Parameter limit: for one request, from its first byte to the last byte of its answer.
    init(limit: Duration) { self.limit = limit }

    func opened(_ descriptor: Int32) {
        deadlines.withLock { $0[descriptor] = .now + limit }
    }

    func completed(_ descriptor: Int32) {
        deadlines.withLock { table in
            if table[descriptor] != nil { table[descriptor] = .now + limit }
        }
    }

    /// Called before the descriptor is closed, so that nobody else's is ever touched.
    func closing(_ descriptor: Int32) {
        deadlines.withLock { _ = $0.removeValue(forKey: descriptor) }
    }

    /// Hangs up on those that took too long.
    func sweep() {
        let now = ContinuousClock.now
        deadlines.withLock { table in
            for (descriptor, deadline) in table where deadline < now {
                shutdown(descriptor, Int32(SHUT_RDWR))
            }
        }
    }
}
