/// Where in a configuration file something stands.
package struct Place: Hashable, Sendable, CustomStringConvertible {
    /// As the user named it.
    package let file: String
    /// From 1; nil for the file as a whole.
    package let line: Int?

    package init(file: String, line: Int? = nil) {
        self.file = file
        self.line = line
    }

    package var description: String { line.map { "\(file):\($0)" } ?? file }
}

/// One mistake in a configuration, in one line: where, what, and what to do next.
package struct Problem: Hashable, Sendable, CustomStringConvertible {
    package let place: Place
    /// Such as `gateway.listen`; empty for the file as a whole.
    package let key: String
    package let message: String

    package init(_ place: Place, key: String = "", _ message: String) {
        self.place = place
        self.key = key
        self.message = message
    }

    package var description: String {
        key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
    }
}

/// A configuration that cannot be used, with all its mistakes in the order of the file.
package struct SettingsError: Error, CustomStringConvertible {
    package let problems: [Problem]

    init(_ problems: [Problem]) {
        self.problems = problems
    }

    /// One line for each mistake.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// A value and the line that it comes from, for what can only fail when it is used: a port
/// that is taken, a folder that is not there.
package struct Located<Value: Sendable>: Sendable, CustomStringConvertible {
    package let value: Value
    package let place: Place
    package let key: String

    package init(_ value: Value, at place: Place, key: String) {
        self.value = value
        self.place = place
        self.key = key
    }

    /// A mistake that came to light at run time.
    package func problem(_ message: String) -> Problem { Problem(place, key: key, message) }

    package var description: String { String(describing: value) }
}

/// Collects the mistakes and the keys of one file while it is read.
final class Report {
    let file: String
    /// Every key that the reader asked for, such as `pools[].name`.
    private(set) var acceptedKeys: Set<String> = []
    /// Every value by its key.
    private(set) var written = Written()
    private var problems: [Problem] = []

    init(file: String) {
        self.file = file
    }

    func accept(_ key: String) { acceptedKeys.insert(key) }

    /// - Parameter text: as it is written; nil for a default.
    func note(_ key: String, _ text: String?, _ value: some Any, at place: Place) {
        written.add(key, text, String(describing: value), at: place)
    }

    /// Keeps the first 100; nobody mends more at once.
    func add(_ problem: Problem) {
        if problems.count < 100 { problems.append(problem) }
    }

    func throwIfAny() throws(SettingsError) {
        guard problems.isEmpty else {
            throw SettingsError(problems.sorted { ($0.place.line ?? 0) < ($1.place.line ?? 0) })
        }
    }
}
