import Glibc
import Interchange

/// A file that is read from any place, as often as need be.
final class ImportFile {
    let path: String
    let size: Int64
    private let descriptor: Int32

    init(_ path: String) throws(TransferError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .file(
                path: path, reason: "not a regular file; save it as one, so that it can be resumed")
        }
        size = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    /// - Returns: up to `count` bytes from `offset` on; none at the end.
    func read(_ count: Int, at offset: Int64) throws(TransferError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            let got = pread(descriptor, &bytes, count, off_t(offset))
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw .file(path: path, reason: String(cString: strerror(errno)))
            }
            bytes.removeLast(count - got)
            return bytes
        }
    }

    static let block = 1 << 20

    /// - Parameter ends: places in the file, ascending.
    /// - Returns: the fingerprints of what is before each; fewer if the file is shorter.
    func fingerprints(at ends: [Int64]) throws(TransferError) -> [Fingerprint] {
        var found: [Fingerprint] = []
        var fingerprint = Fingerprint()
        var offset: Int64 = 0
        for end in ends {
            while offset < end {
                let bytes = try read(Int(min(Int64(Self.block), end - offset)), at: offset)
                if bytes.isEmpty { return found }
                fingerprint.add(bytes[...])
                offset += Int64(bytes.count)
            }
            found.append(fingerprint)
        }
        return found
    }
}
