import Glibc

/// The questions of a folder.
package enum Library {
    /// More than any question needs; what is longer is something else.
    private static let limit = 65_536

    /// - Parameter directory: a folder of `.sql` files; other files are passed over.
    /// - Returns: its questions, by name.
    /// - Throws: ``ForensicsError`` for a folder or a file that can't be read, and for the first
    ///   file that is no question.
    package static func load(from directory: String) throws(ForensicsError) -> [Question] {
        var questions: [Question] = []
        for file in try names(in: directory).filter({ $0.hasSuffix(".sql") }).sorted() {
            let text = try read(directory + "/" + file)
            questions.append(try Question.parse(name: String(file.dropLast(4)), text: text))
        }
        return questions
    }

    private static func names(in directory: String) throws(ForensicsError) -> [String] {
        guard let folder = opendir(directory) else {
            throw .unreadable(path: directory, reason: String(cString: strerror(errno)))
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    private static func read(_ path: String) throws(ForensicsError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let got = Glibc.read(descriptor, &chunk, chunk.count)
            guard got >= 0 else {
                throw .unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            if got == 0 { break }
            bytes += chunk.prefix(got)
            guard bytes.count <= limit else {
                throw .unreadable(path: path, reason: "longer than \(limit) bytes")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
