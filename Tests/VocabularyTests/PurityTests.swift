import Foundation
import Testing

/// What the pure modules must not say. A test, since no compiler flag forbids all of it.
@Suite("Purity")
struct PurityTests {
    static let modules = [
        "Vocabulary", "Wire", "ESP", "Engine", "Rules", "Forecast", "Page",
        "Presentation", "RADIUS",
    ]

    struct SourceFile: Sendable, CustomTestStringConvertible {
        let path: String
        let lines: [String]
        var testDescription: String { path }
    }

    static let files: [SourceFile] = modules.flatMap { module -> [SourceFile] in
        let folder = sourceTree.appending(path: "Sources/\(module)")
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap {
            $0 as? String
        }
        return (names ?? []).filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
            guard let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8)
            else { return nil }
            return SourceFile(
                path: "\(module)/\(name)", lines: text.components(separatedBy: "\n"))
        }
    }

    @Test("the modules are there")
    func found() {
        for module in ["Vocabulary", "Wire", "ESP", "Engine"] {
            #expect(Self.files.contains { $0.path.hasPrefix("\(module)/") })
        }
    }

    /// No clock, file, pointer or trap; words of our own are told apart by their borders.
    static let forbidden: [(pattern: String, why: String)] = [
        (
            #"^\s*((package|public|internal)\s+)?import (Foundation|Glibc|Dispatch|Synchronization|C[A-Z]\w+)\b"#,
            "a module that is not pure"
        ),
        (#"\bunsafe\b"#, "unsafe code"), (#"\bUnsafe\w*Pointer\b"#, "a pointer"),
        (#"\btry!"#, "try!"), (#"\bas!"#, "as!"), (#"\bfatalError\b"#, "fatalError"),
        (#"[\w\)\]]!(?!=)"#, "a force unwrap"), (#"\bprint\("#, "output"),
        (#"ContinuousClock|SuspendingClock"#, "a clock"),
        (#"\b(TODO|FIXME|XXX)\b"#, "unfinished work"),
    ]

    @Test("is kept", arguments: files)
    func pure(_ file: SourceFile) throws {
        for (index, line) in file.lines.enumerated() {
            let code = Self.withoutTexts(line)
            for (pattern, why) in Self.forbidden
            where code.range(of: pattern, options: .regularExpression) != nil {
                Issue.record("\(file.path):\(index + 1) has \(why): \(line)")
            }
        }
    }

    @Test("files fit into a head: at most 400 lines", arguments: files)
    func length(_ file: SourceFile) {
        #expect(file.lines.count <= 401)
    }

    @Test(
        "the patterns find what they are for",
        arguments: [
            "import Foundation", "package import Glibc", "let x = y!", "f()!.g", "a[0]! + 1",
            "try! f()", "x as! Y", "unsafe p.load()", "fatalError(\"no\")",
        ])
    func patterns(_ line: String) {
        let code = Self.withoutTexts(line)
        #expect(
            Self.forbidden.contains {
                code.range(of: $0.pattern, options: .regularExpression) != nil
            })
    }

    @Test(
        "the patterns leave good code alone",
        arguments: [
            "if a != b {", "guard !x.isEmpty else", "// the user's! text, unsafe", "\"no!\"",
            "import Wire",
        ])
    func innocent(_ line: String) {
        let code = Self.withoutTexts(line)
        #expect(
            !Self.forbidden.contains {
                code.range(of: $0.pattern, options: .regularExpression) != nil
            })
    }

    /// A line without comments and the texts between quotes.
    static func withoutTexts(_ line: String) -> String {
        line.replacingOccurrences(
            of: #""(\\.|[^"\\])*""#, with: "\"\"", options: .regularExpression
        )
        .replacingOccurrences(of: #"//.*"#, with: "", options: .regularExpression)
    }
}
