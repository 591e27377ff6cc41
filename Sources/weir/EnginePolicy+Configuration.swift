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
                    dns: configuration.pools.first { $0.name == connection.pool }?.dns ?? [],
                    network: configuration.network(of: connection))
            },
            pools: configuration.pools.map(PoolPolicy.init))
        sessionLimit = configuration.gateway.maxSessions
        eviction = configuration.gateway.eviction
        halfOpenLimit = configuration.gateway.maxHalfOpen
        childLimit = configuration.gateway.maxChildSAs
        fragmentSize = configuration.gateway.fragmentSize
        drainDeadline = configuration.gateway.drainDeadline
        redirectTargets = configuration.gateway.redirectTargets
        addresses = configuration.gateway.listen.map(\.value).filter {
            $0 != .v4(0) && $0 != .v6(high: 0, low: 0)
        }
        defence = configuration.gateway.defence
        stopwatch = { SystemClock.now.nanoseconds }
    }
}

extension Configuration {
    /// What each shard is to follow, in the order of their numbers.
    var shares: [PolicyShare] {
        let policy = EnginePolicy(self)
        return (0..<gateway.shards).map { number in
            let share = policy.share(of: number, amongst: gateway.shards)
            return PolicyShare(
                policy: share,
                routes: devices.indices.map { network in
                    share.pools.filter { self.network(ofPool: $0.name) == network }
                        .flatMap { [$0.ipv4, $0.ipv6] }.compactMap(\.self)
                        .flatMap(prefixes(covering:))
                })
        }
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
        share.defence = defence.share(of: count)
        for index in pools.indices {
            share.pools[index].ipv4 = pools[index].ipv4?.share(of: shard, amongst: count)
            share.pools[index].ipv6 = pools[index].ipv6?.share(of: shard, amongst: count)
        }
        for index in connections.indices {
            share.connections[index].sessionLimit = connections[index].sessionLimit.map {
                ($0 + count - 1) / count
            }
        }
        return share
    }
}

extension AddressBlock {
    /// nil if there are more shards than addresses and this one gets none.
    fileprivate func share(of shard: Int, amongst count: Int) -> Self? {
        // All of IPv6 is one address short, or its size would not fit.
        let size = min(last.number - first.number, .max - 1) + 1
        let (part, rest) = size.quotientAndRemainder(dividingBy: UInt128(count))
        let start = first.number + part * UInt128(shard) + min(UInt128(shard), rest)
        let length = part + (UInt128(shard) < rest ? 1 : 0)
        guard length > 0 else { return nil }
        return Self(
            first: IPAddress(number: start, isIPv4: first.isIPv4),
            last: IPAddress(number: start + length - 1, isIPv4: first.isIPv4))
    }
}

extension Connection {
    fileprivate init(
        _ connection: Configuration.Connection, dns: [IPAddress], network: Int
    ) {
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
                childLimit: TrafficLimit(
                    bytes: connection.rekeyBytes.map { UInt64($0) } ?? .max,
                    packets: connection.rekeyPackets.map { UInt64($0) } ?? .max),
                jitter: Double(connection.rekeyJitterPercent) / 100,
                grace: connection.rekeyGrace),
            livenessInterval: connection.dpd)
        unique = connection.unique
        authLifetime = connection.authLifetime
        sessionLimit = connection.maxSessions
        userLimit = connection.maxSessionsPerUser
        eviction = connection.eviction
        self.network = network
    }
}

extension PoolPolicy {
    fileprivate init(_ pool: Configuration.Pool) {
        func block(_ range: AddressRange?) -> AddressBlock? {
            range.flatMap { AddressBlock(first: $0.first, last: $0.last) }
        }
        self.init(name: pool.name, ipv4: block(pool.ipv4), ipv6: block(pool.ipv6))
        eviction = pool.eviction
    }
}

/// The fewest prefixes that are a range together.
func prefixes(covering range: AddressBlock) -> [InnerPrefix] {
    let isIPv4 = range.first.isIPv4
    let width = isIPv4 ? 32 : 128
    var prefixes: [InnerPrefix] = []
    var next = range.first.number
    while true {
        // As many host bits as the address has zeros at its end, and as the range has room for.
        var bits = min(next.trailingZeroBitCount, width)
        while bits > 0, hosts(bits) > range.last.number - next { bits -= 1 }
        prefixes.append(
            InnerPrefix(IPAddress(number: next, isIPv4: isIPv4), length: width - bits))
        let last = next + hosts(bits)
        guard last < range.last.number else { return prefixes }
        next = last + 1
    }
}

/// The highest host number with so many bits.
private func hosts(_ bits: Int) -> UInt128 {
    bits >= UInt128.bitWidth ? .max : (1 << UInt128(bits)) - 1
}
