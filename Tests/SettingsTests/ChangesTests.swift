import Crypto
import Testing

@testable import Settings

@Suite("What changed between two configurations")
struct ChangesTests {
    private func changes(_ before: String, _ after: String) throws -> [Change] {
        try parse(before).changes(to: try parse(after))
    }

    @Test("nothing, if a default is written out or a list of one gets brackets")
    func nothing() throws {
        #expect(try changes(smallest, smallest).isEmpty)
        let longer = smallest.replacing(
            "remote_ids: \"*@example.org\"", with: "remote_ids: [\"*@example.org\"]\n    dpd: 30s")
        #expect(try changes(smallest, longer + "gateway: {port: 500, nat_port: 4500}\n").isEmpty)
    }

    @Test("values that a running gateway follows, and pools and connections by name")
    func live() throws {
        let after =
            smallest
            .replacing("10.88.0.0/24}", with: "10.88.0.0/23}")
            .replacing("pools: [", with: "pools: [{name: guests, addresses: 10.90.0.0/24}, ")
            + "    dpd: 60s\ngateway: {max_sessions: 5}\n"
        let found = try changes(smallest, after)
        #expect(
            found.map(\.line) == [
                "connections[staff].dpd: 30.0 seconds -> 60s",
                "gateway.max_sessions: 10000 -> 5",
                "pools[guests].addresses: added 10.90.0.0/24",
                "pools[guests].name: added guests",
                "pools[staff].addresses: 10.88.0.0/24 -> 10.88.0.0/23",
            ])
        #expect(found.filter { !$0.isLive }.isEmpty)
    }

    @Test("what needs a restart, with its line")
    func restart() throws {
        let found = try changes(
            smallest, smallest + "gateway: {port: 501}\ntelemetry: {interval: 1s}\n")
        #expect(
            found.filter { !$0.isLive }.map(\.problem.description) == [
                "weir.yaml:8: gateway.port: cannot change while weir runs (500 -> 501); "
                    + "restart weir, or take the change back",
                "weir.yaml:9: telemetry.interval: cannot change while weir runs "
                    + "(15.0 seconds -> 1s); restart weir, or take the change back",
            ])
    }

    @Test("a tenant's device, and its pool, need a restart")
    func tenant() throws {
        let before =
            smallest.replacing(
                "10.88.0.0/24}", with: "10.88.0.0/24}, {name: other, addresses: 10.90.0.0/24}")
            + "    tun: {name: weir1, table: 100}\n"
        for after in [
            before.replacing("table: 100", with: "table: 101"),
            before.replacing("name: weir1", with: "name: weir2"),
            before.replacing("pool: staff", with: "pool: other"),
            before.replacing("    tun: {name: weir1, table: 100}\n", with: ""),
        ] {
            let found = try changes(before, after)
            #expect(found.contains { !$0.isLive && $0.key.contains("connections[staff].tun") })
        }
    }

    @Test("identities and secrets only as something that changed")
    func personal() throws {
        let after = smallest.replacing("*@example.org", with: "alice@example.org")
            .replacing("gw.example.org", with: "gw2.example.org")
        let found = try changes(smallest, after)
        #expect(
            found.map(\.line) == [
                "connections[staff].local_id: changed", "connections[staff].remote_ids: changed",
            ])
        let other = try Configuration.parse(
            Array(smallest.utf8), file: "weir.yaml",
            secrets: SecretSource { (_) throws(SecretError) in
                SecretBytes(copying: Array("marlin".utf8))
            })
        #expect(
            try parse(smallest).changes(to: other).map(\.line) == [
                "connections[staff].secret: another secret"
            ])
    }

    @Test("the order of connections")
    func order() throws {
        let second = """
              - name: admins
                local_id: gw.example.org
                remote_ids: "*"
                secret: {env: PSK}
                pool: staff

            """
        let both = smallest + second
        let turned = smallest.replacing("connections:\n", with: "connections:\n" + second)
        #expect(
            try changes(both, turned).map(\.line) == ["connections: staff, admins -> admins, staff"]
        )
    }
}
