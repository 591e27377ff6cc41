import Glibc
import Vocabulary

/// Who reads a store's write-ahead log, as the kernel knows it: SQLite's readers hold a lock on one
/// of five bytes of the `-shm` file.
enum LogReaders {
    /// A file system and a file in it, as `/proc/locks` has them.
    struct File: Hashable {
        let major: UInt64
        let minor: UInt64
        let inode: UInt64
    }

    /// SQLite's WAL_READ_LOCK(0) to (4), which are bytes of the file.
    private static let bytes: ClosedRange<UInt64> = 123...127
    /// Of `/proc/locks`, that are looked at.
    private static let limit = 1 << 20
    /// Processes that are named.
    private static let most = 3

    /// - Returns: such as `process 1234 (sqlite3)`; empty where the kernel does not tell.
    static func named(of path: String) -> [String] {
        var status = stat()
        guard stat(path + "-shm", &status) == 0 else { return [] }
        let device = UInt64(status.st_dev)
        // The C library's major() and minor().
        let file = File(
            major: (device >> 8) & 0xfff | (device >> 32) & ~0xfff,
            minor: device & 0xff | (device >> 12) & ~0xff & 0xffff_ffff,
            inode: UInt64(status.st_ino))
        return processes(reading: file, in: content(of: "/proc/locks")).prefix(most).map { pid in
            let name = content(of: "/proc/\(pid)/comm").prefix { $0 != UInt8(ascii: "\n") }
            return "process \(pid)" + (name.isEmpty ? "" : " (\(escaped(Array(name))))")
        }
    }

    /// - Parameter locks: what `/proc/locks` says.
    /// - Returns: process ids in ascending order.
    static func processes(reading file: File, in locks: [UInt8]) -> [Int32] {
        var found: Set<Int32> = []
        for line in locks.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " ")).map {
                String(decoding: $0, as: UTF8.self)
            }
            guard words.count == 8, words[1] == "POSIX", words[3] == "READ",
                let pid = Int32(words[4]), pid > 0,
                let first = UInt64(words[6]), let last = UInt64(words[7]),
                first <= bytes.upperBound, last >= bytes.lowerBound
            else { continue }
            let numbers = words[5].split(separator: ":", omittingEmptySubsequences: false)
            guard numbers.count == 3, UInt64(numbers[0], radix: 16) == file.major,
                UInt64(numbers[1], radix: 16) == file.minor, UInt64(numbers[2]) == file.inode
            else { continue }
            found.insert(pid)
        }
        return found.sorted()
    }

    private static func content(of path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < limit {
            let count = read(descriptor, &block, block.count)
            guard count > 0 else { break }
            bytes += block.prefix(count)
        }
        return bytes
    }
}
