import ESP
import TestKit
import Testing
import Vocabulary

@testable import Engine

@Suite("A session that comes back at another shard")
struct ResumptionShardTests {
    @Test(
        "is the old one, which ends there at once, whatever the policy",
        arguments: UniquePolicy.allCases)
    func elsewhere(_ unique: UniquePolicy) throws {
        var policy = try ResumptionTests.policy()
        policy.connections[0].unique = unique
        let board = SimultaneousLoginTests.Board()
        let shards = (0..<2).map { number in
            policy.shard = UInt8(number)
            let pair = Pair(policy, seed: UInt64(number))
            pair.gateway.directory = board
            return pair
        }
        var client = ResumptionTests.client()
        client.initialContact = false
        let handle = try #require(shards[0].connect(client))
        shards[0].drive()
        let old = try #require(shards[0].session)
        let ticket = try #require(shards[0].client.ticket(of: handle))

        _ = try #require(shards[1].resume(ticket, client, from: .v4(0xc000_0299)))
        shards[1].drive()
        let established = try #require(shards[1].events(SessionEstablished.self).last)
        #expect(established.resumes.clear == old)
        #expect(established.replaces.clear == old)
        let news = board.takeNews()
        #expect(news.map(\.manner) == [.forgotten])
        for (session, manner) in news {
            #expect(session.shard == 0)
            shards[0].actAtGateway { $0.supersede(session.id, manner, at: $1, &$2) }
        }
        #expect(shards[0].tick.sessions == 0)
        #expect(shards[0].events(SessionClosed.self).map(\.reason.clear) == [.replaced])
        #expect(!shards[0].trace.contains { $0.contains("D(IKE)") })
    }
}
