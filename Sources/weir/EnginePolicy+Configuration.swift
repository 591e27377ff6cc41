import Clocks
import ESP
import Engine
import Gateway
import Settings
import Vocabulary

extension EnginePolicy {
    /// What the engine needs of a configuration.
    init(_ configuration: Configuration) {
        self.init(
            connections: configuration.connections.map { connection in
                Connection(
                    connection,
                    dns: configuration.pools.first { $0.name == connection.pool }?.dns ?? [])
            },
            pools: configuration.pools.map(PoolPolicy.init))
        sessionLimit = configuration.gateway.maxSessions
        halfOpenLimit = configuration.gateway.maxHalfOpen
        fragmentSize = configuration.gateway.fragmentSize
        addresses = configuration.gateway.listen.map(\.value).filter {
            $0 != .v4(0) && $0 != .v6(high: 0, low: 0)
        }
        stopwatch = { SystemClock.now.nanoseconds }
    }
}

extension Connection {
    fileprivate init(_ connection: Configuration.Connection, dns: [IPAddress]) {
        self.init(
            name: connection.name, localIdentity: connection.localID,
            remoteIdentities: connection.remoteIDs,
            secret: connection.secret,
            ikeSuites: connection.ikeProposals, espSuites: connection.espProposals,
            pool: connection.pool, dns: dns,
            localSelectors: connection.localNetworks.map {
                Selector(prefix: $0.address, length: $0.length)
            },
            rekey: RekeyPolicy(
                ike: connection.rekeyIKE, child: connection.rekeyChild,
                jitter: Double(connection.rekeyJitterPercent) / 100),
            livenessInterval: connection.dpd)
    }
}

extension PoolPolicy {
    fileprivate init(_ pool: Configuration.Pool) {
        func block(_ range: AddressRange?) -> AddressBlock? {
            range.flatMap { AddressBlock(first: $0.first, last: $0.last) }
        }
        self.init(name: pool.name, ipv4: block(pool.ipv4), ipv6: block(pool.ipv6))
    }
}
