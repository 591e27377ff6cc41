import Foundation

/// A folder of its own, for one test: it is gone, with all that is in it, when the test is over.
package final class Folder {
    package let path: String

    package init() throws {
        // Without symbolic links: that is how a store has the paths of its files.
        path =
            FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "weir-test-" + UUID().uuidString).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// - Returns: the path of a file in it.
    package func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// - Returns: the new file's path.
    package func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }
}
