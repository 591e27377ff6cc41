import Foundation
import Testing
import Wire

/// Datagrams that broke somebody's IKE daemon, or would have: one file each, named for its defect.
@Suite("Corpus")
struct CorpusTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Corpus")

    /// Are read, and written as they were.
    static let good = ["good-init.bin", "good-unknown-critical.bin"]

    static let refused: [String: WireError] = [
        "empty.bin": .truncated(needed: 8, left: 0),
        "header-cut.bin": .truncated(needed: 4, left: 1),
        "length-huge.bin": .illegal(.messageLength, value: 0xffff_ffff),
        "length-zero.bin": .illegal(.messageLength, value: 0),
        "spi-zero.bin": .illegal(.initiatorSPI, value: 0),
        "ikev1-main-mode.bin": .illegal(.majorVersion, value: 1),
        "version-3.bin": .illegal(.majorVersion, value: 3),
        "payload-length-zero-loop.bin": .illegal(.payloadLength, value: 0),
        "payload-length-past-end.bin": .truncated(needed: 0xfffb, left: 4),
        "chain-of-empty-payloads.bin": .tooMany(.payloads),
        "proposals-bomb.bin": .tooMany(.proposals),
        "transform-count-lies.bin": .illegal(.numberOfTransforms, value: 200),
        "selector-count-lies.bin": .truncated(needed: 1, left: 0),
        "delete-64k-spis.bin": .tooMany(.numberOfSPIs),
        "notify-spi-past-end.bin": .truncated(needed: 255, left: 2),
        "nonce-empty.bin": .illegal(.nonce, value: 0),
        "encrypted-then-more.bin": .trailing(left: 4),
    ]

    @Test("has a verdict on every file, and a file for every verdict")
    func complete() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(files) == Set(Self.refused.keys).union(Self.good))
    }

    @Test("is read and written", arguments: good)
    func replayGood(_ name: String) throws {
        let bytes = try Self.bytes(name)
        #expect(try Message(parsing: bytes).rewritten == bytes)
    }

    @Test("is refused", arguments: refused.keys.sorted())
    func replay(_ name: String) throws {
        let bytes = try Self.bytes(name)
        let failure = #expect(throws: ParseFailure.self) { try Message(parsing: bytes) }
        #expect(failure?.error == Self.refused[name])
    }

    private static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }
}
