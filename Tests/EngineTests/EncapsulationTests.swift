import TestKit
import Testing
import Vocabulary
import Wire

@testable import Engine

/// ESP goes in UDP, by the NAT traversal port: there is no other way out of this gateway.
@Suite("A peer on the IKE port")
struct EncapsulationTests {
    private let pair = Pair()

    @Test("is not let in: its tunnel would carry nothing")
    func login() throws {
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        let home = Endpoint(raw.source.address, 500)
        let request = try raw.seal(raw.authPayloads(), as: .ikeAuth)
        let answer = try #require(pair.inject(request, from: home, port: 500).last)
        #expect(
            try raw.open(answer)?.contains { payload in
                if case .notify(let notify) = payload {
                    notify.kind == .noProposalChosen
                } else {
                    false
                }
            } == true)
        #expect(pair.failureReasons == [.noProposalChosen])
        #expect(pair.tick.sessions == 0)
        #expect(pair.tick.pools[0].used == 0)
        pair.drive(for: .seconds(60))
        #expect(pair.gateway.isIdle)
    }

    @Test("is answered, and its tunnel stays where it was, behind a NAT too")
    func afterwards() throws {
        let raw = RawClient(pair)
        let path = Path(local: raw.source, remote: raw.source, encapsulated: true)
        let behindNAT = NATDetection.notifies(
            initiatorSPI: raw.initiatorSPI, responderSPI: 0, path: path, pretending: true)
        #expect(try raw.initiate(extra: behindNAT))
        _ = try raw.ask(raw.authPayloads(), as: .ikeAuth)
        #expect(pair.tick.sessions == 1)
        let elsewhere = Endpoint(raw.source.address, 500)
        let request = try raw.seal([], as: .informational)
        #expect(pair.inject(request, from: elsewhere, port: 500).count == 1)
        #expect(pair.events(AddressChanged.self).isEmpty)
        raw.nextID += 1
        // By the other port it would have been followed.
        let moved = Endpoint(raw.source.address, 4_711)
        pair.inject(try raw.seal([], as: .informational), from: moved, port: 4500)
        #expect(pair.events(AddressChanged.self).count == 1)
    }
}
