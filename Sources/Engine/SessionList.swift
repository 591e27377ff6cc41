import ESP
package import Vocabulary

/// What sessions can be put in order by, for a list that shows the first of them.
package enum SessionOrder: Sendable {
    case established, bytesIn, bytesOut

    /// Of a summary, as the engine orders by.
    package func key(_ session: SessionSummary) -> UInt64 {
        switch self {
        case .established: session.established.nanoseconds
        case .bytesIn: session.traffic.bytesIn
        case .bytesOut: session.traffic.bytesOut
        }
    }
}

/// What people know a session by, to put many in order by what is shown of that.
package struct SessionName: Sendable {
    package let session: SessionID
    package let identity: Personal<Identity>
    package let source: Personal<IPAddress>
    package let virtualAddress: Personal<VirtualAddress?>
}

extension Engine {
    /// Of all sessions, in no order. Little work for each: no counter is read, no text made.
    package func sessionNames() -> [SessionName] {
        sessions.values.compactMap { session in
            sas[session.ikeSPI].map { sa in
                SessionName(
                    session: session.id, identity: Personal(session.identity),
                    source: Personal(sa.path.remote.address),
                    virtualAddress: Personal(session.virtualAddress))
            }
        }
    }

    /// Of these sessions, as far as they are up; in the order of the names.
    package func sessionSummaries(of names: [SessionID]) -> [SessionSummary] {
        names.compactMap { sessions[$0].flatMap(summary(of:)) }
    }

    /// The first sessions in an order; those that are alike in the order in which they began.
    ///
    /// One pass over all sessions, in little memory: with ten thousand of them, peers must not wait
    /// for a list of a hundred.
    package func sessionSummaries(
        first limit: Int, by order: SessionOrder, descending: Bool
    ) -> [SessionSummary] {
        var best: [Ranked] = []
        for session in sessions.values {
            let ranked = Ranked(session: session, key: key(of: session, order))
            if best.count >= limit {
                guard let last = best.last, ranked.goes(before: last, descending) else { continue }
                best.removeLast()
            }
            let place = best.partition { ranked.goes(before: $0, descending) }
            best.insert(ranked, at: place)
        }
        return best.compactMap { summary(of: $0.session) }
    }

    private func key(of session: Session, _ order: SessionOrder) -> UInt64 {
        switch order {
        case .established: session.established.nanoseconds
        case .bytesIn: traffic(of: session).bytesIn
        case .bytesOut: traffic(of: session).bytesOut
        }
    }
}

private struct Ranked {
    let session: Session
    let key: UInt64

    func goes(before other: Self, _ descending: Bool) -> Bool {
        if key != other.key { return descending ? key > other.key : key < other.key }
        return session.established < other.session.established
    }
}

extension [Ranked] {
    /// The first place whose element, like all behind it, is one that `isBehind`.
    fileprivate func partition(_ isBehind: (Ranked) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
