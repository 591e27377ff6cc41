import Crypto
import Engine
import Foundation
import Testing

@testable import Settings

@Suite("The file with the keys of tickets")
struct TicketKeyTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "weir-tickets-\(UUID().uuidString)")
    private var path: String { folder.appending(path: "tickets.keys").path }
    private let hour: UInt64 = 3_600
    private let start: UInt64 = 1_795_000_000

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func file(_ extra: String = "lifetime: 2h, rotate: 4h") throws -> TicketKeyFile {
        let yaml = smallest + "gateway: {resumption: {ticket_keys: \(path), \(extra)}}\n"
        return TicketKeyFile(try #require(try parse(yaml).gateway.resumption))
    }

    private func ids(_ file: TicketKeyFile, at now: UInt64) throws -> [UInt64] {
        try file.keys(at: now).map(\.id)
    }

    @Test("is made when it is missing, for its owner only, and says the same ever after")
    func made() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try file()
        let first = try ids(file, at: start)
        #expect(first.count == 1)
        #expect(try ids(file, at: start + hour) == first)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines[0].wholeMatch(of: /1795000000 0x[0-9a-f]{64}/) != nil)
    }

    @Test("gets a new key in time, and keeps the old one as long as a ticket may need it")
    func rotated() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try file()
        let first = try ids(file, at: start)
        let second = try ids(file, at: start + 4 * hour)
        #expect(second.count == 2 && second.first == first.first)
        #expect(try ids(file, at: start + 6 * hour) == second)
        let third = try ids(file, at: start + 8 * hour)
        #expect(third.count == 2 && third.first == second.last)
        // A gateway that was away for long begins anew.
        let last = try ids(file, at: start + 900 * hour)
        #expect(last.count == 1 && !third.contains(last[0]))
    }

    @Test("that another gateway wrote is taken as it is")
    func shared() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = "0x" + String(repeating: "5a", count: 32)
        try "1795000000 \(key)".write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o600)
        let expected = try TicketKey(
            SharedSecret(SecretBytes(copying: Array(repeating: 0x5a, count: 32))),
            created: start)
        #expect(try ids(try file(), at: start + 1) == [expected.id])
    }

    @Test(
        "that is wrong is not touched, and its secrets are not told",
        arguments: [
            "nonsense", "1795000000", "x 0x00", "1795000000 0x5a5a", "1795000000 0xzz",
            "99999999999999999999 0x" + String(repeating: "5a", count: 32),
        ])
    func wrong(_ text: String) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o600)
        let file = try file()
        let error = #expect(throws: SecretError.self) { try file.keys(at: start) }
        #expect(error?.reason.contains("line 1") == true)
        #expect(error?.reason.contains("5a5a") == false)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test("that everybody may read is refused")
    func open() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try "".write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o644)
        let file = try file()
        #expect(throws: SecretError.self) { try file.keys(at: start) }
    }

    @Test("has to be named, and not to hold too many keys")
    func settings() throws {
        #expect(try parse(smallest).gateway.resumption == nil)
        #expect(
            complaints(about: smallest + "gateway: {resumption: {lifetime: 1h}}\n").contains {
                $0.contains("ticket_keys")
            })
        #expect(
            complaints(
                about: smallest
                    + "gateway: {resumption: {ticket_keys: k, lifetime: 25h, rotate: 1h}}\n"
            ).contains { $0.contains("24 times") })
        let settings = try #require(
            try parse(smallest + "gateway: {resumption: {ticket_keys: /k}}\n").gateway.resumption)
        #expect(settings.lifetime == .seconds(8 * 3_600) && settings.rotate == .seconds(43_200))
    }
}
