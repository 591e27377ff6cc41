import Testing
import Vocabulary

@testable import Settings

@Suite("RADIUS servers")
struct RadiusTests {
    private func file(_ radius: String) -> String { smallest + "radius: \(radius)\n" }

    @Test("are none where there is no section")
    func none() throws {
        #expect(try parse(smallest).radius == nil)
    }

    @Test("have defaults for all but name, address and secret")
    func defaults() throws {
        let radius = try #require(
            try parse(
                file("{servers: [{name: a, address: 192.0.2.5, secret: {env: S}}]}")
            ).radius)
        let server = try #require(radius.servers.first)
        #expect(server.name == "a" && server.address == .v4(0xc000_0205))
        #expect(server.accountingPort == 1_813)
        #expect(isSecret(server.secret, Array("swordfish".utf8)))
        #expect(radius.timeout == .seconds(2) && radius.retries == 2)
        #expect(radius.probe == .seconds(30) && radius.interim == .seconds(600))
    }

    @Test("are as they are written")
    func values() throws {
        let radius = try #require(
            try parse(
                file(
                    """
                    {timeout: 500ms, retries: 0, probe: 0s, interim: 1m, servers: [
                      {name: a, address: "2001:db8::5", accounting_port: 1646, secret: {env: S}},
                      {name: b, address: 192.0.2.6, secret: {env: S}}]}
                    """)
            ).radius)
        #expect(radius.servers.map(\.name) == ["a", "b"])
        #expect(radius.servers.map(\.accountingPort) == [1_646, 1_813])
        #expect(radius.timeout == .milliseconds(500) && radius.retries == 0)
        #expect(radius.probe == nil && radius.interim == .seconds(60))
    }

    @Test(
        "are refused with a word on what to mend",
        arguments: [
            ("{}", "radius.servers: there are none; add one"),
            ("{timeout: 2s}", "radius.servers: there are none; add one"),
            ("{servers: []}", "radius.servers: there are none; add one"),
            (
                "{servers: [{address: 192.0.2.5, secret: {env: S}}]}",
                "radius.servers[1]: lacks \"name\""
            ),
            (
                "{servers: [{name: a, address: 192.0.2.5}]}",
                "radius.servers[1]: lacks \"secret\": for example {file: /etc/weir/radius.secret}"
            ),
            (
                "{servers: [{name: a, address: 192.0.2.5, secret: testing123}]}",
                "radius.servers[1].secret: a secret does not belong in this file"
            ),
            (
                "{probe: 10ms, servers: [{name: a, address: 192.0.2.5, secret: {env: S}}]}",
                "radius.probe: is shorter than 1s; 0s is for none"
            ),
            (
                """
                {servers: [{name: a, address: 192.0.2.5, secret: {env: S}},
                  {name: a, address: 192.0.2.6, secret: {env: S}}]}
                """, "radius.servers[2].name: a server \"a\" is there already; choose another name"
            ),
            (
                """
                {servers: [{name: a, address: 192.0.2.5, accounting_port: 0, secret: {env: S}}]}
                """, "radius.servers[1].accounting_port: 0 is no port to send to"
            ),
        ])
    func refused(_ radius: String, _ complaint: String) {
        let seen = complaints(about: file(radius))
        #expect(seen.count == 1)
        // The secret is not told.
        #expect(seen.allSatisfy { !$0.contains("testing123") })
        #expect(seen.first?.contains(complaint) == true, "\(seen)")
    }

    @Test("can't change while the gateway runs, nor can their secrets")
    func fixed() throws {
        let before = try parse(file("{servers: [{name: a, address: 192.0.2.5, secret: {env: S}}]}"))
        let after = try parse(file("{servers: [{name: a, address: 192.0.2.6, secret: {env: S}}]}"))
        let changes = before.changes(to: after)
        #expect(changes.map(\.key) == ["radius.servers[a].address"])
        #expect(changes.allSatisfy { !$0.isLive })
        #expect(before.changes(to: before).isEmpty)
    }
}
