import Vocabulary
import Yams

/// Reads YAML text into nodes, and refuses what a configuration has no use for.
enum Document {
    /// Bytes; larger files are refused.
    static let sizeLimit = 1 << 20

    static func compose(_ bytes: [UInt8], report: Report) throws(SettingsError) -> Node? {
        let file = report.file
        guard bytes.count <= sizeLimit else {
            throw SettingsError([
                Problem(Place(file: file), "is larger than 1 MiB; is it the right file?")
            ])
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsError([
                Problem(Place(file: file), "is not UTF-8 text; convert it, e.g. with iconv")
            ])
        }
        if let line = lineOfAlias(in: bytes) {
            let message =
                "YAML anchors (&), aliases (*) and tags (!) are not supported; write the value out, "
                + "and put quotes around a pattern such as \"*@example.org\""
            throw SettingsError([Problem(Place(file: file, line: line), message)])
        }
        do {
            return try Yams.Parser(yaml: text, encoding: .utf8).singleRoot()
        } catch {
            throw SettingsError([problem(error, file: file, text: text)])
        }
    }

    /// The line of the first `&name`, `*name` or `!tag` where a value could begin. Aliases can
    /// make a small file take hours to read, so the parser never sees one.
    private static func lineOfAlias(in bytes: [UInt8]) -> Int? {
        var line = 1
        var quote: UInt8?
        var isComment = false
        var isEscaped = false
        var canBegin = true
        var previous = UInt8(ascii: "\n")
        for byte in bytes {
            defer { previous = byte }
            if byte == UInt8(ascii: "\n") {
                line += 1
                isComment = false
                isEscaped = false
                if quote == nil { canBegin = true }
            } else if isComment || isEscaped {
                isEscaped = false
            } else if let open = quote {
                isEscaped = open == UInt8(ascii: "\"") && byte == UInt8(ascii: "\\")
                if byte == open { quote = nil }
            } else {
                switch byte {
                case UInt8(ascii: "#"): isComment = isBlank(previous)
                case UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "!"):
                    if canBegin { return line }
                case UInt8(ascii: "\""), UInt8(ascii: "'"):
                    quote = canBegin ? byte : nil
                    canBegin = false
                case UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"):
                    canBegin = true
                default:
                    if !isBlank(byte) {
                        canBegin = false
                    } else if previous == UInt8(ascii: "-") || previous == UInt8(ascii: "?") {
                        canBegin = true
                    }
                }
            }
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
            || byte == UInt8(ascii: "\r")
    }

    private static func problem(_ error: any Error, file: String, text: String) -> Problem {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return Problem(
                Place(file: file, line: mark.line),
                "is not YAML: \(problem); look for a missing quote, colon or space before it")
        case .reader(let problem, let offset, _, _):
            let line = offset.map { text.prefix($0).count { $0.isNewline } + 1 }
            return Problem(Place(file: file, line: line), "is not YAML: \(problem); remove it")
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map(quoted).joined(separator: ", ")
            return Problem(
                Place(file: file, line: context.mark.line),
                "\(names) is there twice; keep one of them")
        default:
            return Problem(Place(file: file), "is not YAML: \(quoted(String(describing: error)))")
        }
    }
}
