import Testing
import Vocabulary

@Suite("Identifiers")
struct IdentifierTests {
    @Test("a session's is a UUIDv7 (RFC 9562 §5.7, and its example in §A.6)")
    func sessionID() {
        // unix_ts_ms 017F22E279B0, rand_a CC3, rand_b 18C4DC0C0C07398F
        let id = SessionID(
            milliseconds: 0x017f_22e2_79b0,
            random: [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f])
        #expect(id.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        #expect(id.datum == .text(id.description))
    }

    @Test(
        "version and variant stand whatever the bytes", arguments: [UInt8(0), 0x5a, 0xff],
        [0, 3, 10, 40])
    func layout(_ byte: UInt8, _ count: Int) {
        let id = SessionID(milliseconds: .max, random: [UInt8](repeating: byte, count: count))
        #expect(id.high >> 12 & 0xf == 7)
        #expect(id.low >> 62 == 0b10)
        #expect(id.high >> 16 == 0xffff_ffff_ffff)
        #expect(id.description.count == 36)
    }

    @Test("sort by time")
    func order() {
        let texts = [UInt64(1), 2, 0xffff, 0x1_0000, 0x017f_22e2_79b0].map {
            SessionID(milliseconds: $0, random: [UInt8](repeating: 0xff, count: 10)).description
        }
        #expect(texts == texts.sorted())
    }

    @Test("SPIs are hex digits of fixed width")
    func spis() {
        #expect(IKESPI(0x0102).datum == .text("0000000000000102"))
        #expect(IKESPI(.max).datum == .text("ffffffffffffffff"))
        #expect(ESPSPI(0xc0ff_ee).datum == .text("00c0ffee"))
    }

    @Test("numbers beyond Int64 saturate")
    func saturation() {
        #expect(UInt64.max.datum == .integer(.max))
        #expect(ChildID(.max).datum == .integer(.max))
        #expect(Int64.min.datum == .integer(.min))
        #expect(UInt64?.none.datum == .null)
        #expect(true.datum == .integer(1))
    }
}

@Suite("Time")
struct TimeTests {
    @Test(
        "an instant saturates at both ends of the clock",
        arguments: [
            (UInt64(5), Duration.seconds(1), UInt64(1_000_000_005)),
            (1_000_000_005, .seconds(-1), 5), (5, .seconds(-1), 0), (.max, .nanoseconds(1), .max),
            (.max - 1, .nanoseconds(1), .max), (0, .seconds(Int64.max), UInt64(Int64.max)),
            (7, .seconds(Int64.min), 0), (1 << 63, .seconds(Int64.max), .max),
        ])
    func sums(_ instant: UInt64, _ span: Duration, _ expected: UInt64) {
        #expect(Instant(nanoseconds: instant) + span == Instant(nanoseconds: expected))
    }

    @Test(
        "a difference of any two instants is a duration",
        arguments: [
            (UInt64(5), UInt64(3), Int64(2)), (3, 5, -2), (.max, 0, .max), (0, .max, -.max),
            (.max, .max, 0),
        ])
    func differences(_ left: UInt64, _ right: UInt64, _ nanoseconds: Int64) {
        #expect(
            (Instant(nanoseconds: left) - Instant(nanoseconds: right)).nanoseconds == nanoseconds)
    }

    @Test(
        "a duration in nanoseconds saturates",
        arguments: [
            (Duration.zero, Int64(0)), (.nanoseconds(-1), -1), (.milliseconds(1), 1_000_000),
            (.seconds(9_223_372_036), 9_223_372_036_000_000_000), (.seconds(9_223_372_037), .max),
            (.seconds(-9_223_372_037), .min), (.seconds(Int64.max), .max),
            (.seconds(Int64.min), .min),
            (.nanoseconds(Int64.max), .max), (.nanoseconds(Int64.min), .min),
        ])
    func nanoseconds(_ span: Duration, _ expected: Int64) {
        #expect(span.nanoseconds == expected)
    }

    @Test("traffic adds up without trapping")
    func traffic() {
        let most = Traffic(bytesIn: .max, packetsIn: 1, bytesOut: 2, packetsOut: 3)
        #expect(
            most + Traffic(bytesIn: 1, packetsIn: 1)
                == Traffic(packetsIn: 2, bytesOut: 2, packetsOut: 3))
    }
}
