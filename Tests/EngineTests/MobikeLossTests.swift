import ESP
import TestKit
import Testing
import Vocabulary

@testable import Engine

/// Every message of a move, and of what may happen beside it, is lost, doubled or late once, while
/// traffic flows.
@Suite("A move")
struct MobikeLossTests {
    typealias Place = (address: IPAddress, gateway: IPAddress)
    static let near: Place = (Pair.clientAddress, Pair.gatewayAddress)
    static let far: Place = (MobikeTests.elsewhere, Pair.gatewayAddress)
    static let farther: Place = (.v4(0xc633_640a), Pair.gatewayAddress)
    static let ipv6: Place = (MobikeTests.elsewhere6, MobikeTests.gateway6)
    /// All that the client has, told in every update.
    static let all = [near.address, far.address, farther.address, ipv6.address]

    /// Where the client goes, one place after the other without waiting, and what else happens.
    enum Journey: CaseIterable {
        case away, toIPv6, further, thereAndBack
        case asClientRekeysChild, asClientRekeysIKE, asGatewayRekeysChild, asGatewayRekeysIKE

        var places: [Place] {
            switch self {
            case .toIPv6: [ipv6]
            case .further: [far, ipv6, farther]
            case .thereAndBack: [far, near]
            default: [far]
            }
        }
        var rekeysChild: Bool { self == .asClientRekeysChild || self == .asGatewayRekeysChild }
        var rekeysIKE: Bool { self == .asClientRekeysIKE || self == .asGatewayRekeysIKE }
    }

    enum Mishap: CaseIterable { case lost, doubled, late, overtaken }

    /// A client that has moved, all the time sending and being sent to.
    private final class Voyage {
        let pair: Pair
        let handle: ConnectionHandle
        let session: SessionID
        let address: IPAddress
        let journey: Journey
        /// The first IKE datagram of the move.
        let first: Int
        private(set) var packets: UInt64 = 0

        init(_ journey: Journey) throws {
            self.journey = journey
            var policy = EnginePolicy.example
            policy.addresses = [Pair.gatewayAddress, MobikeTests.gateway6]
            pair = Pair(policy, clientAddresses: all)
            handle = try #require(pair.connect(MobikeTests.client))
            pair.drive()
            session = try #require(pair.session)
            address = try #require(pair.virtualAddress)
            first = pair.network.count
        }

        func suffer(_ mishap: Mishap, at index: Int) {
            switch mishap {
            case .lost: pair.network.lost = [index]
            case .doubled: pair.network.doubled = [index]
            case .late: pair.network.late = [index]
            case .overtaken:
                // By its own retransmission.
                pair.network.late = [index]
                pair.network.delay = .seconds(3)
            }
        }

