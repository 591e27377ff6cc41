import Foundation
import Testing

@Suite("docs/rfc7296.md")
struct ConformanceTests {
    @Test("names tests that exist")
    func named() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "docs/rfc7296.md"), encoding: .utf8)
        let named = page.matches(of: /`([A-Z]\w+Tests)\.(\w+)`/).map { ($0.1, $0.2) }
        #expect(named.count > 30)
        var sources: [String] = []
        for folder in ["Tests/EngineTests", "Tests/WireTests"] {
            let files = try FileManager.default.contentsOfDirectory(
                at: root.appending(path: folder), includingPropertiesForKeys: nil)
            for file in files where file.pathExtension == "swift" {
                sources.append(try String(contentsOf: file, encoding: .utf8))
            }
        }
        // A suite may go on in another file: both names must be in the one that begins it.
        for (suite, function) in named {
            #expect(
                sources.contains {
                    $0.contains("struct \(suite) {") && $0.contains("func \(function)(")
                }, "\(suite).\(function)")
        }
    }
}
