import Engine
import Foundation
import Testing
import Vocabulary

@testable import Settings

@Suite("What the documentation says")
struct DocumentationTests {
    @Test("the example loads")
    func example() throws {
        let configuration = try parse(try text(of: "docs/weir.example.yaml"))
        #expect(configuration.gateway.name == "gw.example.org")
        #expect(configuration.pools.map(\.ipv4?.count) == [254])
        let connection = try #require(configuration.connections.first)
        #expect(isSecret(connection.secret, Array("swordfish".utf8)))
        #expect(
            connection.remoteIDs == [
                .suffix("@example.org"), .exact(Identity("psk-client.lab")),
            ])
        #expect(connection.rekeyIKE == .seconds(14_400) && connection.dpd == .seconds(30))
        #expect(connection.localNetworks.map(\.description) == ["10.99.0.0/24"])
        #expect(configuration.alertmanagers.map(\.value) == ["http://127.0.0.1:9093"])
    }

    @Test("every key is documented, and no other")
    func keys() throws {
        let report = Report(file: "weir.example.yaml")
        let example = Array(try text(of: "docs/weir.example.yaml").utf8)
        _ = try Configuration.parse(example, secrets: sameSecret, report: report)
        let documented = try text(of: "docs/configuration.md").split(separator: "\n")
            .compactMap { $0.firstMatch(of: /^\| `([a-z_.\[\]]+)` \|/)?.1 }.map(String.init)
        #expect(documented.count == Set(documented).count)
        #expect(Set(documented) == report.acceptedKeys)
    }

    @Test("the defaults are those of the reader")
    func defaults() throws {
        let blocks = try text(of: "docs/configuration.md").components(separatedBy: "```yaml\n")
            .dropFirst().compactMap { $0.components(separatedBy: "```").first }
        try #require(blocks.count == 2)
        let smallest = try parse(blocks[0])
        let full = try parse(blocks[1])
        #expect(String(describing: smallest) == String(describing: full))
    }
}
