/// What the notify TICKET_LT_OPAQUE carries: how long the ticket is good, and the ticket, which
/// only its issuer can read (RFC 5723 §7).
package struct TicketGrant: Hashable, Sendable {
    /// Seconds from now.
    package let lifetime: UInt32
    package let ticket: [UInt8]

    package init(lifetime: UInt32, ticket: [UInt8]) {
        self.lifetime = lifetime
        self.ticket = ticket
    }

    /// - Parameter data: of the notify.
    package init(parsing data: [UInt8]) throws(WireError) {
        var rest = data.span
        lifetime = try rest.take()
        ticket = rest.takeRest()
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.put(lifetime)
        return bytes + ticket
    }
}
