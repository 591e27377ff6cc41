import Vocabulary

/// Why an engine keeps its policy. Nothing has changed then.
package enum PolicyRefusal: Error, Hashable {
    /// The pool has lent so many addresses that it would not have any more.
    case poolInUse(name: String, lent: Int)
}

extension Engine {
    /// Takes another policy. Sessions stay, under the terms that they began with; logins from now
    /// on follow the new policy. The shard's number is not the policy's to change.
    package func adopt(_ new: EnginePolicy) throws(PolicyRefusal) {
        let wanted = Dictionary(
            new.pools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for (name, pool) in pools.sorted(by: { $0.key < $1.key }) {
            let stranded = pool.stranded(by: wanted[name])
            guard stranded == 0 else { throw .poolInUse(name: name, lent: stranded) }
        }
        var adopted: [String: Pool] = [:]
        for (name, policy) in wanted {
            var pool = pools[name] ?? Pool(policy)
            pool.adopt(policy)
            adopted[name] = pool
        }
        pools = adopted
        evictionQueues = [:]
        let (shard, resumption) = (policy.shard, policy.resumption)
        policy = new
        policy.shard = shard
        policy.resumption = resumption
    }
}
