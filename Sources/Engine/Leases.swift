import Vocabulary
import Wire

// Virtual addresses for peers that ask for them (RFC 7296 §2.19, §3.15).

/// Why a peer gets no address, for us and for it.
struct LeaseRefusal: Error {
    let reason: AuthFailure
    let notify: NotifyPayload.Kind
}

/// Addresses for a session that is not sure to begin yet.
struct LeaseOffer {
    let pool: String
    /// IPv4 first; never empty.
    var addresses: [IPAddress] = []
    /// Of them, those that the pool has lent for it.
    var lent: [IPAddress] = []
    /// Of them, those whose holders are to be evicted.
    var awaited: [IPAddress] = []
    /// What the peer is told.
    var payloads: [AnyPayload] = []
}

extension Engine {
    /// Finds an address of each family that the peer asks for and the connection's pool has. One
    /// of two is enough: the peer sees what it got (RFC 7296 §3.15.4).
    ///
    /// - Parameter room: who is to be evicted for want of addresses is added.
    /// - Returns: nil if the connection lends no addresses.
    func offerLease(
        to session: Session, _ connection: Connection, asking request: ConfigurationPayload?,
        isChildless: Bool, _ room: inout Room, _ output: inout Output
    ) throws(LeaseRefusal) -> LeaseOffer? {
        guard let name = connection.pool else { return nil }
        // A Child SA that comes later is refused then.
        if request == nil, isChildless { return nil }
        guard let request, request.kind == .request else {
            throw LeaseRefusal(reason: .failedCPRequired, notify: .failedCPRequired)
        }
        let wanted = Set(request.attributes.map(\.kind))
        var offer = LeaseOffer(pool: name)
        for family in AddressFamily.allCases where wanted.contains(family.addressAttribute) {
            // No copy of the pool may be at hand while it lends, or it is copied whole each time.
            guard let size = pools[name]?.size(family), size > 0 else { continue }
            if let own = ownAddress(family, of: session, pool: name, request, &room) {
                offer.addresses.append(own)
            } else if let lent = formerAddress(family, of: session, pool: name)
                ?? pools[name]?.lend(family, to: session.identity.canonicalBytes)
            {
                offer.addresses.append(lent)
                offer.lent.append(lent)
            } else if let awaited = evictedAddress(family, of: name, &room) {
                offer.addresses.append(awaited)
                offer.awaited.append(awaited)
            } else {
                output.events.append(PoolExhausted(pool: name, size: size))
            }
        }
        guard !offer.addresses.isEmpty else {
            throw LeaseRefusal(reason: .internalAddressFailure, notify: .internalAddressFailure)
        }
        var attributes = offer.addresses.map { address in
            ConfigurationPayload.Attribute(
                address.family.addressAttribute, address.family.value(of: address))
        }
        for server in connection.dns {
            attributes.append(.init(server.isIPv4 ? .ip4DNS : .ip6DNS, server.bytes))
        }
        offer.payloads = [.configuration(ConfigurationPayload(.reply, attributes))]
        return offer
    }

    /// An address of a pool that has none left: of a session that is to be evicted anyhow, or by
    /// the pool's policy.
    private func evictedAddress(
        _ family: AddressFamily, of pool: String, _ room: inout Room
    ) -> IPAddress? {
        if let address = room.evicted.lazy.compactMap({ self.soleAddress(family, of: $0, pool) })
            .first
        {
            return address
        }
        guard let eviction = pools[pool]?.policy.eviction,
            let victim = victim(in: .pool(pool, family), eviction, sparing: room),
            let address = soleAddress(family, of: victim, pool)
        else { return nil }
        room.evicted.append(victim)
        return address
    }

    /// The address that goes back to the pool when a session ends.
    func soleAddress(
        _ family: AddressFamily, of session: Session, _ pool: String
    ) -> IPAddress? {
        guard let lease = session.lease, lease.pool == pool else { return nil }
        return lease.addresses.first { $0.family == family && !sharesAddress(session, $0) }
    }

    /// The login has failed.
    func takeBack(_ offer: LeaseOffer?) {
        for address in offer?.lent ?? [] { pools[offer?.pool ?? ""]?.giveBack(address) }
    }

    /// The login succeeds, and who was to be evicted has been.
    func take(_ offer: LeaseOffer, for session: Session) -> Lease {
        for address in offer.awaited {
            _ = pools[offer.pool]?.lend(address, to: session.identity.canonicalBytes)
        }
        return Lease(pool: offer.pool, addresses: offer.addresses)
    }
}

extension AddressFamily {
    var addressAttribute: ConfigurationPayload.Attribute.Kind {
        switch self {
        case .ipv4: .ip4Address
        case .ipv6: .ip6Address
        }
    }

    /// An attribute's value. An IPv6 address carries its prefix length (RFC 7296 §3.15.1), which
    /// is that of one address: nobody else of the pool is on the peer's link.
    func value(of address: IPAddress) -> [UInt8] {
        switch self {
        case .ipv4: address.bytes
        case .ipv6: address.bytes + [128]
        }
    }
}

extension ConfigurationPayload {
    /// The virtual addresses of an answer, IPv4 first.
    var addresses: [IPAddress] {
        AddressFamily.allCases.compactMap { family in
            attributes.first { $0.kind == family.addressAttribute }
                .flatMap { IPAddress(Array($0.value.prefix(family == .ipv4 ? 4 : 16))) }
        }
    }
}

extension IPAddress {
    var family: AddressFamily { isIPv4 ? .ipv4 : .ipv6 }
}
