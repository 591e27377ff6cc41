import Engine
import Vocabulary

/// What must be true of a gateway and its clients when everything is quiet: no messages, keys or
/// timers, only what users and operators did.
struct ReferenceModel {
    /// One session.
    struct Member {
        let handle: ConnectionHandle
        let id: SessionID
        let user: String
        let hasMobike: Bool
        /// Where the gateway must send to.
        var source: IPAddress
        /// nil: it asked for none.
        let address: IPAddress?
        var children: Int
        /// What the gateway must have counted.
        var traffic = Traffic()
        /// What the client must have counted, in its own direction.
        var received = Traffic()
    }

    /// A login to come.
    struct Login {
        let user: String
        let source: IPAddress
        let saysInitialContact: Bool
        /// The virtual address that it wants to have again.
        let wanted: IPAddress?
        let isChildless: Bool
        let hasMobike: Bool
        let knowsSecret: Bool
        let isKnown: Bool
    }

    /// What comes of a login.
    enum Outcome: Equatable {
        /// The users' sessions whose place it takes; `silently`: their client is not told.
        case accepted(replacing: [SessionID], silently: Bool)
        case refused(AuthFailure)
    }

    let unique: UniquePolicy
    let sessionLimit: Int
    /// Oldest first.
    private(set) var members: [Member] = []
    /// How a session that is over may have ended.
    private(set) var ends: [SessionID: Set<SessionEnd>] = [:]
    private(set) var failures: [AuthFailure] = []
    /// Tickets that must have been refused, for want of their key.
    var refusedTickets = 0
    /// Rekeys of each kind that there must have been, and may have been more of by collisions.
    var childRekeys = 0...0
    var ikeRekeys = 0...0

    init(unique: UniquePolicy, sessionLimit: Int) {
        self.unique = unique
        self.sessionLimit = sessionLimit
    }

    func outcome(of login: Login) -> Outcome {
        guard login.isKnown else { return .refused(.unknownIdentity) }
        guard login.knowsSecret else { return .refused(.wrongCredential) }
        return admission(of: login, among: members)
    }

    /// What comes of a login by the ticket of a session. Its client has lost that, and hears
    /// nothing of its end.
    func outcome(of login: Login, resuming id: SessionID) -> Outcome {
        let outcome = admission(of: login, among: members.filter { $0.id != id })
        guard case .accepted(let replaced, _) = outcome, members.contains(where: { $0.id == id })
        else { return outcome }
        return .accepted(replacing: replaced + [id], silently: true)
    }

    private func admission(of login: Login, among members: [Member]) -> Outcome {
        let others = members.filter { $0.user == login.user }
        let fromSamePlace = { (member: Member) in member.source == login.source }
        if unique != .never, login.saysInitialContact {
            // Those are over before it is counted.
            guard members.count - others.count < sessionLimit else {
                return .refused(.sessionLimit)
            }
            return .accepted(replacing: others.map(\.id), silently: true)
        }
        var replaced = others
        switch unique {
        case .replace: break
        case .keep:
            guard others.allSatisfy(fromSamePlace) else { return .refused(.alreadyConnected) }
        case .never:
            replaced = others.filter {
                fromSamePlace($0) && $0.address != nil && !login.isChildless
                    && $0.address == login.wanted
            }
        }
        // A login takes no place of its own where it takes that of another.
        guard members.count - replaced.count < sessionLimit else { return .refused(.sessionLimit) }
        return .accepted(replacing: replaced.map(\.id), silently: false)
    }

    mutating func fail(_ reason: AuthFailure) { failures.append(reason) }

    mutating func add(_ member: Member) { members.append(member) }

    mutating func end(_ id: SessionID, _ reasons: Set<SessionEnd>) {
        members.removeAll { $0.id == id }
        ends[id] = reasons
    }

    mutating func change(_ id: SessionID, _ body: (inout Member) -> Void) {
        guard let index = members.firstIndex(where: { $0.id == id }) else { return }
        body(&members[index])
    }

    var children: Int { members.reduce(0) { $0 + $1.children } }
    /// A user's sessions may share one that the user asked for.
    var leases: Int { Set(members.compactMap(\.address)).count }
}

func + (left: ClosedRange<Int>, right: ClosedRange<Int>) -> ClosedRange<Int> {
    (left.lowerBound + right.lowerBound)...(left.upperBound + right.upperBound)
}
