import Crypto
import Foundation
import Testing

@testable import Settings

/// The folder of this repository.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

func text(of file: String) throws -> String {
    try String(contentsOf: repository.appending(path: file), encoding: .utf8)
}

/// Every secret is `swordfish`.
let sameSecret = SecretSource { (_) throws(SecretError) in
    SecretBytes(copying: Array("swordfish\n".utf8))
}

func parse(_ yaml: String) throws(SettingsError) -> Configuration {
    try Configuration.parse(Array(yaml.utf8), file: "weir.yaml", secrets: sameSecret)
}

/// The lines that the user sees; empty if there is nothing wrong.
func complaints(about yaml: String) -> [String] {
    do throws(SettingsError) {
        _ = try parse(yaml)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

/// The smallest file that is right.
let smallest = """
    pools: [{name: staff, addresses: 10.88.0.0/24}]
    connections:
      - name: staff
        local_id: gw.example.org
        remote_ids: "*@example.org"
        secret: {env: PSK}
        pool: staff

    """

/// Whether a secret is these bytes (the expectation macros can't look into a ~Copyable value).
func isSecret(_ secret: SharedSecret, _ bytes: [UInt8]) -> Bool { secret.bytes.matches(bytes) }

func areEqual(_ left: SharedSecret, _ right: SharedSecret) -> Bool {
    left.bytes.matches(right.bytes)
}
