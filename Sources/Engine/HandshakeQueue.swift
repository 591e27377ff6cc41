import DequeModule
package import Vocabulary
import Wire

/// IKE_SA_INIT requests that wait for their turn, while messages of known IKE SAs and ESP go
/// first. The newest goes first, and what waited longer than its sender does goes unserved.
///
/// With the oldest first, a gateway that once had more requests than it could serve would answer
/// clients that have given up, one after the other, and never recover.
package struct HandshakeQueue: Sendable {
    package struct Request: Sendable {
        package let bytes: [UInt8]
        package let path: Path
        package let received: Instant
        /// It comes from another shard, which had no room for it.
        package var isHandedOn = false

        package init(bytes: [UInt8], path: Path, received: Instant) {
            self.bytes = bytes
            self.path = path
            self.received = received
        }
    }

    /// Requests that may wait, of at most ``DefencePolicy/longestInit`` bytes each.
    package static let capacity = 8_192

    private struct Key: Hashable {
        let initiatorSPI: UInt64
        let source: Endpoint
    }

    private struct Place {
        let number: UInt64
        let key: Key
    }

    private let patience: Duration
    private var waiting: [Key: (number: UInt64, request: Request)] = [:]
    /// The oldest is first. The place of a request that was sent again is empty.
    private var places = Deque<Place>()
    private var number: UInt64 = 0

    /// - Parameter patience: how long a request may wait.
    package init(patience: Duration) { self.patience = patience }

    package var isEmpty: Bool { waiting.isEmpty }
    package var count: Int { waiting.count }

    /// Whether a datagram, without the non-ESP marker, asks for a new IKE SA: an IKE_SA_INIT or
    /// IKE_SESSION_RESUME request whose responder SPI is zero (RFC 7296 §3.1). Longer ones than are taken are the
    /// engine's to drop.
    package static func takes(_ datagram: [UInt8]) -> Bool {
        guard datagram.count >= 28, datagram.count <= DefencePolicy.longestInit else {
            return false
        }
        let exchange = ExchangeType(rawValue: datagram[18])
        return (exchange == .ikeSAInit || exchange == .ikeSessionResume)
            && datagram[19] & 0x20 == 0
            && datagram[8..<16].allSatisfy { $0 == 0 }
    }

    /// Adds a request, in place of an earlier one that it repeats (RFC 7296 §2.1).
    ///
    /// - Returns: the oldest, if there is no room for it any more.
    package mutating func push(_ request: Request) -> Request? {
        let spi = request.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let key = Key(initiatorSPI: spi, source: request.path.remote)
        number += 1
        waiting[key] = (number, request)
        places.append(Place(number: number, key: key))
        if places.count > 2 * Self.capacity {
            places.removeAll { waiting[$0.key]?.number != $0.number }
        }
        return waiting.count > Self.capacity ? popOldest() : nil
    }

    package mutating func popNewest() -> Request? {
        while let place = places.popLast() {
            if let request = take(place) { return request }
        }
        return nil
    }

    /// - Returns: one whose sender has long given up.
    package mutating func popStale(at now: Instant) -> Request? {
        while let place = places.first {
            guard let (number, request) = waiting[place.key], number == place.number else {
                places.removeFirst()
                continue
            }
            return now - request.received > patience ? popOldest() : nil
        }
        return nil
    }

    private mutating func popOldest() -> Request? {
        while let place = places.popFirst() {
            if let request = take(place) { return request }
        }
        return nil
    }

    /// - Returns: nil if the place is empty.
    private mutating func take(_ place: Place) -> Request? {
        guard let (number, request) = waiting[place.key], number == place.number else {
            return nil
        }
        waiting[place.key] = nil
        return request
    }
}
