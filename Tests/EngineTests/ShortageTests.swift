import TestKit
import Testing
import Vocabulary

@testable import Engine

@Suite("What a shard has no room for")
struct ShortageTests {
    @Test("counts those who are logging in, and is over when somebody leaves")
    func pool() throws {
        var policy = EnginePolicy.example
        policy.pools = [PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.2")]
        let pair = Pair(policy)
        let handle = try pair.logIn("alice@lab")
        #expect(pair.gateway.shortage == [])
        let stranger = RawClient(pair)
        #expect(try stranger.initiate())
        #expect(pair.gateway.shortage == [.pool(0)])
        #expect(pair.gateway.hasAnswered(stranger.request, on: path(from: stranger.source)))
        #expect(!pair.gateway.hasAnswered(stranger.request, on: path(from: Endpoint(.lan, 500))))
        pair.drive(for: .seconds(60))
        #expect(pair.gateway.shortage == [])
        _ = try pair.logIn("bob@lab")
        #expect(pair.gateway.shortage == [.pool(0)])
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive()
        #expect(pair.gateway.shortage == [])
    }

    private func path(from remote: Endpoint) -> Path {
        Path(
            local: Endpoint(Pair.gatewayAddress, 4500), remote: remote, encapsulated: true)
    }

    @Test("is of limits, too: the gateway's and a connection's")
    func limits() throws {
        var policy = EnginePolicy.example
        policy.sessionLimit = 2
        policy.connections[0].sessionLimit = 1
        let pair = Pair(policy)
        #expect(pair.gateway.shortage == [])
        _ = try pair.logIn("alice@lab")
        #expect(pair.gateway.shortage == [.connection(0)])
        policy.connections[0].sessionLimit = nil
        pair.actAtGateway { engine, _, _ in try? engine.adopt(policy) }
        _ = try pair.logIn("bob@lab")
        #expect(pair.gateway.shortage == [.sessions])
    }

    @Test("is of a pool of which this shard has no part, and of either family")
    func parts() throws {
        var policy = EnginePolicy.example
        policy.pools = [
            PoolPolicy(name: "rw", first: "10.88.0.1", last: "10.88.0.9"), PoolPolicy(name: "none"),
        ]
        policy.pools[0].ipv6 = PoolPolicy(name: "", first: "fd00::1", last: "fd00::1").ipv6
        var client = ClientPolicy.example
        client.wantedAddresses = [.ipv4, .ipv6]
        let pair = Pair(policy)
        #expect(pair.gateway.shortage == [.pool(1)])
        _ = try #require(pair.connect(client))
        pair.drive()
        #expect(pair.gateway.shortage == [.pool(0), .pool(1)])
    }
}
