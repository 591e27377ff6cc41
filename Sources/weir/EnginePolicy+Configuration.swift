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
            pools: configuration.pools.compactMap(PoolPolicy.init))
        sessionLimit = configuration.gateway.maxSessions
        halfOpenLimit = configuration.gateway.maxHalfOpen
        stopwatch = { SystemClock.now.nanoseconds }
    }
}

extension EnginePolicy {
    /// What one shard of several has of a gateway: its part of each pool and of each limit, rounded
    /// up. Parts of a pool lie side by side, so that a few routes cover each.
    func share(of shard: Int, amongst count: Int) -> Self {
        guard count > 1 else { return self }
        var share = self
        share.shard = UInt8(clamping: shard)
        share.sessionLimit = (sessionLimit + count - 1) / count
        share.halfOpenLimit = (halfOpenLimit + count - 1) / count
        share.pools = pools.compactMap { pool in
            let size = UInt64(pool.last) - UInt64(pool.first) + 1
            let start = size * UInt64(shard) / UInt64(count)
            let end = size * UInt64(shard + 1) / UInt64(count)
            guard start < end else { return nil }
            return PoolPolicy(
                name: pool.name, first: pool.first + UInt32(start),
                last: pool.first + UInt32(end - 1))
        }
        return share
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
    fileprivate init?(_ pool: Configuration.Pool) {
        guard case .v4(let first) = pool.addresses.first, case .v4(let last) = pool.addresses.last
        else { return nil }
        self.init(name: pool.name, first: first, last: last)
    }
}
