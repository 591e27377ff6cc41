import Testing
import Wire

@Suite("Header")
struct HeaderTests {
    private func header(_ bytes: [UInt8]) throws(WireError) -> Header {
        var span = bytes.span
        return try Header(parsing: &span)
    }

    @Test("has the layout of RFC 7296 §3.1")
    func layout() throws {
        let bytes = [UInt8](
            hex: "1122334455667788 0100000000c0ffee 2e 20 25 28 00000007 0000001c")
        let expected = Header(
            initiatorSPI: 0x1122_3344_5566_7788, responderSPI: 0x0100_0000_00c0_ffee,
            nextPayload: .encrypted, exchange: .informational, fromInitiator: true,
            isResponse: true, messageID: 7)
        #expect(try header(bytes) == expected)
    }

    @Test(
        "flags",
        arguments: [
            (0x08, true, false, false), (0x10, false, true, false), (0x20, false, false, true),
            (0xc7, false, false, false),
        ])
    func flags(_ flags: UInt8, initiator: Bool, higher: Bool, response: Bool) throws {
        var bytes = [UInt8](hex: "0000000000000001 0000000000000000 00 20 22 00 00000000 0000001c")
        bytes[19] = flags
        let header = try header(bytes)
        #expect(header.fromInitiator == initiator)
        #expect(header.higherVersion == higher)
        #expect(header.isResponse == response)
        #expect(
            Message.plain(header, payloads: [])
                == patchingLength(
                    {
                        bytes[19] &= 0x38
                        return bytes
                    }()))
    }

    @Test("refuses every length but the datagram's", arguments: [0, 27, 29, 0x1_0000, 0xffff_ffff])
    func length(_ length: UInt32) {
        var bytes = [UInt8](hex: "0000000000000001 0000000000000000 00 20 22 08 00000000")
        bytes.put(length)
        #expect(throws: WireError.illegal(.messageLength, value: UInt64(length))) {
            try header(bytes)
        }
    }

    @Test("refuses a zero initiator SPI")
    func zeroSPI() {
        let bytes = [UInt8](hex: "0000000000000000 0000000000000000 00 20 22 08 00000000 0000001c")
        #expect(throws: WireError.illegal(.initiatorSPI, value: 0)) { try header(bytes) }
    }

    @Test("refuses what is shorter", arguments: 0..<28)
    func short(_ count: Int) {
        #expect(throws: WireError.self) { try header(Array(Example.initRequest.prefix(count))) }
    }

    @Test("another major version keeps the header for an answer", arguments: [0, 1, 3, 15])
    func version(_ major: UInt8) throws {
        var bytes = Example.initRequest
        bytes[17] = major << 4
        let failure = #expect(throws: ParseFailure.self) { try Message(parsing: bytes) }
        #expect(failure?.error == .illegal(.majorVersion, value: UInt64(major)))
        #expect(failure?.header?.initiatorSPI == 0x1122_3344_5566_7788)
    }

    @Test("another minor version is no fault (RFC 7296 §2.5)")
    func minorVersion() throws {
        var bytes = Example.initRequest
        bytes[17] = 0x2f
        #expect(try Message(parsing: bytes).payloads?.count == 8)
    }
}
