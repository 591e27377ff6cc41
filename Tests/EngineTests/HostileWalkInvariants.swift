import ESP
import Engine
import TestKit
import Vocabulary

extension Pair {
    /// What does not add up when everything is over; empty if all is well.
    func faults() -> [String] {
        residue() + balance() + lives() + logins()
    }

    private func unless(_ holds: Bool, _ fault: @autoclosure () -> String) -> [String] {
        holds ? [] : [fault()]
    }

    /// Nothing is left of anybody.
    private func residue() -> [String] {
        let tick = tick
        return unless(tick.sessions == 0, "\(tick.sessions) sessions are left")
            + unless(tick.halfOpen == 0, "\(tick.halfOpen) half-open SAs are left")
            + unless(tick.pools.allSatisfy { $0.used == 0 }, "leases are left")
            + unless(gatewayPlane.count == 0, "the gateway's data plane holds SAs")
            + unless(clientPlane.count == 0, "the client's data plane holds SAs")
            + unless(gateway.isIdle, "the gateway holds something")
            + unless(client.isIdle, "the client holds something")
    }

    /// Each byte is in one Child SA's total, one session's, and the data plane's.
    private func balance() -> [String] {
        let sessions = events(SessionClosed.self).reduce(Traffic()) { $0 + $1.total }
        let children = events(ChildSAClosed.self).reduce(Traffic()) { $0 + $1.total }
        let plane = gatewayPlane.total
        let carried = Traffic(
            bytesIn: delivered.bytesIn, packetsIn: delivered.packetsIn,
            bytesOut: sealed.bytesOut, packetsOut: sealed.packetsOut)
        let received = Traffic(
            bytesIn: delivered.bytesOut, packetsIn: delivered.packetsOut)
        let client = clientPlane.total
        return unless(sessions == carried, "sessions tell \(sessions), \(carried) was carried")
            + unless(children == carried, "Child SAs tell \(children), \(carried) was carried")
            + unless(plane == carried, "the data plane tells \(plane), \(carried) was carried")
            + unless(
                client.bytesIn == received.bytesIn && client.packetsIn == received.packetsIn,
                "the client's data plane tells \(client), \(received) was delivered")
    }

    /// Everything begins once, ends once, in that order, and within its session's life.
    private func lives() -> [String] {
        var books = Books()
        for event in events { books.enter(event) }
        return books.faults
    }

    /// Each login is told how it went, once, and of its end once.
    private func logins() -> [String] {
        var faults: [String] = []
        var connected: Set<ConnectionHandle> = []
        var told: Set<ConnectionHandle> = []
        for notice in notices {
            switch notice {
            case .connected(let handle, _, _):
                if !told.insert(handle).inserted { faults.append("a login was answered twice") }
                connected.insert(handle)
            case .failed(let handle, _):
                if !told.insert(handle).inserted { faults.append("a login was answered twice") }
            case .redirected: break
            case .closed(let handle, _):
                if connected.remove(handle) == nil { faults.append("a session ended twice") }
            }
        }
        let received =
            events(IKESAInitReceived.self).count + events(IKESessionResumeReceived.self).count
        let answered =
            events(SessionEstablished.self).count
            + events(IKEAuthFailed.self).count + events(IKESAInitRejected.self).count
            + events(TicketRefused.self).count
        return faults + unless(connected.isEmpty, "\(connected.count) sessions never ended")
            + unless(received == answered, "\(received) logins began and \(answered) ended")
    }
}

/// What is open by the events so far.
struct Books {
    private struct Account {
        var children: Set<ChildID> = []
        var total = Traffic()
        var holdsLease = false
        var ikeSAs = 1
    }

    private(set) var faults: [String] = []
    private var open: [SessionID: Account] = [:]
    private var closed: Set<SessionID> = []
    private var everyChild: Set<ChildID> = []
    /// Who holds which address by which sessions.
    private var holders: [Personal<VirtualAddress>: [SessionID: Personal<Identity>]] = [:]

    mutating func enter(_ event: any Event) {
        switch event {
        case let event as SessionEstablished:
            check(!closed.contains(event.session.clear), "a session came back", event)
            check(open.updateValue(Account(), forKey: event.session.clear) == nil, "twice", event)
        case let event as SessionClosed: close(event)
        case let event as LeaseGranted:
            let others = holders[event.address]?.values.filter { $0 != event.identity } ?? []
            check(others.isEmpty, "it is another user's", event)
            holders[event.address, default: [:]][event.session.clear] = event.identity
            with(event.session.clear, event) { account in
                defer { account.holdsLease = true }
                return !account.holdsLease
            }
        case let event as LeaseReleased:
            for address in holders.keys { holders[address]?[event.session.clear] = nil }
            with(event.session.clear, event) { account in
                defer { account.holdsLease = false }
                return account.holdsLease
            }
        case let event as ChildSAInstalled:
            check(everyChild.insert(event.child.clear).inserted, "a number came twice", event)
            with(event.session.clear, event) { $0.children.insert(event.child.clear).inserted }
        case let event as ChildSAClosed:
            with(event.session.clear, event) { account in
                account.total += event.total
                return account.children.remove(event.child.clear) != nil
            }
        case let event as ChildSARekeyed:
            with(event.session.clear, event) {
                $0.children.isSuperset(of: [event.retired.clear, event.successor.clear])
            }
        case let event as IKESARekeyed:
            with(event.session.clear, event) { account in
                account.ikeSAs += 1
                return event.retiredSPI != event.successorSPI
            }
        case let event as IKESAClosed:
            with(event.session.clear, event) { account in
                account.ikeSAs -= 1
                return account.ikeSAs >= 0
            }
        case let event as AddressChanged: with(event.session.clear, event) { _ in true }
        case let event as PeerDead: with(event.session.clear, event) { _ in true }
        default: break
        }
    }

    private mutating func close(_ event: SessionClosed) {
        guard let account = open.removeValue(forKey: event.session.clear) else {
            return check(false, "no such session", event)
        }
        closed.insert(event.session.clear)
        check(account.children.isEmpty, "Child SAs are open", event)
        check(!account.holdsLease, "the lease is held", event)
        check(account.ikeSAs == 0, "\(account.ikeSAs) IKE SAs are open", event)
        check(account.total == event.total, "its Child SAs tell \(account.total)", event)
        check(event.durationMilliseconds.clear < 10_000_000, "a senseless duration", event)
    }

    private mutating func with(
        _ session: SessionID, _ event: any Event, _ body: (inout Account) -> Bool
    ) {
        guard var account = open[session] else {
            return check(false, "no such session", event)
        }
        let holds = body(&account)
        open[session] = account
        check(holds, "out of order", event)
    }

    private mutating func check(_ holds: Bool, _ what: String, _ event: any Event) {
        if !holds { faults.append("\(event.kind): \(what)") }
    }
}
