import Engine
import TestKit
import Vocabulary

/// What operators do to a gateway in a random walk, and clients that crash.
extension Walk {
    /// A drain, its end, or another policy.
    mutating func maintain() {
        switch dice.roll(5) {
        case 0:
            let order = DrainOrder(
                deadline: .seconds(1 + dice.roll(30)), targets: [.name("gw2.example.org")])
            pair.actAtGateway { $0.drain(order, at: $1, &$2) }
        case 1, 2: pair.actAtGateway { engine, _, output in _ = engine.cancelDrain(&output) }
        default: reload()
        }
    }

    /// A connection goes, another comes; pools grow and shrink; limits change. It may be refused.
    private mutating func reload() {
        var next = policy
        next.connections[0].name = ["staff", "guests"][dice.roll(2)]
        next.connections[0].unique = UniquePolicy.allCases[dice.roll(3)]
        next.connections[0].userLimit = dice.roll(2) == 0 ? 1 + dice.roll(2) : nil
        next.connections[0].eviction = EvictionPolicy.allCases[dice.roll(3)]
        next.sessionLimit = 2 + dice.roll(6)
        let last = 2 + dice.roll(12)
        next.pools[0].ipv4 = PoolPolicy(name: "", first: "10.88.0.1", last: "10.88.0.\(last)").ipv4
        var isAdopted = true
        pair.actAtGateway { engine, _, _ in
            do throws(PolicyRefusal) { try engine.adopt(next) } catch { isAdopted = false }
        }
        if isAdopted { policy = next }
    }

    /// A client has lost its session and has a ticket of it.
    mutating func comeBack() {
        guard !logins.isEmpty else { return }
        let handle = logins[dice.roll(logins.count)]
        guard let ticket = pair.client.ticket(of: handle), let client = clients[handle],
            let back = pair.resume(ticket, client)
        else { return }
        note(back, client)
    }
}
