import Glibc

/// The right to write to one store. The kernel takes it back when the process ends, however it
/// ends.
///
/// It is an `flock` on a file beside the database, because closing a second descriptor of the
/// database itself would drop SQLite's own locks on it.
final class WriterLock {
    private var descriptor: Int32

    /// - Throws: ``StoreError/writerRunning(path:pid:)``, or
    ///   ``StoreError/inaccessible(path:reason:)`` if the lock file can't be made.
    init(for path: String) throws(StoreError) {
        let name = path + ".lock"
        descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw .inaccessible(path: name, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let pid = Self.owner(descriptor)
            close(descriptor)
            guard reason == EWOULDBLOCK else {
                throw .inaccessible(path: name, reason: String(cString: strerror(reason)))
            }
            throw .writerRunning(path: path, pid: pid)
        }
        leavePID()
    }

    deinit { release() }

    func release() {
        guard descriptor >= 0 else { return }
        // Closing alone would leave it to a child process that is between fork and exec.
        flock(descriptor, LOCK_UN)
        close(descriptor)
        descriptor = -1
    }

    /// For the message that the next one gets. The lock holds without it.
    private func leavePID() {
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0 else { return }
        _ = pwrite(descriptor, text, text.count, 0)
    }

    private static func owner(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let digits = bytes.prefix(count).prefix { (48...57).contains($0) }
        return Int32(String(decoding: digits, as: UTF8.self))
    }
}
