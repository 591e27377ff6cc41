package import Crypto
package import Vocabulary

/// What became of an ESP packet from outside.
package enum Opened: Hashable, Sendable {
    /// The inner IP packet lies at `inner`. `moved` is where the packet came from, if it is the
    /// newest and that is not where we send to (RFC 7296 §2.23).
    case deliver(inner: Range<Int>, child: ChildID, moved: Endpoint?)
    case dropped(ESPDrop, session: SessionID?)
    /// Kept until its Child SA is in place: see ``Tunnels/takeEarly()``.
    case early
    /// Authentic, and nothing to forward (RFC 4303 §2.6).
    case dummy
}

/// What became of an IP packet from inside.
package enum Sealed: Hashable, Sendable {
    /// The ESP packet lies at `packet`, from its SPI on.
    case transmit(packet: Range<Int>, path: Path, child: ChildID)
    /// Longer than the tunnel takes, and not to be fragmented: the sender is to be told the limit,
    /// in bytes, by ``packetTooBig(_:limit:)``. Counted as dropped.
    case tooBig(limit: Int)
    case dropped(ESPDrop, session: SessionID?)
}

/// The data plane in user space: tunnel-mode ESP (RFC 4303) with 32-bit sequence numbers. Bytes and
/// time come in as arguments; one per shard, not thread-safe.
///
/// Counts inner packets and their bytes, headers included, that passed every check. A packet that
/// is forwarded costs no memory allocation of ours.
package final class Tunnels: Dataplane {
    /// The longest IP packet that the paths to the peers take in one piece, in bytes.
    package var pathMTU = 1_500
    private var byID: [ChildID: Tunnel] = [:]
    private var bySPI: [UInt32: Tunnel] = [:]
    /// By the number of the inner network: tenants may use the same addresses.
    private var routes: [Int: Routes] = [:]
    private var drops = DropLog()
    private var early = EarlyPackets()
    /// Of the Child SAs that are gone.
    private var retired = Traffic()

    /// Reached their limit since the last ``takeWorn()``.
    private var worn: [ChildID] = []

    package init() {}

    /// Of Child SAs in place.
    package var count: Int { byID.count }

    /// Of all Child SAs there ever were; never goes down.
    package var total: Traffic { byID.values.reduce(retired) { $0 + $1.traffic } }

    /// Each Child SA's counters, in no order.
    package func samples() -> [ChildSample] { byID.values.map(\.sample) }

    /// What was dropped since the last call. Packets from the outside are told apart by source,
    /// up to 256 of them; beyond that they are counted together without one.
    package func takeDrops() -> [DropCount] { drops.take() }

    /// The Child SAs that have reached their limit since the last call.
    package func takeWorn() -> [ChildID] {
        guard !worn.isEmpty else { return [] }
        defer { worn = [] }
        return worn
    }

    // MARK: Dataplane

    /// A Child SA with the same number, if there is one, is removed before.
    package func install(_ child: consuming ChildSA, outbound: Bool) throws(CryptoError) {
        let tunnel = try Tunnel(child, outbound: outbound)
        _ = remove(tunnel.child)
        byID[tunnel.child] = tunnel
        bySPI[tunnel.inboundSPI] = tunnel
        routes[tunnel.network, default: Routes()].insert(tunnel)
        early.release(tunnel.inboundSPI)
    }

    package func expect(_ inboundSPI: UInt32, of session: SessionID) {
        early.expect(inboundSPI, of: session)
    }

    package func giveUp(_ inboundSPI: UInt32) {
        guard let (session, packets) = early.giveUp(inboundSPI) else { return }
        for packet in packets { drops.add(.earlyRefused, session, from: packet.remote.address) }
    }

    package func activateOutbound(_ child: ChildID) { byID[child]?.activateOutbound() }

    package func deactivateOutbound(_ child: ChildID) { byID[child]?.outbound = .over }

    package func remove(_ child: ChildID) -> Traffic {
        guard let tunnel = byID.removeValue(forKey: child) else { return Traffic() }
        if bySPI[tunnel.inboundSPI] === tunnel { bySPI[tunnel.inboundSPI] = nil }
        routes[tunnel.network]?.remove(tunnel)
        retired += tunnel.traffic
        return tunnel.traffic
    }

    /// The number of the inner network that a Child SA's packets go to.
    package func network(of child: ChildID) -> Int { byID[child]?.network ?? 0 }

    package func traffic(of child: ChildID) -> Traffic? { byID[child]?.traffic }

    package func lastInbound(of child: ChildID) -> Instant? { byID[child]?.lastInbound }

    package func lastOutbound(of child: ChildID) -> Instant? { byID[child]?.lastOutbound }

    package func move(_ child: ChildID, to path: Path) { byID[child]?.path = path }

    // MARK: Packets

    /// An ESP packet as it came, from the SPI on. Decrypts in place; a packet that is dropped may
    /// have become garbage.
    ///
    /// - Parameter remote: where it came from.
    package func open(
        _ packet: inout MutableSpan<UInt8>, from remote: Endpoint, at now: Instant
    ) -> Opened {
        guard packet.count >= PacketLayout.shortestOfAll else {
            return drop(.malformed, nil, from: remote.address)
        }
        guard let tunnel = bySPI[packet.span.word32(at: 0)] else {
            return hold(packet.span, from: remote)
        }
        switch tunnel.open(&packet, from: remote, at: now) {
        case .dropped(let reason, let session):
            return drop(reason, session, from: remote.address)
        case let opened:
            if tunnel.wears() { worn.append(tunnel.child) }
            return opened
        }
    }

    /// A packet whose Child SA is not in place.
    private func hold(_ packet: Span<UInt8>, from remote: Endpoint) -> Opened {
        switch early.hold(packet, packet.word32(at: 0), from: remote) {
        case .held: .early
        case .tooMany(let session): drop(.earlyLimit, session, from: remote.address)
        case .unexpected: drop(.unknownSPI, nil, from: remote.address)
        }
    }

    /// Packets that came before their Child SA, which is in place now, each SPI's in their order.
    /// Whoever has the engine install Child SAs opens them before any later packet.
    package func takeEarly() -> [EarlyPacket] { early.take() }

    /// How many packets have come before their Child SA and were kept.
    package var earlyPackets: UInt64 { early.held }

    /// No Child SA is expected, and no packet waits for one.
    package var expectsNothing: Bool { early.isEmpty }

    private func drop(_ reason: ESPDrop, _ session: SessionID?, from source: IPAddress) -> Opened {
        drops.add(reason, session, from: source)
        return .dropped(reason, session: session)
    }

    /// Bytes that ``seal(_:inner:from:at:)`` needs before the inner packet.
    package static let headroom = PacketLayout.longestHeader
    /// Bytes that it needs after the inner packet, at most.
    package static let tailroom = PacketLayout.longestTrailer

    /// An inner IP packet, at `buffer[inner]`. Encrypts in place.
    ///
    /// - Parameter network: the number of the inner network that it comes from.
    /// - Precondition: ``headroom`` bytes before `inner` and ``tailroom`` bytes after it are within
    ///   the buffer.
    package func seal(
        _ buffer: inout MutableSpan<UInt8>, inner: Range<Int>, from network: Int = 0,
        at now: Instant
    ) -> Sealed {
        precondition(
            inner.lowerBound >= Self.headroom && inner.upperBound <= buffer.count - Self.tailroom,
            "no room for an ESP header and trailer")
        guard let packet = InnerPacket(buffer.span.extracting(inner)) else {
            return drop(.malformed, nil)
        }
        guard let tunnel = routes[network]?.tunnel(for: packet) else {
            return drop(.noChildSA, nil)
        }
        if let limit = tunnel.limit(exceededBy: packet, pathMTU: pathMTU) {
            drops.add(.tooBig, tunnel.session, from: nil)
            return .tooBig(limit: limit)
        }
        tunnel.lastOutbound = now
        switch tunnel.seal(&buffer, packet, from: inner.lowerBound) {
        case .dropped(let reason, let session): return drop(reason, session)
        case let sealed:
            if tunnel.wears() { worn.append(tunnel.child) }
            return sealed
        }
    }

    private func drop(_ reason: ESPDrop, _ session: SessionID?) -> Sealed {
        drops.add(reason, session, from: nil)
        return .dropped(reason, session: session)
    }
}
