import Vocabulary

/// What each user's sessions carry, summed over Child SAs, rekeys and sessions of this run, under
/// pseudonyms. The first users up to a limit have series of their own; all others share one.
struct UserBook: Sendable {
    /// The shared series first.
    private(set) var users: [UserState] = []
    /// Logins of users beyond the limit.
    private(set) var omitted: UInt64 = 0

    private let limit: Int
    private let policy: Disclosure
    private var places: [String: Int] = [:]
    private var sessions: [SessionID: Int] = [:]
    /// Counters of each Child SA when it was last looked at.
    private var last: [Child: Traffic] = [:]

    private struct Child: Hashable {
        let session: SessionID
        let child: ChildID
    }

    /// - Parameters:
    ///   - limit: users with series of their own; 0 for no such series at all.
    ///   - policy: for its key; identities are pseudonyms here whatever it says.
    init(limit: Int, policy: Disclosure) {
        self.limit = limit
        self.policy = Disclosure(
            identities: .pseudonym, addresses: .omit, virtualAddresses: .omit,
            pseudonymiser: policy.pseudonymiser)
        if limit > 0 { users = [UserState(name: UserState.everybodyElse)] }
    }

    mutating func observe(_ event: any Event) {
        guard limit > 0 else { return }
        switch event {
        case let event as SessionEstablished: open(event)
        case let event as SessionClosed: close(event.session.clear)
        case let event as ChildSAClosed:
            let child = Child(session: event.session.clear, child: event.child.clear)
            count(event.total, of: child)
            last[child] = nil
        default: return
        }
    }

    mutating func observe(_ tick: Tick) {
        guard limit > 0 else { return }
        for sample in tick.children {
            count(sample.traffic, of: Child(session: sample.session, child: sample.child))
        }
    }

    private mutating func open(_ event: SessionEstablished) {
        guard case .text(let name) = event.identity.datum(under: policy) else { return }
        let place = place(of: name)
        if place == 0 { omitted = omitted &+ 1 }
        guard sessions.updateValue(place, forKey: event.session.clear) == nil else { return }
        users[place].sessions += 1
    }

    private mutating func place(of name: String) -> Int {
        if let place = places[name] { return place }
        guard places.count < limit else { return 0 }
        places[name] = users.count
        users.append(UserState(name: name))
        return users.count - 1
    }

    private mutating func close(_ session: SessionID) {
        guard let place = sessions.removeValue(forKey: session) else { return }
        users[place].sessions -= 1
    }

    /// Adds what has come since the last look. A session that is not known has nothing to count
    /// for.
    private mutating func count(_ total: Traffic, of child: Child) {
        guard let place = sessions[child.session] else { return }
        let before = last.updateValue(total, forKey: child) ?? Traffic()
        users[place].traffic += Traffic(
            bytesIn: total.bytesIn.growth(since: before.bytesIn),
            packetsIn: total.packetsIn.growth(since: before.packetsIn),
            bytesOut: total.bytesOut.growth(since: before.bytesOut),
            packetsOut: total.packetsOut.growth(since: before.packetsOut))
    }
}

extension UInt64 {
    fileprivate func growth(since before: UInt64) -> UInt64 { self > before ? self - before : 0 }
}
