import Testing
import Wire

@Suite("Security Association payload")
struct SecurityAssociationTests {
    @Test("has the layout of RFC 7296 §3.3")
    func layout() throws {
        let payload = SecurityAssociationPayload([
            Proposal(
                number: 1, protocolID: .ike,
                transforms: [
                    Transform(.encryption, TransformID.aesGCM16, keyLength: 128),
                    Transform(.prf, TransformID.prfHMACSHA256),
                    Transform(.keyExchange, TransformID.x25519),
                ])
        ])
        try expectLayout(
            payload,
            hex: """
                00000024 01010003
                0300000c 01000014 800e0080
                03000008 02000005
                00000008 0400001f
                """)
    }

    @Test("keeps two proposals, SPIs and attributes of every kind")
    func proposals() throws {
        let payload = SecurityAssociationPayload([
            Proposal(
                number: 1, protocolID: .esp, spi: [0xc0, 0xff, 0xee, 1],
                transforms: [Transform(.extendedSequenceNumbers, 0)]),
            Proposal(
                number: 2, protocolID: .esp, spi: [0xc0, 0xff, 0xee, 2],
                transforms: [
                    Transform(
                        TransformType(rawValue: 9), 77,
                        attributes: [
                            .short(type: 15, value: 0xbeef), .long(type: 14, value: [1, 2, 3]),
                            .long(type: 16, value: []),
                        ])
                ]),
        ])
        try expectLayout(
            payload,
            hex: """
                02000014 01030401 c0ffee01 00000008 05000000
                00000023 02030401 c0ffee02
                00000017 0900004d 800fbeef 000e0003010203 00100000
                """)
    }

    static let refusals = [
        Refusal("empty", "", .truncated(needed: 1, left: 0)),
        Refusal(
            "proposal shorter than its header", "00000007 010100",
            .illegal(.proposalLength, value: 7)),
        Refusal("proposal past the end", "00000009 01010000", .truncated(needed: 5, left: 4)),
        Refusal(
            "proposal's next is neither 0 nor 2", "01000008 01010000",
            .illegal(.nextPayload, value: 1)),
        Refusal("bytes after the last proposal", "00000008 01010000 ff", .trailing(left: 1)),
        Refusal("another proposal promised", "02000008 01010000", .truncated(needed: 1, left: 0)),
        Refusal("SPI past the end", "00000008 01010800", .truncated(needed: 8, left: 0)),
        Refusal(
            "fewer transforms than promised", "00000010 01010002 00000008 01000014",
            .illegal(.numberOfTransforms, value: 2)),
        Refusal(
            "more transforms than promised",
            "00000018 01010001 03000008 01000014 00000008 02000005",
            .illegal(.numberOfTransforms, value: 1)),
        Refusal(
            "transforms where none were promised", "00000010 01010000 00000008 01000014",
            .trailing(left: 8)),
        Refusal(
            "transform shorter than its header", "00000010 01010001 00000007 01000014",
            .illegal(.transformLength, value: 7)),
        Refusal(
            "transform past the proposal's end", "00000010 01010001 00000009 01000014",
            .truncated(needed: 5, left: 4)),
        Refusal(
            "transform's next is neither 0 nor 3", "00000010 01010001 01000008 01000014",
            .illegal(.nextPayload, value: 1)),
        Refusal(
            "half an attribute", "00000011 01010001 00000009 01000014 80",
            .truncated(needed: 2, left: 1)),
        Refusal(
            "attribute's value past the end", "00000014 01010001 0000000c 01000014 000e0004",
            .truncated(needed: 4, left: 0)),
        Refusal(
            "65 proposals",
            bytes: Array(repeating: [2, 0, 0, 8, 1, 1, 0, 0], count: 65).flatMap(\.self),
            .tooMany(.proposals)),
        Refusal("129 transforms", bytes: proposal(transforms: 129), .tooMany(.transforms)),
        Refusal("9 attributes", bytes: proposal(attributes: 9), .tooMany(.attributes)),
    ]

    /// One proposal with that many transforms, each of which says that another follows.
    static func proposal(transforms: Int) -> [UInt8] {
        let body = Array(repeating: [3, 0, 0, 8, 1, 0, 0, 20] as [UInt8], count: transforms)
            .flatMap(\.self)
        var bytes: [UInt8] = [0, 0]
        bytes.put(UInt16(8 + body.count))
        return bytes + [1, 1, 0, UInt8(transforms)] + body
    }

    /// One proposal with one transform with that many attributes.
    static func proposal(attributes: Int) -> [UInt8] {
        let body = Array(repeating: [0x80, 0x0e, 0, 0x80] as [UInt8], count: attributes)
            .flatMap(\.self)
        var bytes: [UInt8] = [0, 0]
        bytes.put(UInt16(16 + body.count))
        bytes += [1, 1, 0, 1, 0, 0]
        bytes.put(UInt16(8 + body.count))
        return bytes + [1, 0, 0, 20] + body
    }

    @Test("refuses", arguments: refusals)
    func refuses(_ refusal: Refusal) {
        #expect(throws: refusal.error) {
            try parse(SecurityAssociationPayload.self, refusal.body)
        }
    }

    @Test("takes as many as its limits allow")
    func limits() throws {
        var many = Array(repeating: [2, 0, 0, 8, 1, 1, 0, 0] as [UInt8], count: 64).flatMap(\.self)
        many[63 * 8] = 0
        #expect(try parse(SecurityAssociationPayload.self, many).proposals.count == 64)
        #expect(
            try parse(SecurityAssociationPayload.self, Self.proposal(attributes: 8)).proposals[0]
                .transforms[0].attributes.count == 8)
    }
}
