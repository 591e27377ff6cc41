import Vocabulary

// Tenants: connections whose clients have a TUN device and a routing table of their own.

extension Loader {
    /// - Parameter isWanted: there is such a section.
    func device(_ section: Section, isWanted: Bool) -> Configuration.Device? {
        for key in ["name", "table"] where isWanted && !section.has(key) {
            section.fail("lacks \"\(key)\"; for example {name: weir1, table: 100}")
        }
        // The kernel's limit is 15 bytes.
        let name = section.optional("name", .name("weir1", limit: 15))
        let table = section.optional("table", .integer(1...Int(UInt32.max)))
        guard let name, let table else { return nil }
        // RT_TABLE_DEFAULT, RT_TABLE_MAIN, RT_TABLE_LOCAL.
        if (253...255).contains(table.value) {
            section.fail("table", "\(table.value) is the system's own; choose another, such as 100")
        }
        return Configuration.Device(name: name, table: UInt32(clamping: table.value))
    }

    /// A device has one table, and a pool one device.
    func checkDevices(
        of connections: [Configuration.Connection], gateway: Located<String>, _ root: Section
    ) {
        var owners: [String: Configuration.Connection] = [:]
        var users: [String: Configuration.Connection] = [:]
        for connection in connections {
            if let device = connection.tun {
                if device.name.value == gateway.value {
                    root.report.add(
                        device.name.problem("is the gateway's own TUN device; choose another name"))
                }
                let owner = owners[device.name.value]
                if let owner, let table = owner.tun?.table, table != device.table {
                    root.report.add(
                        device.name.problem(
                            "is in table \(table) for the connection \"\(owner.name)\"; "
                                + "a device has one table"))
                }
                owners[device.name.value] = owner ?? connection
            }
            if let user = users[connection.pool],
                user.tun?.name.value != connection.tun?.name.value
            {
                root.fail(
                    "connections",
                    "\"\(user.name)\" and \"\(connection.name)\" have different TUN devices "
                        + "and share the pool \"\(connection.pool)\"; give each its own")
            }
            users[connection.pool] = users[connection.pool] ?? connection
        }
    }

    /// In one routing table an address can have one pool.
    func checkOverlaps(
        of pools: [(pool: Configuration.Pool, section: Section)],
        _ connections: [Configuration.Connection]
    ) {
        func table(_ pool: Configuration.Pool) -> UInt32? {
            connections.first { $0.pool == pool.name }?.tun?.table
        }
        for (index, (pool, section)) in pools.enumerated() {
            for (other, _) in pools.prefix(index) where table(pool) == table(other) {
                for range in pool.ranges where other.ranges.contains(where: range.overlaps) {
                    section.fail(
                        "addresses",
                        "overlaps the pool \"\(other.name)\"; an address can have one pool")
                }
            }
        }
    }
}

extension Configuration {
    /// Each inner network's TUN device; its place is the network's number. The first is the
    /// gateway's own; the others are in the order of their names, so that a reload keeps it.
    package var devices: [Device] {
        var named: [String: Device] = [:]
        for case let device? in connections.map(\.tun) { named[device.name.value] = device }
        return [Device(name: gateway.tunName, table: nil)]
            + named.sorted { $0.key < $1.key }.map(\.value)
    }

    package func network(of connection: Connection) -> Int {
        guard let tun = connection.tun else { return 0 }
        return devices.firstIndex { $0.name.value == tun.name.value } ?? 0
    }

    /// Of a pool that no connection has: the gateway's own.
    package func network(ofPool name: String) -> Int {
        connections.first { $0.pool == name }.map(network(of:)) ?? 0
    }
}
