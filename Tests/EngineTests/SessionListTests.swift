import Engine
import TestKit
import Testing
import Vocabulary

@Suite("The first sessions of many")
struct SessionListTests {
    /// Nine users, a second apart, of whom the fifth sends the most and two the same.
    private func pair() throws -> Pair {
        var policy = EnginePolicy.example
        policy.connections[0].unique = .never
        let pair = Pair(policy)
        for (place, length) in [200, 300, 400, 500, 900, 300, 200, 100, 600].enumerated() {
            var client = ClientPolicy.of("user\(place)@lab")
            client.initialContact = false
            _ = try #require(pair.connect(client))
            pair.drive()
            let address = IPAddress.v4(0x0a58_0001 + UInt32(place))
            _ = pair.sendFromClient(address, to: .lan, length: length)
            pair.drive()
        }
        return pair
    }

    @Test("are those that a whole list would have in front", arguments: [0, 1, 4, 9, 50])
    func first(_ limit: Int) throws {
        let pair = try pair()
        let all = pair.gateway.sessionSummaries()
        #expect(all.count == 9)
        #expect(Set(all.map(\.traffic.bytesIn)).count == 7)
        for order in [SessionOrder.established, .bytesIn, .bytesOut] {
            for descending in [false, true] {
                let wanted = all.enumerated().sorted { left, right in
                    let (a, b) = (order.key(left.element), order.key(right.element))
                    if a == b { return left.offset < right.offset }
                    return descending ? a > b : a < b
                }.prefix(limit).map(\.element.session)
                let first = pair.gateway.sessionSummaries(
                    first: limit, by: order, descending: descending)
                #expect(first.map(\.session) == wanted)
            }
        }
    }

    @Test("are told by their names, in the order that these are asked for")
    func byName() throws {
        let pair = try pair()
        let all = pair.gateway.sessionSummaries()
        let names = pair.gateway.sessionNames()
        #expect(Set(names.map(\.session)) == Set(all.map(\.session)))
        for name in names {
            let summary = try #require(all.first { $0.session == name.session })
            #expect(name.identity == summary.identity)
            #expect(name.source == summary.source)
            #expect(name.virtualAddress == summary.virtualAddress)
        }
        let gone = SessionID(high: 1, low: 2)
        let wanted = [all[7], all[2], all[5]].map(\.session)
        let told = pair.gateway.sessionSummaries(of: [wanted[0], gone] + wanted.dropFirst())
        #expect(told.map(\.session) == wanted)
        #expect(told.map(\.traffic) == [all[7], all[2], all[5]].map(\.traffic))
    }
}
