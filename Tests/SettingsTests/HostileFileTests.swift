import Testing

@testable import Settings

@Suite("Hostile files")
struct HostileFileTests {
    @Test("every truncation of the example is read or refused")
    func truncated() throws {
        let bytes = Array(try text(of: "docs/weir.example.yaml").utf8)
        var refused = 0
        for length in 0..<bytes.count {
            do throws(SettingsError) {
                _ = try Configuration.parse(
                    Array(bytes[..<length]), file: "weir.yaml", secrets: sameSecret)
            } catch {
                refused += 1
                #expect(error.problems.allSatisfy { !$0.description.contains("\n") })
            }
        }
        #expect(refused > bytes.count / 3)
    }

    @Test("every byte of the example replaced by every other kind of byte")
    func mutated() throws {
        let bytes = Array(try text(of: "docs/weir.example.yaml").utf8)
        for index in bytes.indices {
            var mutant = bytes
            mutant[index] = [0x00, 0xff, 0x0a, 0x7b, 0x27, 0x3a][index % 6]
            do throws(SettingsError) {
                _ = try Configuration.parse(mutant, file: "weir.yaml", secrets: sameSecret)
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
    }

    @Test("deep nesting ends in an error, not in a crash", arguments: ["[", "{a: ", "- ", "? "])
    func deep(_ opening: String) {
        let yaml = "x:\n  " + String(repeating: opening, count: 100_000)
        #expect(complaints(about: yaml).count == 1)
    }

    @Test("an alias bomb is refused before it is read")
    func bomb() {
        var yaml = "a0: &a0 [x]\n"
        for level in 1...60 {
            yaml += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
        }
        #expect(complaints(about: yaml + "? *a60\n: 1\n").count == 1)
    }

    @Test("a file that is too large")
    func large() {
        #expect(
            complaints(about: String(repeating: "#", count: (1 << 20) + 1)) == [
                "weir.yaml: is larger than 1 MiB; is it the right file?"
            ])
    }

    @Test("a file with more mistakes than anybody reads")
    func many() {
        let yaml = smallest + (0..<1_000).map { "key\($0): 1\n" }.joined()
        #expect(complaints(about: yaml).count == 100)
    }
}
