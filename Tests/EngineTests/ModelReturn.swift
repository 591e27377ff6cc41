import TestKit
import Vocabulary

@testable import Engine

/// Clients that crash and come back by ticket (RFC 5723); keys that come and go.
extension ModelWalk {
    /// A client that has lost a session, and not its ticket.
    struct Returner {
        let session: SessionID
        let user: String
        let hasMobike: Bool
        let policy: ClientPolicy
        let ticket: ResumptionTicket
        /// nil: the session is over, or has none.
        let address: IPAddress?
    }

    func returner(_ member: ReferenceModel.Member) -> Returner? {
        guard let ticket = pair.client.ticket(of: member.handle),
            let policy = policies[member.id]
        else { return nil }
        return Returner(
            session: member.id, user: member.user, hasMobike: member.hasMobike, policy: policy,
            ticket: ticket, address: member.address)
    }

    /// The newest key follows, or all are gone with their file.
    func rotate() {
        done.append(.rotate)
        let next = (keys.last ?? 0) &+ 1
        keys = dice.roll(2) == 0 ? [next] : keys.suffix(1) + [next]
        let made = keys.compactMap { try? TestVault.key($0) }
        vault?.with { $0.keys = made }
    }

    /// - Returns: what was wrong.
    func comeBack() -> String? {
        let returners = lost + model.members.compactMap(returner)
        guard !returners.isEmpty else { return nil }
        done.append(.resume)
        let returner = returners[dice.roll(returners.count)]
        lost.removeAll { $0.session == returner.session }
        guard !returner.ticket.isVoid else { return "a ticket of a live session is void" }
        var policy = returner.policy
        policy.requestedAddresses = []
        policy.initialContact = dice.roll(2) == 0
        let login = ReferenceModel.Login(
            user: returner.user, source: addresses[dice.roll(2)],
            saysInitialContact: policy.initialContact, wanted: nil,
            isChildless: policy.childless, hasMobike: returner.hasMobike, knowsSecret: true,
            isKnown: true)
        let isReadable = keys.contains { key in
            let id = (try? TestVault.key(key))?.id
            return id == returner.ticket.bytes[1..<9].reduce(0) { $0 << 8 | UInt64($1) }
        }
        let outcome =
            isReadable
            ? model.outcome(of: login, resuming: returner.session) : model.outcome(of: login)
        if !isReadable { model.refusedTickets += 1 }
        let isMember = model.members.contains { $0.id == returner.session }
        let before = Set(pair.gateway.sessions.keys)
        guard let handle = pair.resume(returner.ticket, policy, from: login.source) else {
            return "no way back"
        }
        if let fault = settle(login, policy, handle, outcome, before) { return fault }
        guard case .accepted = outcome else { return nil }
        let established = pair.events(SessionEstablished.self).last
        guard established?.resumes.clear == (isReadable ? returner.session : nil) else {
            return "the session resumes another, or none"
        }
        // Two sessions of a user may share an address, and one keeps it.
        if isReadable, isMember, model.unique != .never,
            model.members.last?.address != returner.address
        {
            return "it has another address than before"
        }
        return nil
    }
}
