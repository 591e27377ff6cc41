/// IKE datagrams in one direction, by exchange and by whether they ask or answer.
package struct MessageCounts: Hashable, Sendable {
    /// The kinds of exchange (RFC 7296 §3.1), by the number that the header has.
    package static let exchanges: [(type: UInt8, name: String)] = [
        (34, "ike_sa_init"), (35, "ike_auth"), (36, "create_child_sa"), (37, "informational"),
        (38, "ike_session_resume"),
    ]

    /// Label values in the order of the counts; the last are those of no exchange that we know,
    /// and of datagrams that are too short to say.
    package static let series =
        exchanges.flatMap { [[$0.name, "request"], [$0.name, "response"]] }
        + [["unknown", "unknown"]]

    package private(set) var counts = [UInt64](repeating: 0, count: series.count)

    package init() {}

    package var total: UInt64 { counts.reduce(0, &+) }

    /// Counts one datagram by its header, of which nothing needs to be right.
    package mutating func count(_ datagram: [UInt8]) {
        counts[Self.slot(of: datagram)] &+= 1
    }

    private static func slot(of datagram: [UInt8]) -> Int {
        guard datagram.count >= 28,
            let place = exchanges.firstIndex(where: { $0.type == datagram[18] })
        else { return series.count - 1 }
        let isResponse = datagram[19] & 0x20 != 0
        return 2 * place + (isResponse ? 1 : 0)
    }

    package static func += (left: inout Self, right: Self) {
        for slot in left.counts.indices { left.counts[slot] &+= right.counts[slot] }
    }
}
