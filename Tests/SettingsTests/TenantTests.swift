import Testing

@testable import Settings

@Suite("Tenants in a configuration")
struct TenantTests {
    /// Two tenants with the same addresses; `changes` are made in it.
    private func file(_ changes: (String, String)...) -> String {
        var text = """
            pools: [{name: red, addresses: 10.88.0.0/24}, {name: blue, addresses: 10.88.0.0/24}]
            connections:
              - name: red
                local_id: gw.example.org
                remote_ids: "*@red.example"
                secret: {env: WEIR_PSK}
                pool: red
                tun: {name: weir-red, table: 100}
              - name: blue
                local_id: gw.example.org
                remote_ids: "*@blue.example"
                secret: {env: WEIR_PSK}
                pool: blue
                tun: {name: weir-blue, table: 200}

            """
        for (old, new) in changes { text = text.replacing(old, with: new) }
        return text
    }

    @Test("have devices of their own, whose numbers do not depend on the order of the file")
    func devices() throws {
        let configuration = try parse(file())
        #expect(configuration.devices.map(\.name.value) == ["weir0", "weir-blue", "weir-red"])
        #expect(configuration.devices.map(\.table) == [nil, 200, 100])
        #expect(configuration.connections.map(configuration.network(of:)) == [2, 1])
        #expect(
            ["red", "blue", "none"].map(configuration.network(ofPool:)) == [2, 1, 0])
    }

    @Test(
        "mistakes",
        arguments: [
            (
                "table: 200", "table: 100",
                "weir.yaml:1: pools[2].addresses: overlaps the pool \"red\"; "
                    + "an address can have one pool"
            ),
            (
                "name: weir-blue", "name: weir-red",
                "weir.yaml:14: connections[2].tun.name: is in table 100 for the connection "
                    + "\"red\"; a device has one table"
            ),
            (
                "name: weir-blue", "name: weir0",
                "weir.yaml:14: connections[2].tun.name: is the gateway's own TUN device; "
                    + "choose another name"
            ),
            (
                "pool: blue", "pool: red",
                "weir.yaml:2: connections: \"red\" and \"blue\" have different TUN devices and "
                    + "share the pool \"red\"; give each its own"
            ),
            (
                "table: 200", "table: 254",
                "weir.yaml:14: connections[2].tun.table: 254 is the system's own; choose another, "
                    + "such as 100"
            ),
            (
                ", table: 200", "",
                "weir.yaml:14: connections[2].tun: lacks \"table\"; for example "
                    + "{name: weir1, table: 100}"
            ),
        ])
    func mistakes(_ example: (old: String, new: String, complaint: String)) {
        let seen = complaints(about: file((example.old, example.new)))
        #expect(seen.contains(example.complaint), "\(seen)")
    }
}
