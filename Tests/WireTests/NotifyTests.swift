import Testing
import Wire

@Suite("Notify payload")
struct NotifyTests {
    @Test("has the layout of RFC 7296 §3.10")
    func layout() throws {
        try expectLayout(NotifyPayload(.noProposalChosen), hex: "00 00 000e")
        try expectLayout(NotifyPayload(.cookie, data: [0xab, 0xcd]), hex: "00 00 4006 abcd")
        try expectLayout(
            NotifyPayload(.rekeySA, protocolID: .esp, spi: [0xc0, 0xff, 0xee, 1]),
            hex: "03 04 4009 c0ffee01")
        try expectLayout(
            NotifyPayload(.invalidKEPayload, data: [0, 19]), hex: "00 00 0011 0013")
    }

    static let refusals = [
        Refusal("empty", "", .truncated(needed: 1, left: 0)),
        Refusal("no SPI size", "00", .truncated(needed: 1, left: 0)),
        Refusal("half a type", "0000 00", .truncated(needed: 2, left: 1)),
        Refusal("SPI past the end", "0304 4009 c0ff", .truncated(needed: 4, left: 2)),
        Refusal("the longest SPI and nothing", "03ff 4009", .truncated(needed: 255, left: 0)),
    ]

    @Test("refuses", arguments: refusals)
    func refuses(_ refusal: Refusal) {
        #expect(throws: refusal.error) { try parse(NotifyPayload.self, refusal.body) }
    }

    @Test("errors are below 16384")
    func errors() {
        #expect(NotifyPayload.Kind(rawValue: 16_383).isError)
        #expect(!NotifyPayload.Kind(rawValue: 16_384).isError)
    }
}
