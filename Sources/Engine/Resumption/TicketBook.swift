import DequeModule
import Vocabulary

/// What all shards of a gateway share about tickets: the keys, and which tickets are no good any
/// more though they have not expired. A process that begins anew has forgotten the latter.
package struct TicketBook: Sendable {
    /// Newest last.
    package var keys: [TicketKey]

    /// What makes a ticket void.
    enum Mark: Hashable {
        /// It has brought its session back: that works once.
        case used(UInt128)
        /// All of a session that was ended on purpose.
        case revoked(SessionID)
        /// All of an IKE SA that another has taken the place of, by our SPI.
        case rekeyed(UInt64)
    }

    private struct Entry {
        let mark: Mark
        /// Milliseconds since the Unix epoch.
        let made: UInt64
        let until: UInt64
    }

    private var marks: Set<Mark> = []
    private var entries: Deque<Entry> = []
    /// The newest mark that there was no room for: of tickets older than that nothing is known.
    private var forgottenUntil: UInt64 = 0
    private let limit: Int

    /// - Parameter limit: tickets to be remembered at once; about 100 bytes each.
    package init(_ keys: [TicketKey], limit: Int = 65_536) {
        self.keys = keys
        self.limit = max(limit, 1)
    }

    /// - Parameter now: milliseconds since the Unix epoch.
    mutating func add(_ mark: Mark, until expiry: UInt64, at now: UInt64) {
        while let oldest = entries.first, oldest.until <= now || entries.count >= limit {
            if oldest.until > now { forgottenUntil = max(forgottenUntil, oldest.made) }
            entries.removeFirst()
            marks.remove(oldest.mark)
        }
        guard marks.insert(mark).inserted else { return }
        entries.append(Entry(mark: mark, made: now, until: expiry))
    }

    /// What made a ticket void has not come about after all.
    mutating func takeBack(_ mark: Mark) {
        guard marks.remove(mark) != nil, let index = entries.lastIndex(where: { $0.mark == mark })
        else { return }
        entries.remove(at: index)
    }

    /// Tickets that are remembered.
    var count: Int { entries.count }

    /// - Returns: nil if nothing is known against the ticket.
    func objection(to ticket: Ticket, at now: UInt64) -> TicketRefusal? {
        if ticket.contents.expires <= now { return .expired }
        if marks.contains(.used(ticket.serial)) { return .used }
        if marks.contains(.revoked(ticket.contents.session)) { return .revoked }
        if marks.contains(.rekeyed(ticket.contents.ikeSPI)) { return .rekeyed }
        return ticket.contents.issued <= forgottenUntil ? .forgotten : nil
    }
}

/// Where a ``TicketBook`` is kept so that several threads can share it. Never asked on the way of
/// a packet.
package protocol TicketVault: AnyObject, Sendable {
    func with<Value: Sendable>(_ body: (inout TicketBook) -> Value) -> Value
}

/// How sessions may come back (RFC 5723).
package struct ResumptionPolicy: Sendable {
    package var vault: any TicketVault
    /// Of a ticket, at most.
    package var lifetime: Duration
    /// Whether a stop says nothing to peers with a ticket. A Delete would void the ticket (§6.2);
    /// without one they come back when they find us silent, and by their ticket.
    package var silentStop = false

    package init(vault: any TicketVault, lifetime: Duration = .seconds(8 * 3_600)) {
        self.vault = vault
        self.lifetime = lifetime
    }
}
