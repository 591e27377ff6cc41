import Foundation
import Testing
import Vocabulary

@testable import Exporter

let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Runs a program of this machine to its end.
///
/// - Parameter package: the Debian package that has it, for whoever lacks it.
func run(
    _ program: String, _ arguments: [String], from package: String, input: [UInt8] = []
) throws -> (status: Int32, output: String) {
    let path = "/usr/bin/\(program)"
    try #require(
        FileManager.default.isExecutableFile(atPath: path),
        "\(program) is missing: apt-get install \(package)")
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    let stdin = Pipe()
    let stdout = Pipe()
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stdout
    try process.run()
    // Its output is small and the pipe's buffer is not; it reads all of its input first.
    try stdin.fileHandleForWriting.write(contentsOf: Data(input))
    try stdin.fileHandleForWriting.close()
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// A folder that is gone when `body` ends.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
        .appending(path: "weir-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

extension Registry {
    /// Every kind of event once, and a tick with two pools.
    static func withExamples() -> Registry {
        let registry = Registry(version: "0.1.0")
        for kind in Catalogue.events {
            registry.count(kind.example.increments)
            registry.observe(
                kind.example.observations, at: Timestamp(nanoseconds: 1_795_000_000_250_000_000))
        }
        registry.update(.example, at: Instant(nanoseconds: 0))
        registry.set(.metricsServer, expiry: 1_827_006_156)
        var server = RadiusServerState(name: "radius1")
        server.isUp = true
        server.count(.answered)
        server.count(.authenticator)
        registry.update([server], answers: [RadiusAnswer(server: "radius1", seconds: 0.004)])
        registry.set(.queueLength, to: 3)
        registry.set(.storeWriteSeconds, to: 0.0125)
        registry.set(.alertsFiring, slot: 1, to: 2)
        return registry
    }

    /// Without the process's own figures, which differ from run to run.
    func text(_ format: Exposition = .text004) -> String {
        String(decoding: render(format, process: ProcessFigures()), as: UTF8.self)
    }

    func lines(_ format: Exposition = .text004) -> [String] {
        text(format).split(separator: "\n").map(String.init)
    }
}

extension Tick {
    static var example: Tick {
        var tick = Tick()
        tick.sessions = 12
        tick.sessionLimit = 500
        tick.halfOpen = 1
        tick.halfOpenLimit = 1_000
        tick.childSAs = 13
        tick.traffic = Traffic(bytesIn: 1_200_000, packetsIn: 9_000, bytesOut: .max, packetsOut: 11)
        let header = [UInt8](repeating: 0, count: 18)
        for (type, flags) in [(34, 0x08), (35, 0x08), (37, 0x20)] as [(UInt8, UInt8)] {
            tick.received.count(header + [type, flags] + header)
        }
        tick.received.count([])
        tick.sent.count(header + [34, 0x20] + header)
        tick.connections = [
            ConnectionState(name: "staff", sessions: 12, limit: 200),
            ConnectionState(name: "guests", sessions: 0, limit: 10_000),
        ]
        tick.pools = [
            PoolState(name: "staff", size: 254, used: 12),
            PoolState(name: "a \"b\\c\nd", size: 1, used: 0),
        ]
        return tick
    }
}
