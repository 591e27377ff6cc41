import ESP
import TestKit
import Testing
import Vocabulary

@testable import Engine

/// Each shard's login looks, decides and enters; another shard's may come between any two of its
/// steps, and what it has to say may come at any time. Here they do, in every order.
@Suite("Logins of one user at several shards at once")
struct SimultaneousLoginTests {
    /// The directory of shards that take turns on one thread.
    final class Board: UserDirectory, @unchecked Sendable {
        private var table = UserTable()
        private(set) var news: [(session: RemoteSession, manner: RemoteEnd)] = []
        /// What happens when so many more calls have come.
        var interruptions: [(calls: Int, body: () -> Void)] = []

        var isEmpty: Bool { table.isEmpty }

        private func interrupt() {
            guard let (calls, body) = interruptions.last else { return }
            interruptions[interruptions.count - 1].calls = calls - 1
            if calls == 0 {
                interruptions.removeLast()
                body()
            }
        }

        func sessions(of user: UserKey, besides shard: UInt8) -> [RemoteSession] {
            interrupt()
            return table.sessions(of: user, besides: shard)
        }
        func enter(
            _ session: RemoteSession, of user: UserKey, knowing others: [RemoteSession]
        ) -> Bool {
            interrupt()
            return table.enter(session, of: user, knowing: others)
        }
        func remove(_ session: SessionID, of user: UserKey) { table.remove(session, of: user) }
        func end(_ session: RemoteSession, of user: UserKey, _ manner: RemoteEnd) {
            interrupt()
            table.remove(session.id, of: user)
            news.append((session, manner))
        }

        func takeNews() -> [(session: RemoteSession, manner: RemoteEnd)] {
            defer { news = [] }
            return news
        }
    }

    enum Rule: CaseIterable { case replace, initialContact, keep, oneRefusing, oneEvicting }

    /// Shards with a client each, all of whom are one user.
    private final class Cluster {
        let board = Board()
        let shards: [Pair]
        let client: ClientPolicy

        init(_ count: Int, _ rule: Rule) {
            var policy = EnginePolicy.example
            policy.connections[0].unique =
                rule == .keep
                ? .keep : rule == .replace || rule == .initialContact ? .replace : .never
            if rule == .oneRefusing || rule == .oneEvicting {
                policy.connections[0].userLimit = 1
                policy.connections[0].eviction = rule == .oneEvicting ? .oldest : .refuse
            }
            var client = ClientPolicy.example
            client.initialContact = rule == .initialContact
            self.client = client
            shards = (0..<count).map { number in
                policy.shard = UInt8(number)
                return Pair(policy, seed: UInt64(number))
            }
            for pair in shards { pair.gateway.directory = board }
        }

        func logIn(_ number: Int) {
            let pair = shards[number]
            _ = pair.connect(client, from: .v4(0xc000_0210 + UInt32(number)))
            pair.drive(for: .milliseconds(100))
        }

        /// - Parameter isReversed: the last news first.
        func deliver(isReversed: Bool) {
            let news = board.takeNews()
            for (session, manner) in isReversed ? news.reversed() : news {
                shards[Int(session.shard)].actAtGateway {
                    $0.supersede(session.id, manner, at: $1, &$2)
                }
            }
        }

        /// - Returns: how many sessions are up when all is quiet.
        func settle() -> Int {
            for pair in shards { pair.drive(for: .seconds(30)) }
            return shards.reduce(0) { $0 + Int($1.tick.sessions) }
        }
    }

    @Test("leave one, whatever comes between", arguments: Rule.allCases)
    func two(_ rule: Rule) {
        for calls in 0..<6 {
            for delivery in 0..<3 {
                let cluster = Cluster(2, rule)
                cluster.board.interruptions = [
                    (
                        calls,
                        {
                            cluster.logIn(1)
                            // A shard that is held up reads its letters late, others at once.
                            if delivery == 2 { cluster.deliver(isReversed: false) }
                        }
                    )
                ]
                cluster.logIn(0)
                if !cluster.board.interruptions.isEmpty {
                    cluster.board.interruptions = []
                    cluster.logIn(1)
                }
                cluster.deliver(isReversed: delivery == 1)
                #expect(cluster.settle() == 1, "\(calls) \(delivery)")
                expectReasons(cluster, rule)
            }
        }
    }

    @Test("leave one of three, whatever comes between", arguments: Rule.allCases)
    func three(_ rule: Rule) {
        for outer in 0..<5 {
            for inner in 0..<5 {
                let cluster = Cluster(3, rule)
                var inside = 1
                cluster.board.interruptions = [
                    (
                        outer,
                        {
                            inside = 2
                            cluster.board.interruptions.append((inner, { cluster.logIn(2) }))
                            cluster.logIn(1)
                            if cluster.board.interruptions.popLast() != nil { cluster.logIn(2) }
                            inside = 3
                        }
                    )
                ]
                cluster.logIn(0)
                cluster.board.interruptions = []
                if inside == 1 {
                    cluster.logIn(1)
                    cluster.logIn(2)
                }
                cluster.deliver(isReversed: (outer + inner).isMultiple(of: 2))
                #expect(cluster.settle() == 1, "\(outer) \(inner)")
                expectReasons(cluster, rule)
            }
        }
    }

    /// Every login but one was refused or has ended, for the reason that the rule has.
    private func expectReasons(_ cluster: Cluster, _ rule: Rule) {
        let refused = cluster.shards.flatMap(\.failureReasons)
        let ended = cluster.shards.flatMap { $0.events(SessionClosed.self) }.map(\.reason.clear)
        #expect(refused.count + ended.count == cluster.shards.count - 1)
        switch rule {
        case .replace, .initialContact: #expect(ended.allSatisfy { $0 == .replaced })
        case .keep: #expect(refused.allSatisfy { $0 == .alreadyConnected })
        case .oneRefusing: #expect(refused.allSatisfy { $0 == .userLimit })
        case .oneEvicting: #expect(ended.allSatisfy { $0 == .evicted })
        }
        // Who was refused at the last moment has left nothing.
        for pair in cluster.shards {
            let sessions = pair.tick.sessions
            #expect(pair.gatewayPlane.count == Int(sessions))
            #expect(pair.tick.pools[0].used == sessions)
            #expect(pair.gateway.inboundSPIs.count == Int(sessions))
        }
        let up = cluster.shards.flatMap { $0.gateway.sessionSummaries() }
        #expect(cluster.board.isEmpty == up.isEmpty)
    }
}
