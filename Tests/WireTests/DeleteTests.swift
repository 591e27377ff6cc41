import Testing
import Wire

@Suite("Delete payload")
struct DeleteTests {
    @Test("has the layout of RFC 7296 §3.11")
    func layout() throws {
        try expectLayout(DeletePayload.ikeSA, hex: "01 00 0000")
        try expectLayout(DeletePayload.children([0xc0ff_ee01]), hex: "03 04 0001 c0ffee01")
        try expectLayout(DeletePayload.ah([1, 2]), hex: "02 04 0002 00000001 00000002")
        try expectLayout(DeletePayload.children([]), hex: "03 04 0000")
    }

    static let refusals = [
        Refusal("empty", "", .truncated(needed: 1, left: 0)),
        Refusal("IKE SA with SPIs", "01 00 0001", .illegal(.numberOfSPIs, value: 1)),
        Refusal("IKE SA with an SPI size", "01 08 0000", .illegal(.spiSize, value: 8)),
        Refusal("ESP with an IKE SPI", "03 08 0001 0102030405060708", .illegal(.spiSize, value: 8)),
        Refusal("ESP without an SPI size", "03 00 0001", .illegal(.spiSize, value: 0)),
        Refusal("AH with an odd SPI size", "02 03 0001 010203", .illegal(.spiSize, value: 3)),
        Refusal("no protocol", "00 00 0000", .illegal(.protocolID, value: 0)),
        Refusal("an unknown protocol", "04 04 0001 00000001", .illegal(.protocolID, value: 4)),
        Refusal("SPIs missing", "03 04 0002 00000001", .truncated(needed: 4, left: 0)),
        Refusal("SPIs left over", "03 04 0001 00000001 ff", .trailing(left: 1)),
        Refusal("65,535 SPIs promised", "03 04 ffff", .tooMany(.numberOfSPIs)),
        Refusal("257 SPIs promised", "03 04 0101", .tooMany(.numberOfSPIs)),
    ]

    @Test("refuses", arguments: refusals)
    func refuses(_ refusal: Refusal) {
        #expect(throws: refusal.error) { try parse(DeletePayload.self, refusal.body) }
    }

    @Test("takes 256 SPIs")
    func limit() throws {
        let payload = DeletePayload.children(Array(1...256))
        #expect(try parse(DeletePayload.self, write(payload)) == payload)
    }
}
