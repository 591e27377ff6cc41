import ESP
import TestKit
import Vocabulary

@testable import Engine

/// One walk: an operation, time until it is quiet, a comparison; and so on.
final class ModelWalk {
    enum Operation: CaseIterable {
        case logIn, logOut, terminate, bothEnd
        case rekeyChild, rekeyIKE, collideChild, collideIKE, collideBoth
        case createChild, deleteChild, bothDelete
        case traffic, storm, move, die
        case resume, rotate
    }

    let pair: Pair
    var model: ReferenceModel
    var done: [Operation] = []
    var dice: Dice
    /// Tickets are sealed under these.
    let vault: TestVault?
    var keys: [UInt8] = [1]
    /// How each session's client logged in, and who has a ticket of a session that is over.
    var policies: [SessionID: ClientPolicy] = [:]
    var lost: [Returner] = []
    let addresses: [IPAddress] = [.v4(0xc000_0207), .v4(0xc000_0208)]
    private var moves: UInt32 = 0
    private var told = 0

    init(seed: UInt64) {
        dice = Dice(seed: seed)
        var policy = EnginePolicy.example
        let unique = UniquePolicy.allCases[dice.roll(3)]
        let limit = 2 + dice.roll(4)
        policy.connections[0].unique = unique
        // What time alone brings about is the business of other walks.
        policy.connections[0].rekey = RekeyPolicy(ike: .seconds(1 << 20), child: .seconds(1 << 20))
        policy.connections[0].livenessInterval = .seconds(60)
        policy.sessionLimit = limit
        vault = try? TestVault(keys)
        policy.resumption = vault.map { ResumptionPolicy(vault: $0) }
        pair = Pair(policy, seed: seed)
        model = ReferenceModel(unique: unique, sessionLimit: limit)
    }

    /// - Returns: what was wrong; the walk ends there.
    func run(telling: Bool) -> [String] {
        for step in 0..<10 {
            // Of the first some users come.
            let operation =
                step < 2 ? .logIn : Operation.allCases[dice.roll(Operation.allCases.count)]
            disturb()
            let fault = perform(operation)
            if telling { tell(step, operation) }
            if let fault { return ["step \(step), \(operation): \(fault)"] }
            let faults = differences()
            if !faults.isEmpty { return faults.map { "step \(step), \(operation): \($0)" } }
        }
        disturb()
        for member in model.members { finish(member, by: .peer) }
        quiet()
        return differences() + pair.faults()
    }

    private func tell(_ step: Int, _ operation: Operation) {
        print("step \(step): \(operation)")
        for member in model.members { print("    \(member)") }
        for line in pair.trace.dropFirst(told) { print("    \(line)") }
        told = pair.trace.count
    }

    /// Of the next messages some are lost, doubled or late. No more than two are lost, so that
    /// nobody gives up.
    private func disturb() {
        pair.network.lost = []
        pair.network.doubled = []
        pair.network.late = []
        guard dice.roll(3) > 0 else { return }
        for index in pair.network.count..<(pair.network.count + 12) {
            switch dice.roll(8) {
            case 0 where pair.network.lost.count < 2: pair.network.lost.insert(index)
            case 1: pair.network.doubled.insert(index)
            case 2: pair.network.late.insert(index)
            default: break
            }
        }
    }

    /// Longer than anything lasts that was begun: retransmissions, what lingers, what waits for
    /// its Delete, a refused rekey's next try.
    func quiet(_ span: Duration = .seconds(75)) { pair.drive(for: span) }

    /// - Returns: what was wrong.
    private func perform(_ operation: Operation) -> String? {
        switch operation {
        case .logIn: return logIn()
        case .resume: return comeBack()
        case .rotate: rotate()
        case .die:
            // Seldom: it is the end of everybody.
            if dice.roll(4) == 0 { die() }
        default:
            guard let member = anyMember() else { return nil }
            done.append(operation)
            return perform(operation, on: member)
        }
        return nil
    }

    private func anyMember() -> ReferenceModel.Member? {
        model.members.isEmpty ? nil : model.members[dice.roll(model.members.count)]
    }

    private func perform(_ operation: Operation, on member: ReferenceModel.Member) -> String? {
        let (handle, id) = (member.handle, member.id)
        switch operation {
        case .logOut: finish(member, by: .peer)
        case .terminate: finish(member, by: .us)
        case .bothEnd:
            pair.actAtGateway { _ = $0.terminate(id, at: $1, &$2) }
            pair.act { $0.disconnect(handle, at: $1, &$2) }
            model.end(id, [.deletedByAdmin])
        case .traffic: exchange(member, in: nil)
        case .storm:
            exchange(member, in: Storm(seed: dice.next(), lost: 200, doubled: 200, late: 200))
        case .move: move(member)
        case .createChild: createChild(member)
        case .deleteChild, .bothDelete: deleteChild(member, both: operation == .bothDelete)
        default: rekey(operation, member)
        }
        quiet()
        return nil
    }

