import Testing
import Wire

@Suite("Message")
struct MessageTests {
    @Test("strongSwan's IKE_SA_INIT is read, and written as it was")
    func initRequest() throws {
        let message = try Message(parsing: Example.initRequest)
        #expect(message.header.exchange == .ikeSAInit)
        let payloads = try #require(message.payloads)
        #expect(
            payloads.map(\.type) == [
                .securityAssociation, .keyExchange, .nonce, .notify, .notify, .notify, .notify,
                .notify,
            ])
        #expect(message.rewritten == Example.initRequest)
    }

    @Test("an error without an SA is read, and written as it was")
    func invalidKE() throws {
        let message = try Message(parsing: Example.invalidKE)
        #expect(message.payloads == [.notify(NotifyPayload(.invalidKEPayload, data: [0, 19]))])
        #expect(message.rewritten == Example.invalidKE)
    }

    @Test("a remote-access IKE_AUTH is read, and laid out as it was")
    func auth() throws {
        let payloads = try parse(
            decrypted: Example.authPlaintext, first: .identificationInitiator)
        #expect(payloads.count == 9)
        let (datagram, sealed) = Message.laidOut(
            Example.authHeader, payloads: payloads, iv: Array(repeating: 9, count: 8),
            tagLength: 16)
        let plaintext = (sealed.range.lowerBound + 8)..<(sealed.range.upperBound - 16)
        #expect(Array(datagram[plaintext]) == Example.authPlaintext)
        #expect(sealed.first == .identificationInitiator)
        #expect(Array(datagram[sealed.range].prefix(8)) == Array(repeating: 9, count: 8))
        guard case .protected(let header, let found) = try Message(parsing: datagram) else {
            Issue.record("an Encrypted payload was laid out")
            return
        }
        #expect(found == sealed)
        #expect(header.messageID == 1)
        #expect(header.nextPayload == .encrypted)
    }

    @Test("an empty Encrypted payload is laid out and found")
    func empty() throws {
        let (datagram, sealed) = Message.laidOut(
            Example.authHeader, payloads: [], iv: [], tagLength: 0)
        #expect(sealed.first == .none)
        #expect(sealed.range == 32..<33)
        guard case .protected(_, sealed) = try Message(parsing: datagram) else {
            Issue.record("an Encrypted payload was laid out")
            return
        }
    }

    @Test("an Encrypted payload is found behind others, which are passed over")
    func encryptedLast() throws {
        let datagram = chain(
            [(41, [0, 0, 0x40, 0]), (46, Array(repeating: 1, count: 30))], last: 35)
        guard case .protected(_, let sealed) = try Message(parsing: datagram) else {
            Issue.record("there is an Encrypted payload")
            return
        }
        #expect(sealed.first == .identificationInitiator)
        #expect(sealed.range == 40..<70)
    }

    @Test("nothing may follow an Encrypted payload")
    func trailingAfterEncrypted() {
        let datagram = patchingLength(chain([(46, [1, 2, 3])], last: 35) + [0xff])
        expect(.trailing(left: 1), datagram)
    }

    @Test("64 payloads are read, 65 are too many")
    func payloadLimit() throws {
        let many = chain(Array(repeating: (43, []), count: 64), last: 0)
        #expect(try Message(parsing: many).payloads?.count == 64)
        expect(.tooMany(.payloads), chain(Array(repeating: (43, []), count: 65), last: 0))
        let sealed = Array(repeating: (UInt8(43), [UInt8]()), count: 64) + [(46, [1])]
        guard case .protected = try Message(parsing: chain(Array(sealed.dropFirst()), last: 35))
        else {
            Issue.record("the 64th payload is the Encrypted payload")
            return
        }
        expect(.tooMany(.payloads), chain(sealed, last: 35))
    }

    @Test("a payload's length is at least its header's, and within the message")
    func payloadLength() {
        for length in [0, 3] as [UInt8] {
            var datagram = chain([(43, [])], last: 0)
            datagram[31] = length
            expect(.illegal(.payloadLength, value: UInt64(length)), datagram)
        }
        var datagram = chain([(43, [])], last: 0)
        datagram[31] = 5
        expect(.truncated(needed: 1, left: 0), datagram)
    }

    @Test("a chain that ends early leaves bytes over")
    func trailing() {
        expect(.trailing(left: 4), chain([(0, [])], last: 0))
    }

    @Test("an unknown payload keeps its type and its critical bit")
    func unknown() throws {
        for critical in [true, false] {
            let payload = AnyPayload.unknown(
                PayloadType(rawValue: 200), critical: critical, OpaquePayload([1, 2]))
            let bytes = Message.plain(Example.authHeader, payloads: [payload])
            #expect(try Message(parsing: bytes).payloads == [payload])
        }
    }

    @Test("padding of every length is taken off, and no longer one")
    func padding() throws {
        let body = [UInt8](hex: "00000008 00004000")
        for length in 0...255 {
            let padding = [UInt8](repeating: 0xee, count: length) + [UInt8(length)]
            #expect(
                try parse(decrypted: body + padding, first: .notify)
                    == [.notify(NotifyPayload(.initialContact))])
        }
        #expect(throws: WireError.truncated(needed: 10, left: 9)) {
            try parse(decrypted: body + [9], first: .notify)
        }
        #expect(throws: WireError.truncated(needed: 1, left: 0)) {
            try parse(decrypted: [], first: .notify)
        }
        #expect(try parse(decrypted: [0], first: .none) == [])
    }

    private func expect(
        _ error: WireError, _ datagram: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let failure = #expect(throws: ParseFailure.self, sourceLocation: sourceLocation) {
            try Message(parsing: datagram)
        }
        #expect(failure?.error == error, sourceLocation: sourceLocation)
    }

    /// A message of payloads with these types and bodies; the last one's next type is `last`.
    private func chain(_ payloads: [(type: UInt8, body: [UInt8])], last: UInt8) -> [UInt8] {
        var header = Example.authHeader
        header.nextPayload = PayloadType(rawValue: payloads.first?.type ?? 0)
        var datagram = Message.plain(header, payloads: [])
        datagram[16] = header.nextPayload.rawValue
        for (index, payload) in payloads.enumerated() {
            datagram.append(index + 1 < payloads.count ? payloads[index + 1].type : last)
            datagram.append(0)
            datagram.put(UInt16(4 + payload.body.count))
            datagram += payload.body
        }
        return patchingLength(datagram)
    }
}
