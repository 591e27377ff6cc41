import Vocabulary

/// Which Child SA takes a packet from the inside. One look-up for a road warrior's address, a
/// scan over the Child SAs with networks behind them.
struct Routes {
    /// By the one address that a remote selector takes; newest first.
    private var hosts: [IPAddress: [Tunnel]] = [:]
    /// With a remote selector that takes more than one address; newest first.
    private var networks: [Tunnel] = []

    mutating func insert(_ tunnel: Tunnel) {
        for host in Set(tunnel.remoteSelectors.compactMap(\.host)) {
            hosts[host, default: []].insert(tunnel, at: 0)
        }
        if tunnel.remoteSelectors.contains(where: { $0.host == nil }) {
            networks.insert(tunnel, at: 0)
        }
    }

    mutating func remove(_ tunnel: Tunnel) {
        for host in Set(tunnel.remoteSelectors.compactMap(\.host)) {
            hosts[host]?.removeAll { $0 === tunnel }
            if hosts[host]?.isEmpty == true { hosts[host] = nil }
        }
        networks.removeAll { $0 === tunnel }
    }

    /// The newest that may send and takes the packet; a host's own before a network's.
    func tunnel(for packet: InnerPacket) -> Tunnel? {
        if let candidates = hosts[packet.destination],
            let tunnel = candidates.first(where: { $0.sendsOutbound && $0.takesOutbound(packet) })
        {
            return tunnel
        }
        return networks.first { $0.sendsOutbound && $0.takesOutbound(packet) }
    }
}
