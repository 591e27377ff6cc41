import Testing
import Wire

@Suite("Identification, Certificate and Authentication payloads")
struct IdentificationTests {
    @Test("have the layouts of RFC 7296 §3.5, §3.6 and §3.8")
    func layout() throws {
        try expectLayout(
            IdentificationPayload(type: 2, data: Array("gw.lab".utf8)),
            hex: "02 000000 67772e6c6162")
        try expectLayout(
            IdentificationPayload(type: 1, data: [192, 0, 2, 7]), hex: "01 000000 c0000207")
        try expectLayout(IdentificationPayload(type: 11, data: []), hex: "0b 000000")
        try expectLayout(CertificatePayload(encoding: 4, data: [0x30, 0x03]), hex: "04 3003")
        try expectLayout(
            AuthenticationPayload(method: .sharedKey, data: [1, 2, 3]), hex: "02 000000 010203")
    }

    @Test("an identity enters the AUTH computation as it stands on the wire")
    func restOfIDPayload() {
        let payload = IdentificationPayload(type: 3, data: Array("a@b".utf8))
        #expect(payload.bytes == [UInt8](hex: "03 000000 614062"))
    }

    @Test("refuse what is cut short")
    func refuses() {
        #expect(throws: WireError.truncated(needed: 1, left: 0)) {
            try parse(IdentificationPayload.self, [])
        }
        #expect(throws: WireError.truncated(needed: 3, left: 2)) {
            try parse(IdentificationPayload.self, hex: "020000")
        }
        #expect(throws: WireError.truncated(needed: 1, left: 0)) {
            try parse(CertificatePayload.self, [])
        }
        #expect(throws: WireError.truncated(needed: 3, left: 0)) {
            try parse(AuthenticationPayload.self, hex: "02")
        }
    }
}
