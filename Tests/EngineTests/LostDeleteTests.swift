import ESP
import Engine
import TestKit
import Testing
import Vocabulary

@Suite("A Delete that is lost, twice")
struct LostDeleteTests {
    /// Who answers a rekey sends by the old Child SA until it is deleted.
    @Test(
        "leaves the old Child SA to be heard until the other side knows", arguments: [true, false])
    func rekeyed(byGateway: Bool) throws {
        let pair = Pair()
        let handle = try #require(pair.connect())
        pair.drive()
        let session = try #require(pair.session)
        let address = try #require(pair.virtualAddress)
        let before = (pair.trace.count, pair.network.count)
        // CREATE_CHILD_SA comes through.
        pair.network.lost = [before.1 + 2, before.1 + 3]
        if byGateway {
            pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
        } else {
            pair.act { $0.rekeyChild(handle, at: $1, &$2) }
        }
        for _ in 0..<200 {
            // The other side sends by the new one as soon as something comes by it.
            if byGateway {
                _ = pair.sendFromClient(address, to: .lan, length: 100)
            } else {
                _ = pair.sendFromGateway(.lan, to: address, length: 100)
            }
            pair.drive(for: .milliseconds(50))
        }
        let (ask, answer, id) = byGateway ? ("<--", "-->", 0) : ("-->", "<--", 2)
        #expect(
            pair.trace[before.0...] == [
                "\(ask) CREATE_CHILD_SA request \(id) { N(REKEY_SA), SA, N, TSi, TSr }",
                "\(answer) CREATE_CHILD_SA response \(id) { SA, N, TSi, TSr }",
                "\(ask) INFORMATIONAL request \(id + 1) { D(ESP) }",
                "\(answer) INFORMATIONAL response \(id + 1) { D(ESP) }",
            ])
        #expect(pair.delivered.packetsIn + pair.delivered.packetsOut == 200)
        #expect(pair.gatewayPlane.takeDrops().isEmpty)
        #expect(pair.clientPlane.takeDrops().isEmpty)
        pair.drive(for: .seconds(10))
        #expect(pair.gatewayPlane.count == 1)
        #expect(pair.clientPlane.count == 1)
        pair.act { $0.disconnect(handle, at: $1, &$2) }
        pair.drive(for: .seconds(60))
        #expect(pair.faults() == [])
    }
}
