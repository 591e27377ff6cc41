import Testing
import Wire

@Suite("Traffic Selector payload")
struct TrafficSelectorTests {
    @Test("has the layout of RFC 7296 §3.13")
    func layout() throws {
        try expectLayout(
            TrafficSelectorPayload([
                .addresses(
                    .init(
                        protocolID: 0, firstPort: 0, lastPort: 65_535, first: [10, 99, 0, 0],
                        last: [10, 99, 0, 255]))
            ]), hex: "01 000000 07 00 0010 0000 ffff 0a630000 0a6300ff")
        try expectLayout(
            TrafficSelectorPayload([
                .addresses(
                    .init(
                        protocolID: 17, firstPort: 53, lastPort: 53,
                        first: [UInt8](hex: "20010db8000000000000000000000000"),
                        last: [UInt8](hex: "20010db8ffffffffffffffffffffffff"))),
                .unknown(type: 9, protocolID: 6, bytes: [0xab]),
                .unknown(type: 10, protocolID: 0, bytes: []),
            ]),
            hex: """
                03 000000
                08 11 0028 0035 0035
                20010db8000000000000000000000000 20010db8ffffffffffffffffffffffff
                09 06 0005 ab
                0a 00 0004
                """)
    }

    static let refusals = [
        Refusal("empty", "", .truncated(needed: 1, left: 0)),
        Refusal("no selector", "00 000000", .illegal(.numberOfSelectors, value: 0)),
        Refusal("65 selectors promised", "41 000000", .tooMany(.selectors)),
        Refusal("255 selectors promised", "ff 000000", .tooMany(.selectors)),
        Refusal("selector missing", "01 000000", .truncated(needed: 1, left: 0)),
        Refusal(
            "selector shorter than its header", "01 000000 07 00 0003",
            .illegal(.selectorLength, value: 3)),
        Refusal(
            "IPv4 with a byte too many", "01 000000 07 00 0011 0000 ffff 0a630000 0a6300ff 00",
            .illegal(.selectorLength, value: 17)),
        Refusal(
            "IPv4 addresses under IPv6's type", "01 000000 08 00 0010 0000 ffff 0a630000 0a6300ff",
            .illegal(.selectorLength, value: 16)),
        Refusal(
            "IPv4 cut short", "01 000000 07 00 0010 0000 ffff 0a630000 0a63",
            .truncated(needed: 4, left: 2)),
        Refusal(
            "unknown type past the end", "01 000000 09 00 0008 0000", .truncated(needed: 4, left: 2)
        ),
        Refusal(
            "more than promised",
            "01 000000 07 00 0010 0000 ffff 0a630000 0a6300ff 07 00 0010 0000 ffff 0a630000 0a6300ff",
            .trailing(left: 16)),
    ]

    @Test("refuses", arguments: refusals)
    func refuses(_ refusal: Refusal) {
        #expect(throws: refusal.error) { try parse(TrafficSelectorPayload.self, refusal.body) }
    }

    @Test("takes 64 selectors")
    func limit() throws {
        let payload = TrafficSelectorPayload(
            (0..<64).map { .unknown(type: 99, protocolID: $0, bytes: []) })
        #expect(try parse(TrafficSelectorPayload.self, write(payload)) == payload)
    }
}
