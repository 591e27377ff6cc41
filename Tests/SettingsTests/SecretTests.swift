import Crypto
import Foundation
import Testing
import Vocabulary

@testable import Settings

@Suite("Secrets")
struct SecretTests {
    @Test(
        "three ways to write one",
        arguments: [
            ("swordfish", Array("swordfish".utf8)),
            ("swordfish\n", Array("swordfish".utf8)),
            ("swordfish\r\n", Array("swordfish".utf8)),
            ("two\n\n", Array("two\n".utf8)),
            ("0", Array("0".utf8)),
            ("0x00fFa5\n", [0x00, 0xff, 0xa5]),
            ("0sAAECAwQ=\n", [0, 1, 2, 3, 4]),
            ("0sAAECAwQ", [0, 1, 2, 3, 4]),
            ("0s////", [0xff, 0xff, 0xff]),
            ("0s+w==", [0xfb]),
        ] as [(String, [UInt8])])
    func ways(_ example: (kept: String, secret: [UInt8])) throws {
        let secret = SharedSecret(try decodeSecret(SecretBytes(copying: Array(example.kept.utf8))))
        #expect(isSecret(secret, example.secret))
    }

    @Test(
        "refused",
        arguments: [
            "", "\n", "\r\n", "0x", "0xa", "0xgg", "0s", "0sA", "0s=", "0sA===", "0s!!!!", "0sAA=A",
        ])
    func refused(_ kept: String) {
        #expect(throws: SecretError.self) {
            _ = try decodeSecret(SecretBytes(copying: Array(kept.utf8)))
        }
    }

    @Test("a file that others may read is refused, with the command that mends it")
    func open() throws {
        try inFolder { folder in
            let path = folder + "/psk"
            try Data("swordfish\n".utf8).write(to: URL(fileURLWithPath: path))
            try setMode(0o644, of: path)
            #expect(throws: SecretError("\(path) is open to everybody; run: chmod o= '\(path)'")) {
                try SecretSource.system.secret(.file(path))
            }
            try setMode(0o640, of: path)
            let secret = try SecretSource.system.secret(.file(path))
            #expect(isSecret(secret, Array("swordfish".utf8)))
        }
    }

    @Test("missing, a folder, too long")
    func unreadable() throws {
        try inFolder { folder in
            #expect(throws: SecretError.self) { try SecretSource.system.secret(.file(folder)) }
            let missing = folder + "/none"
            #expect(
                throws: SecretError(
                    "cannot read \(missing): No such file or directory; create it, or correct the path",
                    isMissing: true)
            ) { try SecretSource.system.secret(.file(missing)) }
            let long = folder + "/long"
            try Data(count: 4_097).write(to: URL(fileURLWithPath: long))
            try setMode(0o600, of: long)
            #expect(throws: SecretError("\(long) is longer than 4096 bytes; is it the right file?"))
            {
                try SecretSource.system.secret(.file(long))
            }
        }
    }

    @Test("relative paths are relative to the configuration file")
    func relative() throws {
        try inFolder { folder in
            try Data("swordfish\n".utf8).write(to: URL(fileURLWithPath: folder + "/psk"))
            try setMode(0o600, of: folder + "/psk")
            let yaml =
                smallest.replacing("{env: PSK}", with: "{file: psk}") + "telemetry: {store: w.db}\n"
            try Data(yaml.utf8).write(to: URL(fileURLWithPath: folder + "/weir.yaml"))
            let configuration = try Configuration.load(path: folder + "/weir.yaml")
            #expect(isSecret(configuration.connections[0].secret, Array("swordfish".utf8)))
            #expect(configuration.telemetry.store.value == folder + "/w.db")
            #expect(configuration.telemetry.privacy.key.value == .file(folder + "/pseudonym.key"))
        }
    }

    @Test("a configuration file that is not there")
    func noFile() {
        #expect(throws: SettingsError.self) { try Configuration.load(path: "/nowhere/weir.yaml") }
    }

    @Test("the key of the pseudonyms is made once, for us alone")
    func key() throws {
        try inFolder { folder in
            var privacy = try parse(smallest).telemetry.privacy
            let path = folder + "/pseudonym.key"
            privacy.key = Located(.file(path), at: Place(file: "weir.yaml"), key: "key")
            #expect(try privacy.pseudonymKey(create: false) == nil)
            let made = try #require(try privacy.pseudonymKey(create: true))
            let again = try #require(try privacy.pseudonymKey(create: true))
            let length = made.bytes.count
            #expect(length == 32 && areEqual(made, again))
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            try Data("0x0011\n".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: SettingsError.self) { try privacy.pseudonymKey(create: true) }
        }
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    private func setMode(_ mode: Int, of path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
}
