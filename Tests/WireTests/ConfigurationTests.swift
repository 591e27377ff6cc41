import Testing
import Wire

@Suite("Configuration payload")
struct ConfigurationTests {
    @Test("has the layout of RFC 7296 §3.15")
    func layout() throws {
        try expectLayout(
            ConfigurationPayload(.request, [.init(.ip4Address), .init(.ip4DNS)]),
            hex: "01 000000 0001 0000 0003 0000")
        try expectLayout(
            ConfigurationPayload(.reply, [.init(.ip4Address, [10, 88, 0, 1])]),
            hex: "02 000000 0001 0004 0a580001")
        try expectLayout(ConfigurationPayload(.acknowledge, []), hex: "04 000000")
    }

    @Test("ignores the reserved bit of an attribute")
    func reservedBit() throws {
        let payload = try parse(ConfigurationPayload.self, hex: "01 000000 8001 0000")
        #expect(payload == ConfigurationPayload(.request, [.init(.ip4Address)]))
    }

    static let refusals = [
        Refusal("empty", "", .truncated(needed: 1, left: 0)),
        Refusal("type 0", "00 000000", .illegal(.configurationType, value: 0)),
        Refusal("type 5", "05 000000", .illegal(.configurationType, value: 5)),
        Refusal("no reserved bytes", "01", .truncated(needed: 3, left: 0)),
        Refusal("half an attribute", "01 000000 0001 00", .truncated(needed: 2, left: 1)),
        Refusal("value past the end", "01 000000 0001 0004 0a", .truncated(needed: 4, left: 1)),
        Refusal(
            "the longest value and nothing", "01 000000 0001 ffff",
            .truncated(needed: 65_535, left: 0)),
        Refusal(
            "65 attributes",
            bytes: [1, 0, 0, 0]
                + Array(repeating: [0, 1, 0, 0] as [UInt8], count: 65).flatMap(\.self),
            .tooMany(.attributes)),
    ]

    @Test("refuses", arguments: refusals)
    func refuses(_ refusal: Refusal) {
        #expect(throws: refusal.error) { try parse(ConfigurationPayload.self, refusal.body) }
    }

    @Test("takes 64 attributes, and a value that fills a payload")
    func limits() throws {
        let many = ConfigurationPayload(.request, Array(repeating: .init(.ip4Address), count: 64))
        #expect(try parse(ConfigurationPayload.self, write(many)) == many)
        let large = ConfigurationPayload(
            .request, [.init(.ip4Address, [UInt8](repeating: 1, count: 65_000))])
        #expect(try parse(ConfigurationPayload.self, write(large)) == large)
    }
}
