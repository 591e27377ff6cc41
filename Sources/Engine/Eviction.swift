import ESP
import HeapModule
import Vocabulary

// Who makes room, found without looking at every session.

/// The sessions that one limit is about.
enum EvictionScope: Hashable {
    case gateway
    case connection(String)
    /// That hold an address of this family.
    case pool(String, AddressFamily)
}

/// Sessions in the order in which they make room, the first on top. A session's moment only ever
/// gets later, so that the moment noted here is the earliest that it can be: who is on top is looked
/// at again, and goes down if it is not what was noted. Sessions that have ended stay until they get
/// to the top, or the queue is made anew.
struct EvictionQueue {
    struct Place: Comparable {
        /// When it began, or its last traffic came.
        var since: Instant
        let session: SessionID

        static func < (left: Self, right: Self) -> Bool { left.since < right.since }
    }

    private var heap: Heap<Place>

    init(_ places: [Place]) { heap = Heap(places) }

    var count: Int { heap.count }

    mutating func insert(_ place: Place) { heap.insert(place) }
    mutating func popFirst() -> Place? { heap.popMin() }
}

extension Engine {
    /// How many sessions a login looks at in a queue. Ours to choose.
    private static let looks = 64

    /// The session of a scope that makes room next: the one that the policy names, and of those who
    /// hold an address first one whose user has a new session already.
    ///
    /// If traffic has come of more than ``looks`` sessions since they were last looked at, it is the
    /// longest idle one of so many.
    ///
    /// - Returns: nil if the policy is to refuse, or there is none.
    func victim(
        in scope: EvictionScope, _ eviction: EvictionPolicy, sparing room: Room
    ) -> Session? {
        guard eviction != .refuse else { return nil }
        // Out of the table while it changes, or it would be copied.
        var queue = evictionQueues.removeValue(forKey: scope) ?? newQueue(scope, eviction)
        var aside: [EvictionQueue.Place] = []
        var best: (since: Instant, session: Session)?
        defer {
            for place in aside { queue.insert(place) }
            evictionQueues[scope] = queue
        }
        for _ in 0..<Self.looks {
            guard let (place, session) = popFirst(&queue, scope) else { break }
            var current = place
            current.since = since(session, eviction)
            guard !room.spares(session), frees(session, scope) else {
                aside.append(current)
                continue
            }
            queue.insert(current)
            if current.since <= place.since { return session }
            if best.map({ current.since < $0.since }) ?? true { best = (current.since, session) }
        }
        return best?.session
    }

    /// The first place of a queue whose session is up and counts.
    private func popFirst(
        _ queue: inout EvictionQueue, _ scope: EvictionScope
    ) -> (EvictionQueue.Place, Session)? {
        while let place = queue.popFirst() {
            if let session = sessions[place.session], counts(session, in: scope) {
                return (place, session)
            }
        }
        return nil
    }

    /// A session that was replaced does not count for a limit, but may hold an address.
    private func counts(_ session: Session, in scope: EvictionScope) -> Bool {
        if case .pool = scope { return true }
        return session.replacedUntil == nil
    }

    /// Whether its end makes room: an address may be another session's of the same user, too.
    private func frees(_ session: Session, _ scope: EvictionScope) -> Bool {
        guard case .pool(let pool, let family) = scope else { return true }
        return soleAddress(family, of: session, pool) != nil
    }

    /// The later, the longer it stays.
    func since(_ session: Session, _ eviction: EvictionPolicy) -> Instant {
        if session.replacedUntil != nil { return Instant(nanoseconds: 0) }
        return eviction == .oldest ? session.established : lastTraffic(of: session)
    }

    /// When the last packet of a session's peer came through its tunnels; of a session without any,
    /// when it began.
    private func lastTraffic(of session: Session) -> Instant {
        session.children.compactMap { dataplane.lastInbound(of: $0.id) }
            .reduce(session.lastTraffic, max)
    }

    private func newQueue(_ scope: EvictionScope, _ eviction: EvictionPolicy) -> EvictionQueue {
        EvictionQueue(
            sessions.values.filter { scopes(of: $0).contains(scope) }
                .map { EvictionQueue.Place(since: since($0, eviction), session: $0.id) })
    }

    private func scopes(of session: Session) -> [EvictionScope] {
        [.gateway, .connection(session.connection.name)]
            + (session.lease.map { lease in
                lease.addresses.map { .pool(lease.pool, $0.family) }
            } ?? [])
    }

    /// Puts a session into the queues that there are: a new one, or one that was replaced, which
    /// makes room earlier from now on. A queue of which most have ended is made anew when it is next
    /// needed.
    func queueForEviction(_ session: Session) {
        guard !evictionQueues.isEmpty else { return }
        for scope in scopes(of: session) {
            guard var queue = evictionQueues.removeValue(forKey: scope) else { continue }
            guard queue.count < 2 * sessions.count + Self.looks else { continue }
            let since =
                session.replacedUntil == nil ? session.established : Instant(nanoseconds: 0)
            queue.insert(EvictionQueue.Place(since: since, session: session.id))
            evictionQueues[scope] = queue
        }
    }
}
