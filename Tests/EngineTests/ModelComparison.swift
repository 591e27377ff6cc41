import ESP
import TestKit
import Vocabulary

@testable import Engine

extension ModelWalk {
    /// Where the gateway or a client differs from the model; empty if nowhere.
    func differences() -> [String] {
        leftovers() + model.members.flatMap(differences) + tallies()
    }

    private func unless(_ holds: Bool, _ fault: @autoclosure () -> String) -> [String] {
        holds ? [] : [fault()]
    }

    /// What each side holds in all.
    private func leftovers() -> [String] {
        let (gateway, client) = (pair.gateway, pair.client)
        let (sessions, children) = (model.members.count, model.children)
        let pool = pair.tick.pools.first
        return unless(
            gateway.sessions.count == sessions,
            "the gateway has \(gateway.sessions.count) sessions, not \(sessions)")
            + unless(
                client.sessions.count == sessions,
                "the client has \(client.sessions.count) sessions, not \(sessions)")
            + unless(gateway.sas.count == sessions, "the gateway has \(gateway.sas.count) IKE SAs")
            + unless(client.sas.count == sessions, "the client has \(client.sas.count) IKE SAs")
            + unless(
                pair.gatewayPlane.count == children,
                "the gateway's data plane has \(pair.gatewayPlane.count) SAs, not \(children)")
            + unless(
                pair.clientPlane.count == children,
                "the client's data plane has \(pair.clientPlane.count) SAs, not \(children)")
            + unless(
                gateway.inboundSPIs.count == children && client.inboundSPIs.count == children,
                "SPIs are held for nothing")
            + unless(
                pool?.used == UInt64(model.leases),
                "\(pool?.used ?? 0) addresses are lent, not \(model.leases)")
            + unless(pair.tick.halfOpen == 0, "an IKE SA is half-open")
            + unless(gateway.lingering == 0 && client.lingering == 0, "an IKE SA lingers")
            + unless(client.initiations.isEmpty, "a login goes on")
    }

    /// What each side knows of one session.
    private func differences(_ member: ReferenceModel.Member) -> [String] {
        guard let ours = pair.gateway.sessions[member.id],
            let theirs = pair.client.session(of: member.handle),
            let ourSA = pair.gateway.sas[ours.ikeSPI], let theirSA = pair.client.sas[theirs.ikeSPI]
        else { return ["\(member.user)'s session is gone on one side"] }
        let traffic = pair.gateway.traffic(of: ours)
        let received = pair.client.traffic(of: theirs)
        let pairs = Set(ours.children.map { [$0.inboundSPI, $0.outboundSPI] })
        let mirrored = Set(theirs.children.map { [$0.outboundSPI, $0.inboundSPI] })
        let children = ours.children + theirs.children
        return unless(
            ours.children.count == member.children && theirs.children.count == member.children,
            "\(ours.children.count) and \(theirs.children.count) Child SAs, not \(member.children)")
            + unless(children.allSatisfy(\.isInstalled), "a Child SA is about to go, for ever")
            + unless(pairs == mirrored, "the sides have different Child SAs")
            + unless(
                ourSA.localSPI == theirSA.remoteSPI && ourSA.remoteSPI == theirSA.localSPI,
                "the sides have different IKE SAs")
            + unless(
                [ourSA, theirSA].allSatisfy { $0.pending == nil || $0.pending?.job == .liveness }
                    && ourSA.jobs.isEmpty && theirSA.jobs.isEmpty, "an exchange goes on")
            + unless(
                ours.lease?.addresses.first == member.address,
                "the lease is another than the client was told")
            + unless(
                ourSA.path.remote.address == member.source
                    && ours.path?.remote.address == member.source,
                "the gateway believes it to be at \(ourSA.path.remote), not \(member.source)")
            + unless(traffic == member.traffic, "it counts \(traffic), not \(member.traffic)")
            + unless(
                received.bytesIn == member.received.bytesIn
                    && received.packetsIn == member.received.packetsIn,
                "the client counts \(received), not \(member.received)")
    }

    /// What was told, from the beginning on.
    private func tallies() -> [String] {
        var faults: [String] = []
        let closed = pair.events(SessionClosed.self)
        for event in closed {
            let allowed = model.ends[event.session.clear] ?? []
            if !allowed.contains(event.reason.clear) {
                faults.append("a session ended with \(event.reason.clear), not \(allowed)")
            }
        }
        let established = pair.events(SessionEstablished.self).count
        let failures = pair.failureReasons
        let refusals = pair.events(TicketRefused.self).map(\.reason.clear)
        let children = pair.events(ChildSARekeyed.self).count
        let ike = pair.events(IKESARekeyed.self).count
        return faults
            + unless(
                closed.count == model.ends.count,
                "\(closed.count) sessions ended, not \(model.ends.count)")
            + unless(
                established == model.ends.count + model.members.count,
                "\(established) sessions began")
            + unless(failures == model.failures, "logins failed: \(failures)")
            + unless(
                refusals.allSatisfy { $0 == .unknownKey }
                    && (refusals.isEmpty ? 0...0 : 1...refusals.count)
                        .contains(model.refusedTickets),
                "tickets were refused: \(refusals), not \(model.refusedTickets)")
            + unless(
                model.childRekeys.contains(children),
                "\(children) rekeys of Child SAs, not \(model.childRekeys)")
            + unless(
                model.ikeRekeys.contains(ike), "\(ike) rekeys of IKE SAs, not \(model.ikeRekeys)")
    }
}
