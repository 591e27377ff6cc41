import Foundation
import Testing

/// The pages that say which test holds what name tests that exist.
@Suite("A page that names tests")
struct ConformanceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// All test files, whole.
    private static let sources: [String] = {
        let tests = FileManager.default.enumerator(
            at: root.appending(path: "Tests"), includingPropertiesForKeys: nil)
        let files = (tests?.allObjects ?? []).compactMap { $0 as? URL }
        return files.filter { $0.pathExtension == "swift" }
            .compactMap { try? String(contentsOf: $0, encoding: .utf8) }
    }()

    /// The last column of each row of the page's tables whose last column is called `title`.
    private func cells(of page: String, under title: String) throws -> [Substring] {
        let text = try String(contentsOf: Self.root.appending(path: page), encoding: .utf8)
        var cells: [Substring] = []
        var isWanted = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let columns = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("|"), let last = columns.last else {
                isWanted = false
                continue
            }
            if last == title {
                isWanted = true
            } else if isWanted, !last.allSatisfy({ $0 == "-" }) {
                cells.append(Substring(last))
            }
        }
        return cells
    }

    /// Names of a cell: `Suite.function`, `.function` of the suite before, or `Suite`.
    private func names(in cell: Substring) -> [(suite: String, function: String?)] {
        var names: [(suite: String, function: String?)] = []
        for match in cell.matches(of: /`(\w*)(?:\.(\w+))?`/) {
            let suite = match.1.isEmpty ? names.last?.suite ?? "" : String(match.1)
            names.append((suite, match.2.map { String($0) }))
        }
        return names
    }

    private func exists(_ suite: String, _ function: String?) -> Bool {
        // A suite may go on in another file: both names must be in the one that begins it.
        Self.sources.contains { source in
            source.contains("struct \(suite) {")
                && (function.map { source.contains("func \($0)(") } ?? true)
        }
    }

    @Test(
        "names one in each row at least, and all are there",
        arguments: [
            ("docs/rfc7296.md", "Test", 50), ("docs/testing.md", "Tests", 25),
        ])
    func named(_ page: String, _ title: String, _ rows: Int) throws {
        let cells = try cells(of: page, under: title)
        #expect(cells.count >= rows)
        for cell in cells {
            let names = names(in: cell)
            #expect(!names.isEmpty, "\(page): no test in “\(cell)”")
            for (suite, function) in names {
                #expect(exists(suite, function), "\(page): \(suite).\(function ?? "")")
            }
        }
    }
}
