import ESP
import Engine
import TestKit
import Testing
import Vocabulary
import Wire

@Suite("Headers that mean no good")
struct HostileHeaderTests {
    private func reasons(_ pair: Pair) -> [MessageDrop] {
        pair.events(MessageDropped.self).map(\.reason.clear)
    }

    private func request(_ pair: Pair) throws -> [UInt8] {
        _ = pair.connect()
        return try #require(pair.datagrams.last?.bytes)
    }

    @Test("a higher major version is told which we speak, in fewer bytes", arguments: [3, 15])
    func higherVersion(_ major: UInt8) throws {
        let pair = Pair()
        var request = try request(pair)
        request[17] = major << 4
        let answers = pair.inject(request)
        #expect(answers.count == 1)
        let answer = try #require(answers.first)
        #expect(answer.count <= request.count)
        guard case .plain(let header, let payloads) = try Message(parsing: answer) else {
            Issue.record("it can't be encrypted")
            return
        }
        #expect(header.isResponse)
        #expect(!header.fromInitiator)
        #expect(payloads == [.notify(NotifyPayload(.invalidMajorVersion))])
        #expect(reasons(pair) == [.unsupportedVersion])
    }

    @Test("a higher major version in a bare header gets nothing larger back", arguments: 0..<12)
    func noAmplification(_ extra: Int) throws {
        let pair = Pair()
        var request = Message.plain(
            Header(
                initiatorSPI: 1, responderSPI: 0, version: 0x30, exchange: .ikeSAInit,
                fromInitiator: true, isResponse: false, messageID: 0), payloads: [])
        request += [UInt8](repeating: 0, count: extra)
        request[27] = UInt8(request.count)
        for answer in pair.inject(request) { #expect(answer.count <= request.count) }
        #expect(reasons(pair) == [.unsupportedVersion])
    }

    @Test("a response of a higher version is not answered: two gateways would not stop")
    func higherVersionResponse() throws {
        let pair = Pair()
        var request = try request(pair)
        request[17] = 0x30
        request[19] = 0x28
        #expect(pair.inject(request).isEmpty)
    }

    @Test("IKEv1, and version 0, are dropped in silence", arguments: [0, 1])
    func lowerVersion(_ major: UInt8) throws {
        let pair = Pair()
        var request = try request(pair)
        request[17] = major << 4
        #expect(pair.inject(request).isEmpty)
        #expect(reasons(pair) == [.unsupportedVersion])
        #expect(pair.tick.halfOpen == 0)
    }

    @Test("exchanges that we don't know, in the clear", arguments: [0, 33, 38, 43, 255])
    func unknownExchange(_ exchange: UInt8) throws {
        let pair = Pair()
        var request = try request(pair)
        request[18] = exchange
        #expect(pair.inject(request).isEmpty)
        #expect(reasons(pair) == [.unprotected])
    }

    @Test("zero SPIs")
    func zeroSPI() throws {
        let pair = Pair()
        var request = try request(pair)
        for offset in 0..<8 { request[offset] = 0 }
        #expect(pair.inject(request).isEmpty)
        #expect(reasons(pair) == [.malformed])
        let raw = RawClient(pair)
        #expect(try raw.initiate())
        var sealed = try raw.seal([], as: .ikeAuth)
        for offset in 8..<16 { sealed[offset] = 0 }
        #expect(pair.inject(sealed).isEmpty)
        #expect(reasons(pair).last == .unknownSPI)
    }

    @Test("IKE_SA_INIT with a message id, a responder SPI or from a responder")
    func oddInit() throws {
        for offset in [8, 19, 23] {
            let pair = Pair()
            var request = try request(pair)
            request[offset] = offset == 19 ? 0 : 1
            #expect(pair.inject(request).isEmpty)
            #expect(reasons(pair) == [.malformed])
        }
    }

    @Test("IKE_SA_INIT again is answered alike; another one of the same SPI is another's")
    func retransmittedInit() throws {
        let pair = Pair()
        let request = try request(pair)
        let first = pair.inject(request)
        #expect(first.count == 1)
        #expect(pair.inject(request) == first)
        #expect(pair.tick.halfOpen == 1)
        #expect(pair.events(IKESAInitReceived.self).count == 1)
        // Two peers behind one NAT may choose one SPI (RFC 7296 §2.1).
        var other = request
        let nonce = other.count - 2 * 28 - 1
        other[nonce] ^= 1
        let second = pair.inject(other)
        #expect(second.count == 1)
        #expect(second != first)
        #expect(pair.tick.halfOpen == 2)
        #expect(pair.inject(request) == first)
    }

    @Test("a response that nobody asked for")
    func unaskedResponse() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        for id in [0, 1, 2, 99] as [UInt32] {
            let response = try raw.seal([], as: .informational, id: id, isResponse: true)
            #expect(raw.exchangeBytes(response) == nil)
        }
        #expect(reasons(pair) == Array(repeating: .unexpectedResponse, count: 4))
        #expect(pair.tick.sessions == 1)
    }

    @Test("message ids far ahead, and the last one with other bytes")
    func messageIDs() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        for id in [0, 1, 3, 7, 0x8000_0000, 0xffff_ffff] as [UInt32] {
            #expect(raw.exchangeBytes(try raw.seal([], as: .informational, id: id)) == nil)
        }
        #expect(reasons(pair) == Array(repeating: .messageID, count: 6))
        #expect(try raw.ask([], as: .informational) == [])
    }

    @Test("the same request gets the same bytes again, and is not carried out again")
    func cachedAnswer() throws {
        let pair = Pair()
        let raw = RawClient(pair)
        #expect(try raw.logIn())
        let rekey = try raw.seal(
            [
                .notify(NotifyPayload(.rekeySA, protocolID: .esp, spi: [0xc0, 0xff, 0xee, 1])),
                RawClient.childOffer(spi: 0xc0ff_ee02), .nonce(NoncePayload(Array(0..<32))),
                RawClient.anySelector(AnyPayload.trafficSelectorInitiator),
                RawClient.anySelector(AnyPayload.trafficSelectorResponder),
            ], as: .createChildSA)
        let first = try #require(raw.exchangeBytes(rekey))
        #expect(raw.exchangeBytes(rekey) == first)
        #expect(raw.exchangeBytes(rekey) == first)
        #expect(pair.events(ChildSARekeyed.self).count == 1)
        #expect(pair.gatewayPlane.count == 2)
        raw.nextID += 1
        #expect(try raw.ask([], as: .informational) == [])
        // Two requests back: no longer kept.
        #expect(raw.exchangeBytes(rekey) == nil)
    }
}
