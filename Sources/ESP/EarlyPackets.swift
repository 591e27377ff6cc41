package import Vocabulary

/// An ESP packet that came before its Child SA was in place.
package struct EarlyPacket: Sendable {
    /// From the SPI on.
    package var bytes: [UInt8]
    /// Where it came from.
    package let remote: Endpoint
}

/// Packets of Child SAs that are being agreed on. A peer has the keys as soon as it has answered our
/// request. Some send by them at once, whatever RFC 7296 §2.8 has them wait for, so that their
/// packets overtake the answer, or are here when it was lost. They wait until it has come.
struct EarlyPackets {
    /// What may wait for one Child SA. Ours to choose: 50 ms of 10 Mbit/s, and more.
    static let packetLimit = 64
    static let byteLimit = 96 << 10
    /// What may wait in all.
    static let packetLimitInAll = 4_096
    static let byteLimitInAll = 4 << 20

    enum Fate: Hashable {
        case held
        /// Too many wait already.
        case tooMany(SessionID)
        /// Nobody waits for this SPI.
        case unexpected
    }

    private struct Waiting {
        let session: SessionID
        var packets: [EarlyPacket] = []
        var bytes = 0
    }

    private var waiting: [UInt32: Waiting] = [:]
    /// Their Child SA is in place.
    private var ready: [EarlyPacket] = []
    /// Of those that wait or are ready.
    private var packets = 0
    private var bytes = 0
    /// How many there ever were.
    private(set) var held: UInt64 = 0

    mutating func expect(_ spi: UInt32, of session: SessionID) {
        if waiting[spi] == nil { waiting[spi] = Waiting(session: session) }
    }

    mutating func hold(_ packet: Span<UInt8>, _ spi: UInt32, from remote: Endpoint) -> Fate {
        guard let one = waiting[spi] else { return .unexpected }
        guard one.packets.count < Self.packetLimit, one.bytes + packet.count <= Self.byteLimit,
            packets < Self.packetLimitInAll, bytes + packet.count <= Self.byteLimitInAll
        else { return .tooMany(one.session) }
        var copy: [UInt8] = []
        copy.reserveCapacity(packet.count)
        for index in packet.indices { copy.append(packet[index]) }
        waiting[spi]?.packets.append(EarlyPacket(bytes: copy, remote: remote))
        waiting[spi]?.bytes += copy.count
        packets += 1
        bytes += copy.count
        held &+= 1
        return .held
    }

    /// The Child SA is in place.
    mutating func release(_ spi: UInt32) {
        if let one = waiting.removeValue(forKey: spi) { ready += one.packets }
    }

    /// What is ready, in the order in which it came for each SPI.
    mutating func take() -> [EarlyPacket] {
        guard !ready.isEmpty else { return [] }
        defer { ready = [] }
        subtract(ready)
        return ready
    }

    /// There will be no such Child SA.
    mutating func giveUp(_ spi: UInt32) -> (session: SessionID, packets: [EarlyPacket])? {
        guard let one = waiting.removeValue(forKey: spi) else { return nil }
        subtract(one.packets)
        return (one.session, one.packets)
    }

    private mutating func subtract(_ gone: [EarlyPacket]) {
        packets -= gone.count
        bytes -= gone.reduce(0) { $0 + $1.bytes.count }
    }

    var isEmpty: Bool { waiting.isEmpty && ready.isEmpty && packets == 0 && bytes == 0 }
}
