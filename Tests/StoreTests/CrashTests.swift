import Foundation
import Store
import TestFiles
import Testing
import Vocabulary

/// A writer that is killed in the middle of its work, again and again.
@Suite("After kill -9")
struct CrashTests {
    /// Starts the helper, reads `count` acknowledgements, kills it.
    ///
    /// - Returns: the last batch that it acknowledged.
    private func crash(_ path: String, after count: Int) throws -> UInt64 {
        let helper = try #require(
            URL(string: "store-crash-helper", relativeTo: Bundle.main.executableURL))
        let process = Process()
        let output = Pipe()
        process.executableURL = helper
        process.arguments = [path]
        process.standardOutput = output
        try process.run()
        var text = ""
        while text.split(separator: "\n").count < count {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
        }
        kill(process.processIdentifier, SIGKILL)
        text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return try #require(text.split(separator: "\n").last.flatMap { UInt64($0) }, "\(text)")
    }

    @Test(
        "the store opens, holds all that was acknowledged, and knows what is open",
        arguments: [1, 2, 3, 5, 20, 57, 118])
    func survives(_ count: Int) throws {
        let folder = try Folder()
        let acknowledged = try crash(folder.file, after: count)

        let rows = try folder.read().rows("SELECT max(child), count(*) FROM child_sa_installed")
        guard case .integer(let last)? = rows.rows.first?.first else {
            Issue.record("nothing was recorded")
            return
        }
        #expect(rows.rows == [[.integer(last), .integer(last)]])
        let batch = UInt64(last)
        #expect(batch == acknowledged || batch == acknowledged + 1)

        let store = try folder.open(at: 1)
        let open = Array(max(batch, 3) - 2...batch)
        let ids = open.map { SessionID(milliseconds: $0, random: []) }
        #expect(store.unfinished.sessions.map(\.id) == ids)
        #expect(store.unfinished.sessions.map(\.total.bytesIn) == open.map { _ in batch })
        #expect(store.unfinished.sessions.allSatisfy { $0.lastSeen.nanoseconds == last })
        #expect(store.unfinished.children.map(\.child.number) == open)
        #expect(store.unfinished.children.map(\.total.bytesIn) == open.map { _ in batch })
        #expect(store.unfinished.leases.map(\.session) == ids)
        #expect(store.unfinished.gateway?.run == 1)
        #expect(store.unfinished.gateway?.lastSeen.nanoseconds == last)
    }

    /// 25 to 80 s, by what else the machine does. `WEIR_SEED=N` repeats one run of it.
    @Test("a thousand kills at random moments lose nothing that was durable, and never a file")
    func thousandKills() throws {
        let folder = try Folder()
        let seed =
            ProcessInfo.processInfo.environment["WEIR_SEED"].flatMap { UInt64($0) }
            ?? .random(in: 0...999_999)
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(
            string: "store-crash-helper", relativeTo: Bundle.main.executableURL)
        process.arguments = ["kills", folder.path, "1000", String(seed)]
        process.standardOutput = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "seed \(seed): \(text)")
        #expect(text.hasPrefix("1000 kills, "), "seed \(seed): \(text)")
    }

    @Test("the lock goes with the process")
    func lockIsGone() throws {
        let folder = try Folder()
        _ = try crash(folder.file, after: 1)
        _ = try crash(folder.file, after: 1)
        #expect(try folder.open().run == 3)
    }
}
