import Vocabulary
import Wire

// Virtual addresses for peers that ask for them (RFC 7296 §2.19, §3.15).

/// Why a peer gets no address, for us and for it.
struct LeaseRefusal: Error {
    let reason: AuthFailure
    let notify: NotifyPayload.Kind
}

extension Engine {
    /// Lends an address of each family that the peer asks for and the connection's pool has. One
    /// of two is enough: the peer sees what it got (RFC 7296 §3.15.4).
    ///
    /// - Returns: the answer's payloads; none if the connection lends no addresses.
    func lend(
        to session: Session, _ connection: Connection, asking request: ConfigurationPayload?,
        isChildless: Bool, at now: Instant, _ output: inout Output
    ) -> Result<[AnyPayload], LeaseRefusal> {
        guard let name = connection.pool else { return .success([]) }
        // A Child SA that comes later is refused then.
        if request == nil, isChildless { return .success([]) }
        guard let request, request.kind == .request else {
            return .failure(LeaseRefusal(reason: .failedCPRequired, notify: .failedCPRequired))
        }
        let wanted = Set(request.attributes.map(\.kind))
        var attributes: [ConfigurationPayload.Attribute] = []
        var addresses: [IPAddress] = []
        for family in AddressFamily.allCases where wanted.contains(family.addressAttribute) {
            // No copy of the pool may be at hand while it lends, or it is copied whole each time.
            guard let size = pools[name]?.size(family), size > 0 else { continue }
            let lent =
                ownAddress(family, of: session, pool: name, request)
                ?? formerAddress(family, of: session, pool: name)
                ?? pools[name]?.lend(family, to: session.identity.canonicalBytes)
                ?? lendEvicting(family, of: name, to: session, at: now, &output)
            guard let lent else {
                output.events.append(PoolExhausted(pool: name, size: size))
                continue
            }
            addresses.append(lent)
            attributes.append(.init(family.addressAttribute, family.value(of: lent)))
        }
        guard !addresses.isEmpty else {
            return .failure(
                LeaseRefusal(reason: .internalAddressFailure, notify: .internalAddressFailure))
        }
        session.lease = Lease(pool: name, addresses: addresses)
        for server in connection.dns {
            attributes.append(.init(server.isIPv4 ? .ip4DNS : .ip6DNS, server.bytes))
        }
        return .success([.configuration(ConfigurationPayload(.reply, attributes))])
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
