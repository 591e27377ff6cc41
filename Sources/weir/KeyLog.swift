import Crypto
import Engine
import Glibc
import Vocabulary

/// In debug builds, and if `WEIR_TEST_KEYLOG` names a file: appends every key of an engine to it,
/// as `NAME hex`, so that tests can look for leaks and decrypt captures. A release build can't.
func logKeys(of engine: Engine) {
    #if DEBUG
    guard let path = getenv("WEIR_TEST_KEYLOG").map({ String(cString: $0) }) else { return }
    engine.keyTap = { name, key in
        let line = key.withBytes { bytes in
            "\(name) \(hex(bytes.indices.map { bytes[$0] }))\n"
        }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        _ = Array(line.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
    }
    #endif
}
