/// IKE datagrams in one direction, by exchange and by whether they ask or answer.
package struct MessageCounts: Hashable, Sendable {
    /// What a responder sends and receives, in the order of the counts (RFC 7296 §3.1): the kinds
    /// of exchange that only a client begins have one series in each direction.
    private static let exchanges: [(type: UInt8, name: String, isClients: Bool)] = [
        (34, "ike_sa_init", true), (35, "ike_auth", true), (36, "create_child_sa", false),
        (37, "informational", false), (38, "ike_session_resume", true),
    ]

    /// Anything else, and datagrams that are too short to say.
    private static let other = ["other", "other"]

    package enum Direction: Hashable, Sendable { case received, sent }

    private let direction: Direction
    package private(set) var counts: [UInt64]

    package init(_ direction: Direction) {
        self.direction = direction
        counts = [UInt64](repeating: 0, count: Self.series(direction).count)
    }

    /// Label values, exchange and message, in the order of the counts.
    package static func series(_ direction: Direction) -> [[String]] {
        direction == .received ? seriesReceived : seriesSent
    }

    private static let seriesReceived = makeSeries(.received)
    private static let seriesSent = makeSeries(.sent)

    private static func makeSeries(_ direction: Direction) -> [[String]] {
        let clients = direction == .received ? "request" : "response"
        return exchanges.flatMap { exchange in
            (exchange.isClients ? [clients] : ["request", "response"]).map { [exchange.name, $0] }
        } + [other]
    }

    package var total: UInt64 { counts.reduce(0, &+) }

    /// Counts one datagram by its header, of which nothing needs to be right.
    package mutating func count(_ datagram: [UInt8]) { counts[slot(of: datagram)] &+= 1 }

    private func slot(of datagram: [UInt8]) -> Int {
        let last = counts.count - 1
        guard datagram.count >= 28 else { return last }
        let isResponse = datagram[19] & 0x20 != 0
        var slot = 0
        for exchange in Self.exchanges {
            guard exchange.type == datagram[18] else {
                slot += exchange.isClients ? 1 : 2
                continue
            }
            guard exchange.isClients else { return slot + (isResponse ? 1 : 0) }
            return isResponse == (direction == .sent) ? slot : last
        }
        return last
    }

    /// Of counts of the same direction.
    package static func += (left: inout Self, right: Self) {
        for (slot, count) in zip(left.counts.indices, right.counts) { left.counts[slot] &+= count }
    }
}
