import Foundation
import Testing
import Vocabulary

/// The source tree that these tests were built from.
let sourceTree = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Holds a text against a file of the source tree. `WEIR_GOLDEN=1` writes the file instead.
func expectGolden(
    _ text: String, at path: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let file = sourceTree.appending(path: path)
    if ProcessInfo.processInfo.environment["WEIR_GOLDEN"] == "1" {
        try text.write(to: file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    if golden != text {
        Issue.record(
            "\(path) is not what the code says; run the tests with WEIR_GOLDEN=1 and review the change",
            sourceLocation: sourceLocation)
    }
}

/// Shows its work: what for, and of which bytes.
struct Transparent: Pseudonymiser {
    func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        "\(purpose.rawValue):\(hex(canonicalBytes))"
    }
}

extension Disclosure {
    static func all(_ treatment: Treatment) -> Disclosure {
        Disclosure(
            identities: treatment, addresses: treatment, virtualAddresses: treatment,
            pseudonymiser: Transparent())
    }
}

extension EventKind: CustomTestStringConvertible {
    package var testDescription: String { name }
}
