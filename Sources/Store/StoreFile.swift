import Glibc

/// The database file, before SQLite sees it.
enum StoreFile {
    /// - Returns: the file's path without symbolic links, so that one file has one lock.
    /// - Throws: ``StoreError/directoryMissing(path:)``, ``StoreError/inaccessible(path:reason:)``.
    static func resolve(_ path: String) throws(StoreError) -> String {
        if let real = realPath(path) { return real }
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        guard !name.isEmpty else { throw .inaccessible(path: path, reason: "not a file name") }
        guard let real = realPath(directory) else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw .inaccessible(path: path, reason: String(cString: strerror(errno)))
            }
            throw .directoryMissing(path: path)
        }
        return (real == "/" ? "" : real) + "/" + name
    }

    /// Makes an empty file that only its owner may use, unless there is a file.
    static func create(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            throw .inaccessible(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// - Throws: ``StoreError/openToOthers(path:)``, ``StoreError/inaccessible(path:reason:)``.
    static func checkPermissions(_ path: String) throws(StoreError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .inaccessible(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .inaccessible(path: path, reason: "not a regular file")
        }
        guard status.st_mode & 0o007 == 0 else { throw .openToOthers(path: path) }
    }

    /// Makes a file and its name durable, which SQLite does for a database and not for a copy.
    ///
    /// - Parameter path: as ``resolve(_:)`` gives it.
    static func sync(_ path: String) throws(StoreError) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        for name in [path, folder.isEmpty ? "/" : folder] {
            let descriptor = open(name, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0, fsync(descriptor) == 0 else {
                let reason = String(cString: strerror(errno))
                if descriptor >= 0 { close(descriptor) }
                throw .inaccessible(path: name, reason: reason)
            }
            close(descriptor)
        }
    }

    /// On a file system that is mounted read-only. What is in a log there can't be read: that
    /// takes another file.
    static func isFrozen(_ path: String) -> Bool {
        access(path, W_OK) != 0 && errno == EROFS && size(path + "-wal") == 0
    }

    static func remove(_ path: String) { unlink(path) }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// - Returns: 0 if there is no such file.
    static func size(_ path: String) -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else { return 0 }
        return UInt64(clamping: status.st_size)
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