    // MARK: Logins and their ends

    private func logIn() -> String? {
        let user = dice.roll(4)
        let isKnown = dice.roll(12) > 0
        let source = addresses[dice.roll(2)]
        // Two sessions of a user may share an address; which gets a packet is then left open.
        let wanted = model.members.last { model.unique != .never || $0.source == source }?.address
        let login = ReferenceModel.Login(
            user: ["alice", "bob", "carol", "dave"][user] + (isKnown ? "@lab" : "@elsewhere"),
            source: source, saysInitialContact: dice.roll(3) == 0,
            wanted: dice.roll(2) == 0 ? wanted : nil,
            isChildless: dice.roll(8) == 0, hasMobike: dice.roll(2) == 0,
            knowsSecret: dice.roll(10) > 0, isKnown: isKnown)
        var policy = ClientPolicy.of(
            login.user, secret: login.knowsSecret ? "correct horse battery staple" : "wrong")
        policy.rekey = RekeyPolicy(ike: .seconds(1 << 20), child: .seconds(1 << 20))
        policy.livenessInterval = .seconds(60)
        policy.initialContact = login.saysInitialContact
        policy.requestedAddresses = login.wanted.map { [$0] } ?? []
        policy.childless = login.isChildless
        if login.isChildless { policy.wantedAddresses = [] }
        policy.supportsMobike = login.hasMobike
        policy.wantsTicket = dice.roll(2) == 0
        let before = Set(pair.gateway.sessions.keys)
        guard let handle = pair.connect(policy, from: login.source) else { return "no login" }
        done.append(.logIn)
        return settle(login, policy, handle, model.outcome(of: login), before)
    }

    /// Waits for the end of a login and compares.
    func settle(
        _ login: ReferenceModel.Login, _ policy: ClientPolicy, _ handle: ConnectionHandle,
        _ outcome: ReferenceModel.Outcome, _ before: Set<SessionID>
    ) -> String? {
        switch outcome {
        case .refused(let reason):
            quiet()
            model.fail(reason)
        case .accepted(let replaced, let silently):
            // A client that is not told finds out by asking whether the gateway is alive.
            quiet(silently && !replaced.isEmpty ? .seconds(300) : .seconds(75))
            for id in replaced { model.end(id, [.replaced]) }
            let new = Set(pair.gateway.sessions.keys).subtracting(before)
            guard let id = new.first, new.count == 1 else { return "\(new.count) new sessions" }
            policies[id] = policy
            model.add(
                ReferenceModel.Member(
                    handle: handle, id: id, user: login.user, hasMobike: login.hasMobike,
                    source: login.source, address: pair.address(of: handle),
                    children: login.isChildless ? 0 : 1))
        }
        let answered = pair.isConnected(handle)
        if case .accepted = outcome { return answered ? nil : "the client was refused" }
        return answered ? "the client was let in" : nil
    }

    private func finish(_ member: ReferenceModel.Member, by initiator: Initiator) {
        if initiator == .peer {
            pair.act { $0.disconnect(member.handle, at: $1, &$2) }
            model.end(member.id, [.deletedByPeer])
        } else {
            pair.actAtGateway { _ = $0.terminate(member.id, at: $1, &$2) }
            model.end(member.id, [.deletedByAdmin])
        }
    }

    private func die() {
        done.append(.die)
        lost += model.members.compactMap(returner)
        pair.network.isCut = true
        quiet(.seconds(300))
        pair.network.isCut = false
        for member in model.members { model.end(member.id, [.peerDead]) }
    }

    // MARK: SAs

