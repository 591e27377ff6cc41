import CLinux
import Glibc
import Synchronization
package import Vocabulary

/// Answers questions about the running gateway on a UNIX stream socket: a line of JSON each way,
/// as often as the client likes (``ControlRequest``, ``ControlReply``).
///
/// It has its own thread, and whatever a client does costs the gateway nothing but the answers.
/// The socket's file belongs to the user that weir runs as (mode 0600).
package final class ControlSocket: Sendable {
    package let path: String
    private let wakeUp: WakeUp
    private let worker: Worker
    private let stopped = Mutex(false)

    /// Makes the file and starts to answer. The folder is made if it is missing (mode 0755); a
    /// file that a dead weir has left is replaced.
    ///
    /// - Parameters:
    ///   - disclosure: what a client gets to see of personal values.
    ///   - idleLimit: a client that neither asks nor reads is sent away after this.
    ///   - reload: reads the configuration again, and answers with the outcome. May wait.
    ///   - answer: asks the gateway; nil is told as "the gateway does not answer". May wait.
    /// - Throws: ``GatewayError``.
    package init(
        path: String, disclosure: Disclosure, idleLimit: Duration = .seconds(5),
        reload: @escaping @Sendable () -> Gateway.Answer? = { nil },
        answer: @escaping @Sendable (Gateway.Question) -> Gateway.Answer?
    ) throws(GatewayError) {
        self.path = path
        wakeUp = try WakeUp()
        let listener = try Self.listen(path)
        let wakeUp = wakeUp
        do throws(GatewayError) {
            worker = try Worker(named: "control") {
                var server = ControlServer(
                    listener: listener, wakeUp: wakeUp, disclosure: disclosure,
                    idleLimit: idleLimit, reload: reload, answer: answer)
                server.run()
            }
        } catch {
            close(listener)
            unlink(path)
            throw error
        }
    }

    deinit { stop() }

    /// Closes every client and removes the file. Waits for an answer that is being made.
    package func stop() {
        let first = stopped.withLock { stopped in
            defer { stopped = true }
            return !stopped
        }
        guard first else { return }
        wakeUp.signal()
        worker.join()
        unlink(path)
    }

    private static func listen(_ path: String) throws(GatewayError) -> Int32 {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            mkdir(String(path[..<slash]), 0o755)
        }
        try removeStale(path)
        let listener = clinux_unix_listen(path)
        guard listener >= 0 else { throw .control(path: path, errno: -listener) }
        return listener
    }

    /// Removes a socket that nobody listens on. Anything else stays.
    private static func removeStale(_ path: String) throws(GatewayError) {
        var file = stat()
        guard lstat(path, &file) == 0 else { return }
        guard file.st_mode & S_IFMT == S_IFSOCK else { throw .controlNotASocket(path: path) }
        let probe = clinux_unix_connect(path, 1000)
        guard probe < 0 else {
            close(probe)
            throw .controlInUse(path: path)
        }
        guard probe == -ECONNREFUSED else { throw .control(path: path, errno: -probe) }
        unlink(path)
    }
}
