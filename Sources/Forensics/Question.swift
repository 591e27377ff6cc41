package import Vocabulary

/// A question that people ask of a store: a file of SQL that begins with a header.
///
///     -- question:    Who sends us messages that have no effect?
///     -- parameters:  :since  time  default=-24h  the window's start, included
///     --              :until  time  default=now   the window's end, excluded
///     -- columns:     source    personal  text   where they came from
///     --              messages  public    count  how many
///     -- disclosure:  sources as the store holds them
///     -- cost:        one pass over the window
///     SELECT …
///
/// A question without parameters says `none`.
package struct Question: Hashable, Sendable {
    package struct Parameter: Hashable, Sendable {
        package enum Kind: String, CaseIterable, Sendable {
            /// A user; given clear or as the store holds it.
            case identity
            /// An outer address; given clear or as the store holds it.
            case address
            /// An inner address; given clear or as the store holds it.
            case virtualAddress = "virtual_address"
            /// A moment, as ``TimeText`` reads it; nanoseconds in SQL.
            case time
            /// A session's id.
            case session
            /// A whole number, 0 or more.
            case count
        }

        /// Without the colon.
        package let name: String
        package let kind: Kind
        package let requirement: Requirement
        package let meaning: String
    }

    package enum Requirement: Hashable, Sendable {
        case required
        /// Null in SQL if not given.
        case optional
        case byDefault(String)
    }

    package struct Column: Hashable, Sendable {
        package enum Unit: String, CaseIterable, Sendable {
            case text, count, bytes, packets, milliseconds
            /// Nanoseconds since the Unix epoch.
            case timestamp
            /// An object.
            case json
        }

        package let name: String
        package let isPersonal: Bool
        package let unit: Unit
        package let meaning: String
    }

    package let name: String
    package let question: String
    package let parameters: [Parameter]
    package let columns: [Column]
    package let disclosure: String
    package let cost: String
    package let sql: String
}

extension Question.Parameter.Kind {
    package var purpose: Purpose? {
        switch self {
        case .identity: .identity
        case .address: .address
        case .virtualAddress: .virtualAddress
        case .time, .session, .count: nil
        }
    }
}

extension Question {
    /// - Parameters:
    ///   - name: the file's, without `.sql`.
    ///   - text: the file's.
    /// - Throws: ``ForensicsError/malformed(question:line:reason:)``.
    package static func parse(name: String, text: String) throws(ForensicsError) -> Question {
        var header = Header(question: name)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var number = 0
        for line in lines {
            guard line.hasPrefix("--") else { break }
            number += 1
            try header.take(line.dropFirst(2), number)
        }
        let sql = lines[number...].joined(separator: "\n")
        guard sql.contains(where: { !$0.isWhitespace }) else {
            throw .malformed(question: name, line: number + 1, reason: "there is no SQL")
        }
        return Question(
            name: name, question: try header.text("question"),
            parameters: try header.parameters(), columns: try header.columns(),
            disclosure: try header.text("disclosure"), cost: try header.text("cost"), sql: sql)
    }
}

/// The comment at a file's beginning, by section.
private struct Header {
    typealias Line = (number: Int, text: Substring)
    static let sections = ["question", "parameters", "columns", "disclosure", "cost"]

    let question: String
    var lines: [String: [Line]] = [:]
    var section: String?

    init(question: String) { self.question = question }

    /// - Parameter line: without its `--`.
    mutating func take(_ line: Substring, _ number: Int) throws(ForensicsError) {
        var text = line.trimmed
        if let colon = text.firstIndex(of: ":"), Self.sections.contains(String(text[..<colon])) {
            let name = String(text[..<colon])
            guard lines[name] == nil else { throw fault(number, "\(name) comes twice") }
            section = name
            lines[name] = []
            text = text[text.index(after: colon)...].trimmed
        }
        guard let section else { throw fault(number, "it does not begin with a section") }
        if !text.isEmpty { lines[section, default: []].append((number, text)) }
    }

    func text(_ name: String) throws(ForensicsError) -> String {
        try section(name).map(\.text).joined(separator: " ")
    }

    func parameters() throws(ForensicsError) -> [Question.Parameter] {
        let lines = try section("parameters")
        if lines.count == 1, lines[0].text == "none" { return [] }
        var parameters: [Question.Parameter] = []
        for line in lines {
            let words = line.text.split(separator: " ", maxSplits: 3).map(\.trimmed)
            guard words.count == 4, words[0].hasPrefix(":"), words[0].count > 1,
                let kind = Question.Parameter.Kind(rawValue: String(words[1])),
                let requirement = requirement(words[2])
            else {
                throw fault(
                    line.number, "a parameter is: :name kind required|optional|default=… meaning")
            }
            parameters.append(
                Question.Parameter(
                    name: String(words[0].dropFirst()), kind: kind, requirement: requirement,
                    meaning: String(words[3])))
        }
        return parameters
    }

    func columns() throws(ForensicsError) -> [Question.Column] {
        var columns: [Question.Column] = []
        for line in try section("columns") {
            let words = line.text.split(separator: " ", maxSplits: 3).map(\.trimmed)
            guard words.count == 4, ["public", "personal"].contains(words[1]),
                let unit = Question.Column.Unit(rawValue: String(words[2]))
            else { throw fault(line.number, "a column is: name public|personal unit meaning") }
            columns.append(
                Question.Column(
                    name: String(words[0]), isPersonal: words[1] == "personal", unit: unit,
                    meaning: String(words[3])))
        }
        return columns
    }

    private func section(_ name: String) throws(ForensicsError) -> [Line] {
        guard let lines = lines[name], !lines.isEmpty else {
            throw fault(1, "its header has no \(name)")
        }
        return lines
    }

    private func requirement(_ word: Substring) -> Question.Requirement? {
        switch word {
        case "required": .required
        case "optional": .optional
        default: word.hasPrefix("default=") ? .byDefault(String(word.dropFirst(8))) : nil
        }
    }

    private func fault(_ line: Int, _ reason: String) -> ForensicsError {
        .malformed(question: question, line: line, reason: reason)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return text
    }
}