    private func rekey(_ operation: Operation, _ member: ReferenceModel.Member) {
        let (handle, id) = (member.handle, member.id)
        let child = { [pair] (initiator: Initiator) in
            if initiator == .peer {
                pair.act { $0.rekeyChild(handle, at: $1, &$2) }
            } else {
                pair.actAtGateway { $0.rekeyChild(of: id, at: $1, &$2) }
            }
        }
        let ike = { [pair] (initiator: Initiator) in
            if initiator == .peer {
                pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
            } else {
                pair.actAtGateway { $0.rekeyIKE(of: id, at: $1, &$2) }
            }
        }
        let first: Initiator = dice.roll(2) == 0 ? .us : .peer
        let second: Initiator = first == .us ? .peer : .us
        let count = member.children > 0 ? 1 : 0
        switch operation {
        case .rekeyChild:
            child(first)
            model.childRekeys = model.childRekeys + (count...count)
        case .rekeyIKE:
            ike(first)
            model.ikeRekeys = model.ikeRekeys + (1...1)
        case .collideChild:
            child(first)
            child(second)
            model.childRekeys = model.childRekeys + (count...(2 * count))
        case .collideIKE:
            ike(first)
            ike(second)
            model.ikeRekeys = model.ikeRekeys + (1...2)
        default:
            child(first)
            ike(second)
            model.childRekeys = model.childRekeys + (count...count)
            model.ikeRekeys = model.ikeRekeys + (1...1)
        }
    }

    private func createChild(_ member: ReferenceModel.Member) {
        pair.act { $0.createChild(member.handle, to: [.anyIPv4], at: $1, &$2) }
        guard member.address != nil, member.children < pair.gateway.policy.childLimit else {
            return
        }
        model.change(member.id) { $0.children += 1 }
    }

    private func deleteChild(_ member: ReferenceModel.Member, both: Bool) {
        guard member.children > 0 else { return }
        let byPeer = both || dice.roll(2) == 0
        if byPeer { pair.act { $0.deleteChild(member.handle, at: $1, &$2) } }
        // Of several, each would delete what it holds for the oldest.
        if !byPeer || both && member.children == 1 {
            pair.actAtGateway { $0.deleteChild(of: member.id, at: $1, &$2) }
        }
        model.change(member.id) { $0.children -= 1 }
    }

    // MARK: Packets

    private func exchange(_ member: ReferenceModel.Member, in storm: Storm?) {
        guard member.children > 0, let address = member.address else { return }
        let (delivered, sealed) = (pair.delivered, pair.sealed)
        pair.network.storm = storm
        for _ in 0..<(1 + dice.roll(6)) {
            if dice.roll(2) == 0 {
                _ = pair.sendFromClient(address, to: .lan, length: 60 + dice.roll(1_000))
            } else {
                _ = pair.sendFromGateway(.lan, to: address, length: 60 + dice.roll(1_000))
            }
            pair.drive(for: .milliseconds(dice.roll(20)))
        }
        pair.network.storm = nil
        pair.drive(for: .seconds(3))
        let (arrived, left) = (pair.delivered, pair.sealed)
        model.change(member.id) {
            $0.traffic += Traffic(
                bytesIn: arrived.bytesIn - delivered.bytesIn,
                packetsIn: arrived.packetsIn - delivered.packetsIn,
                bytesOut: left.bytesOut - sealed.bytesOut,
                packetsOut: left.packetsOut - sealed.packetsOut)
            $0.received += Traffic(
                bytesIn: arrived.bytesOut - delivered.bytesOut,
                packetsIn: arrived.packetsOut - delivered.packetsOut)
        }
    }

    /// By MOBIKE, or as a NAT forgets whom it served: then the next packet tells.
    private func move(_ member: ReferenceModel.Member) {
        guard member.hasMobike || member.children > 0 else { return }
        moves += 1
        let elsewhere = IPAddress.v4(0xc633_6400 + moves)
        if member.hasMobike {
            pair.act {
                _ = $0.relocate(
                    member.handle, to: self.pair.clientPath(from: elsewhere), at: $1, &$2)
            }
        } else {
            let place = Endpoint(elsewhere, 4500)
            pair.act { engine, now, _ in engine.move(member.handle, toLocal: place, at: now) }
            guard let address = member.address else { return }
            let delivered = pair.delivered
            _ = pair.sendFromClient(address, to: .lan, length: 100)
            pair.drive(for: .seconds(3))
            let bytes = pair.delivered.bytesIn - delivered.bytesIn
            model.change(member.id) { $0.traffic += Traffic(bytesIn: bytes, packetsIn: 1) }
        }
        model.change(member.id) { $0.source = elsewhere }
    }
}

extension Pair {
    /// What the client was told of a login.
    fileprivate func connection(_ handle: ConnectionHandle) -> [IPAddress]? {
        for case .connected(handle, _, let addresses) in notices { return addresses }
        return nil
    }

    fileprivate func isConnected(_ handle: ConnectionHandle) -> Bool { connection(handle) != nil }
    fileprivate func address(of handle: ConnectionHandle) -> IPAddress? {
        connection(handle)?.first
    }
}
