import Crypto
import Glibc

/// Reads a whole file that holds a secret.
///
/// Refuses what everybody may read or write, what is not a plain file, and more than `limit` bytes.
func readSecretFile(_ path: String, limit: Int = 4_096) throws(SecretError) -> SecretBytes {
    let (file, status) = try openPlainFile(path)
    defer { close(file) }
    guard status.st_mode & 0o007 == 0 else {
        throw SecretError("\(path) is open to everybody; run: chmod o= '\(path)'")
    }
    guard status.st_size <= limit else {
        throw SecretError("\(path) is longer than \(limit) bytes; is it the right file?")
    }
    return try SecretBytes(count: Int(status.st_size)) { (bytes) throws(SecretError) in
        let count = bytes.withUnsafeMutableBytes { readFully(file, into: $0) }
        guard count == bytes.count else {
            throw SecretError("\(path) could not be read whole: \(reasonOfErrno()); try again")
        }
    }
}

/// Reads a configuration file.
func readConfigurationFile(_ path: String) throws(SecretError) -> [UInt8] {
    let (file, status) = try openPlainFile(path)
    defer { close(file) }
    // One byte more than is allowed, so that the caller sees what is too large.
    let size = min(Int(status.st_size), Document.sizeLimit + 1)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = readFully(file, into: UnsafeMutableRawBufferPointer(buffer))
    }
}

/// - Returns: what to do about a file that others may read; nil if they may not.
func opennessToEverybody(of path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & 0o007 != 0 else { return nil }
    return "stands in a file that is open to everybody; run: chmod o= '\(path)'"
}

/// Makes a file with mode 0600 that was not there before, durably, folder and all.
///
/// - Returns: false if it is there already.
func createSecretFile(_ path: String, _ content: [UInt8]) throws(SecretError) -> Bool {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else {
        if errno == EEXIST { return false }
        throw SecretError("cannot create \(path): \(reasonOfErrno()); make its folder writable")
    }
    defer { close(file) }
    guard write(file, content, content.count) == content.count, fsync(file) == 0 else {
        let reason = reasonOfErrno()
        unlink(path)
        throw SecretError("cannot write \(path): \(reason); is the disk full?")
    }
    return true
}

/// Puts a file with mode 0600 in the place of one that may be there, durably: whoever reads it
/// finds the old one or the new one, whole.
func replaceSecretFile(
    _ path: String, _ content: borrowing SecretBytes
) throws(SecretError) {
    let draft = path + ".new"
    unlink(draft)
    let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else {
        throw SecretError("cannot create \(draft): \(reasonOfErrno()); make its folder writable")
    }
    defer { close(file) }
    let written = content.withBytes { bytes in
        bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }
    guard written == content.count, fsync(file) == 0, rename(draft, path) == 0 else {
        let reason = reasonOfErrno()
        unlink(draft)
        throw SecretError("cannot write \(path): \(reason); is the disk full?")
    }
}

private func openPlainFile(_ path: String) throws(SecretError) -> (file: Int32, status: stat) {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
        let isMissing = errno == ENOENT
        let remedy = isMissing ? "create it, or correct the path" : "make it readable to this user"
        throw SecretError(
            "cannot read \(path): \(reasonOfErrno()); \(remedy)", isMissing: isMissing)
    }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        close(file)
        throw SecretError("\(path) is not a plain file; name one")
    }
    return (file, status)
}

private func readFully(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    var count = 0
    while count < buffer.count {
        let got = read(file, buffer.baseAddress?.advanced(by: count), buffer.count - count)
        if got > 0 { count += got } else if got == 0 || errno != EINTR { break }
    }
    return count
}

func reasonOfErrno() -> String { String(cString: strerror(errno)) }
