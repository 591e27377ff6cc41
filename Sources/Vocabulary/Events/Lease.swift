/// A session holds a virtual address from now on.
package struct LeaseGranted: Event {
    package var session: Public<SessionID>
    package var pool: Public<String>
    package var identity: Personal<Identity>
    package var address: Personal<VirtualAddress>

    package init(session: SessionID, pool: String, identity: Identity, address: VirtualAddress) {
        self.session = Public(session)
        self.pool = Public(pool)
        self.identity = Personal(identity)
        self.address = Personal(address)
    }

    package static let schema = Schema<Self>(
        "lease_granted", since: 1, rfc: "7296 §2.19",
        "A session was given a virtual address out of a pool.",
        fields: [
            Field("session", \.session, "the session"),
            Field("pool", \.pool, "the pool"),
            Field("identity", \.identity, "who the peer proved to be"),
            Field("address", \.address, "the virtual address"),
        ],
        counters: [Counter("ike_leases_granted_total", "Virtual addresses lent.")])

    package static let example = Self(
        session: .example, pool: "staff", identity: Identity("alice@example.org"),
        address: VirtualAddress(.v4(0x0a58_0001)))
}

/// The session's virtual address is free again.
package struct LeaseReleased: Event {
    package var session: Public<SessionID>
    package var pool: Public<String>
    package var uncertaintyMilliseconds: Public<UInt64>

    package init(session: SessionID, pool: String, uncertaintyMilliseconds: UInt64 = 0) {
        self.session = Public(session)
        self.pool = Public(pool)
        self.uncertaintyMilliseconds = Public(uncertaintyMilliseconds)
    }

    package static let schema = Schema<Self>(
        "lease_released", since: 1, rfc: "7296 §2.19",
        "A session's virtual address went back to its pool.",
        fields: [
            Field("session", \.session, "the session"),
            Field("pool", \.pool, "the pool"),
            Field(
                "uncertainty_ms", \.uncertaintyMilliseconds, in: .milliseconds,
                "it may have been free up to this much earlier"),
        ],
        counters: [Counter("ike_leases_released_total", "Virtual addresses given back.")])

    package static let example = Self(session: .example, pool: "staff")
}

/// Somebody could not be given an address.
package struct PoolExhausted: Event {
    package var pool: Public<String>
    package var size: Public<UInt64>

    package init(pool: String, size: UInt64) {
        self.pool = Public(pool)
        self.size = Public(size)
    }

    package static let schema = Schema<Self>(
        "pool_exhausted", since: 1, rfc: "7296 §3.15.4",
        "A peer got no address of a family because all of its pool's were lent.",
        fields: [
            Field("pool", \.pool, "the pool"),
            Field("size", \.size, in: .count, "how many addresses of that family it has"),
        ],
        counters: [
            Counter("ike_pool_exhausted_total", "Virtual addresses that could not be lent.")
        ])

    package static let example = Self(pool: "staff", size: 254)
}
