import Vocabulary
import Yams

/// One mapping of the file while it is read: asks for its keys by name, and in the end refuses
/// those that nobody asked for.
final class Section {
    /// As in messages: `pools[2]`.
    let path: String
    let place: Place
    let report: Report
    /// As in the documentation: `pools[]`.
    private let schemaPath: String
    private var entries: [String: Entry] = [:]
    private var known: Set<String> = []

    private struct Entry {
        let node: Node
        let place: Place
    }

    /// - Parameter node: nil for a section that the file leaves out.
    init(_ node: Node?, path: String, schemaPath: String, place: Place, report: Report) {
        self.path = path
        self.schemaPath = schemaPath
        self.place = place
        self.report = report
        guard let node else { return }
        guard case .mapping(let mapping) = node else {
            fail("expected keys and values here, found \(word(for: node))")
            return
        }
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                fail("a key must be a word, found \(word(for: key))")
                continue
            }
            let line = scalar.mark?.line ?? place.line
            entries[scalar.string] = Entry(
                node: value, place: Place(file: place.file, line: line))
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    /// Of all keys, where the file chooses them.
    var names: [String] { entries.keys.sorted() }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Whether keys and values stand under `key`.
    func isMapping(_ key: String) -> Bool {
        if case .mapping = ask(for: key)?.node { true } else { false }
    }

    func place(of key: String) -> Place { entries[key]?.place ?? place }

    func fail(_ message: String) { report.add(Problem(place, key: path, message)) }

    func fail(_ key: String, _ message: String) {
        report.add(Problem(place(of: key), key: name(of: key), message))
    }

    /// The value under `key`, or nil if it is missing or wrong; only the latter is a mistake.
    func optional<Value>(_ key: String, _ kind: Kind<Value>) -> Located<Value>? {
        guard let entry = ask(for: key) else { return nil }
        return scalar(entry.node, key: name(of: key), place: entry.place, kind)
    }

    func read<Value>(_ key: String, _ kind: Kind<Value>, or standard: Value) -> Located<Value> {
        if let found = optional(key, kind) { return found }
        report.note(name(of: key), nil, standard, at: place(of: key))
        return Located(standard, at: place(of: key), key: name(of: key))
    }

    func require<Value>(_ key: String, _ kind: Kind<Value>) -> Located<Value>? {
        if !has(key) { fail("lacks \"\(key)\": \(kind.expected)") }
        return optional(key, kind)
    }

    /// A list of scalars. A lone scalar counts as a list of one.
    func list<Value>(
        _ key: String, of kind: Kind<Value>, canBeEmpty: Bool = false
    ) -> [Located<Value>]? {
        guard let entry = ask(for: key) else { return nil }
        let name = name(of: key)
        guard case .sequence(let items) = entry.node else {
            return scalar(entry.node, key: name, place: entry.place, kind).map { [$0] }
        }
        guard items.count <= 10_000 else {
            fail(key, "has more than 10000 entries")
            return []
        }
        if items.isEmpty, !canBeEmpty { fail(key, "is empty; expected \(kind.expected)") }
        return items.enumerated().compactMap { index, node in
            let line = node.mark?.line ?? entry.place.line
            let place = Place(file: entry.place.file, line: line)
            return scalar(node, key: "\(name)[\(index + 1)]", place: place, kind)
        }
    }

    /// The mapping under `key`; an empty one if the file leaves it out.
    func section(_ key: String) -> Section {
        let entry = ask(for: key)
        return Section(
            entry?.node, path: name(of: key), schemaPath: schemaName(of: key),
            place: entry?.place ?? place, report: report)
    }

    /// The mappings in the list under `key`.
    func sections(_ key: String) -> [Section] {
        guard let entry = ask(for: key) else { return [] }
        guard case .sequence(let items) = entry.node, items.count <= 10_000 else {
            fail(key, "expected a list of at most 10000 entries, each beginning with \"- \"")
            return []
        }
        return items.enumerated().map { index, node in
            Section(
                node, path: "\(name(of: key))[\(index + 1)]",
                schemaPath: schemaName(of: key) + "[]",
                place: Place(file: entry.place.file, line: node.mark?.line ?? entry.place.line),
                report: report)
        }
    }

    /// Refuses the keys that nobody asked for.
    func finish() {
        for key in entries.keys.sorted() where !known.contains(key) {
            let remedy =
                suggestion(for: key, among: known).map { "did you mean \"\($0)\"?" }
                ?? "known here: \(known.sorted().joined(separator: ", "))"
            fail(key, "unknown key; \(remedy)")
        }
    }

    private func ask(for key: String) -> Entry? {
        known.insert(key)
        report.accept(schemaName(of: key))
        return entries[key]
    }

    private func scalar<Value>(
        _ node: Node, key: String, place: Place, _ kind: Kind<Value>
    ) -> Located<Value>? {
        do throws(Refusal) {
            guard case .scalar(let scalar) = node, !isNull(scalar) else {
                throw Refusal("found \(word(for: node))")
            }
            let value = try kind.parse(scalar.string)
            report.note(key, scalar.string, value, at: place)
            return Located(value, at: place, key: key)
        } catch {
            report.add(Problem(place, key: key, "\(error.reason); expected \(kind.expected)"))
            return nil
        }
    }

    private func name(of key: String) -> String {
        let key = escaped(Array(key.utf8.prefix(64)))
        return path.isEmpty ? key : "\(path).\(key)"
    }

    private func schemaName(of key: String) -> String {
        schemaPath.isEmpty ? key : "\(schemaPath).\(key)"
    }
}

private func isNull(_ scalar: Node.Scalar) -> Bool {
    scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
}

private func word(for node: Node) -> String {
    switch node {
    case .scalar(let scalar): isNull(scalar) ? "nothing" : quoted(scalar.string)
    case .mapping: "keys and values"
    case .sequence: "a list"
    case .alias: "an alias"
    }
}

/// What a file says, safe to print in one line.
func quoted(_ text: String) -> String {
    let shown = escaped(Array(text.utf8.prefix(64)))
    return text.utf8.count > 64 ? "\"\(shown)…\"" : "\"\(shown)\""
}