        func travel() {
            for place in journey.places {
                let path = pair.clientPath(from: place.address, to: place.gateway)
                pair.act { #expect($0.relocate(handle, to: path, at: $1, &$2)) }
                switch journey {
                case .asClientRekeysChild: pair.act { $0.rekeyChild(handle, at: $1, &$2) }
                case .asClientRekeysIKE: pair.act { $0.rekeyIKE(handle, at: $1, &$2) }
                case .asGatewayRekeysChild:
                    pair.actAtGateway { $0.rekeyChild(of: session, at: $1, &$2) }
                case .asGatewayRekeysIKE:
                    pair.actAtGateway { $0.rekeyIKE(of: session, at: $1, &$2) }
                default: break
                }
                for _ in 0..<4 { exchange() }
            }
            for _ in 0..<40 { exchange() }
            for _ in 0..<40 {
                exchange()
                pair.drive(for: .seconds(1))
            }
            // Two that began at once may ask each other to wait for a while.
            pair.drive(for: .seconds(60))
            exchange()
            pair.drive()
        }

        private func exchange() {
            _ = pair.sendFromClient(address, to: .lan, length: 100)
            _ = pair.sendFromGateway(.lan, to: address, length: 300)
            packets += 1
            pair.drive(for: .milliseconds(3))
        }

        /// Both ends are where they should be, and not a byte was lost or counted twice.
        func expectArrival() throws {
            let last = try #require(journey.places.last)
            #expect(try MobikeTests.remote(pair) == last.address)
            pair.drive()
            let member = try #require(pair.gateway.sessions[session])
            #expect(member.path?.remote.address == last.address)
            #expect(member.path == pair.gateway.sas[member.ikeSPI]?.path)
            #expect(member.peerAddresses == all.filter { $0 != last.address })
            let client = try #require(pair.client.sessions.values.first)
            #expect(client.path == pair.clientPath(from: last.address, to: last.gateway))

            let moves = pair.events(AddressChanged.self)
            #expect(moves.allSatisfy { $0.cause.clear == .mobike })
            #expect(moves.map(\.from).dropFirst() == moves.map(\.to).dropLast())
            if journey.places.count == 1 { #expect(moves.count == 1) }
            if last.address != near.address { #expect(moves.last?.to == Personal(last.address)) }
            #expect(pair.events(ChildSARekeyed.self).count == (journey.rekeysChild ? 1 : 0))
            #expect(pair.events(IKESARekeyed.self).count == (journey.rekeysIKE ? 1 : 0))

            #expect(pair.tick.sessions == 1 && pair.gatewayPlane.count == 1)
            // One more, which asked where the gateway sends.
            #expect(
                pair.delivered
                    == Traffic(
                        bytesIn: 100 * packets, packetsIn: packets, bytesOut: 300 * packets + 100,
                        packetsOut: packets + 1))
            #expect(pair.gatewayPlane.total == pair.delivered)
            #expect(pair.gatewayPlane.takeDrops().isEmpty)
            #expect(pair.clientPlane.takeDrops().isEmpty)
        }

        func end() {
            pair.act { $0.disconnect(handle, at: $1, &$2) }
            pair.drive(for: .seconds(60))
            #expect(pair.events(SessionClosed.self).map(\.reason.clear) == [.deletedByPeer])
            #expect(pair.gateway.isIdle && pair.client.isIdle)
        }
    }

    @Test("comes to one end whatever one message of it suffers", arguments: Journey.allCases)
    func mishaps(_ journey: Journey) throws {
        let calm = try Voyage(journey)
        calm.travel()
        let messages = calm.first..<calm.pair.network.count
        #expect(messages.count >= 4)
        try calm.expectArrival()
        calm.end()
        for mishap in Mishap.allCases {
            for index in messages.prefix(16) {
                let voyage = try Voyage(journey)
                voyage.suffer(mishap, at: index)
                voyage.travel()
                do {
                    try voyage.expectArrival()
                } catch {
                    Issue.record("\(mishap) \(index): \(error)")
                }
                voyage.end()
            }
        }
    }

    @Test("asks once for each place, and the address list goes with it")
    func exchanges() throws {
        let voyage = try Voyage(.toIPv6)
        let before = voyage.pair.trace.count
        voyage.travel()
        #expect(
            voyage.pair.trace[before...].filter { !$0.hasSuffix("{}") } == [
                "--> INFORMATIONAL request 2 { N(UPDATE_SA_ADDRESSES), "
                    + "N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP), "
                    + "N(ADDITIONAL_IP4_ADDRESS), N(ADDITIONAL_IP4_ADDRESS), "
                    + "N(ADDITIONAL_IP4_ADDRESS) }",
                "<-- INFORMATIONAL response 2 { N(NAT_DETECTION_SOURCE_IP), "
                    + "N(NAT_DETECTION_DESTINATION_IP) }",
                "<-- INFORMATIONAL request 0 { N(COOKIE2) }",
                "--> INFORMATIONAL response 0 { N(COOKIE2) }",
            ])
    }
}
