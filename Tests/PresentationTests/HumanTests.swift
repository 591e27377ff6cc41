import Presentation
import Testing
import Vocabulary

@Suite("Values for people")
struct HumanTests {
    @Test(
        "with unit",
        arguments: [
            (.integer(999), .bytes, "999 B"),
            (.integer(1000), .bytes, "1.00 kB"),
            (.integer(999_499), .bytes, "999 kB"),
            (.integer(999_500), .bytes, "1.00 MB"),
            (.integer(12_345_678), .bytes, "12.3 MB"),
            (.integer(.max), .bytes, "9.22 EB"),
            (.integer(-1500), .bytes, "-1.50 kB"),
            (.integer(0), .bitsPerSecond, "0 bit/s"),
            (.real(1e9), .bitsPerSecond, "1.00 Gbit/s"),
            (.real(0.25), .bitsPerSecond, "0.250 bit/s"),
            (.real(1e30), .bytes, "1000000000000 EB"),
            (.real(4.1666), .perSecond, "4.17/s"),
            (.real(0.0166), .perSecond, "0.017/s"),
            (.real(0.0003), .perSecond, "<0.001/s"),
            (.real(-0.0003), .count, ">-0.001"),
            (.integer(951_782_400_000_000_000), .date, "2000-02-29"),
            (.real(0.1234), .ratio, "12.3 %"),
            (.real(-0.00001), .ratio, "0.0 %"),
            (.integer(1), .ratio, "100.0 %"),
            (.real(3), .count, "3"),
            (.real(99.96), .count, "100"),
            (.real(-2.5), .count, "-2.50"),
            (.real(.nan), .count, "-"),
            (.real(.infinity), .bytes, "-"),
            (.real(1e300), .duration, "106751d 23h"),
            (.integer(7), .hourOfDay, "07:00"),
            (.integer(24), .hourOfDay, "24"),
            (.integer(1_000_000_000), .timestamp, "1970-01-01T00:00:01Z"),
            (.text("n/a"), .bytes, "n/a"),
            (.null, .bytes, "-"),
        ] as [(Datum, Kind, String)])
    func units(datum: Datum, kind: Kind, text: String) {
        #expect(human(datum, kind) == text)
    }

    @Test(
        "durations",
        arguments: [
            (0, "0s"), (999, "999 ns"), (12_000, "12 µs"), (340_000_000, "340 ms"),
            (12_000_000_000, "12s"), (125_000_000_000, "2m 05s"), (3_720_000_000_000, "1h 02m"),
            (273_600_000_000_000, "3d 04h"), (-12_000_000_000, "-12s"),
            (.min, "-106751d 23h"),
        ] as [(Int64, String)])
    func durations(nanoseconds: Int64, text: String) {
        #expect(human(.integer(nanoseconds), .duration) == text)
    }

    @Test(
        "nothing moves the cursor",
        arguments: [
            ("plain é 日本 \\", "plain é 日本 \\"),
            ("a\u{1b}[2Jb", "a\\x1b[2Jb"),
            ("line\nend\r\t", "line\\x0aend\\x0d\\x09"),
            ("\u{9b}31m", "\\xc2\\x9b31m"),
            ("evil\u{202e}txt", "evil\\xe2\\x80\\xaetxt"),
            ("\u{2028}", "\\xe2\\x80\\xa8"),
            ("\u{7f}", "\\x7f"),
        ])
    func escapes(text: String, shown: String) {
        #expect(visible(text) == shown)
        #expect(human(.text(text), .text) == shown)
    }

    @Test("sparklines")
    func sparklines() {
        #expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
        #expect(sparkline([0, 3.5, 7], unicode: false) == "_=#")
        #expect(sparkline([0, 0]) == "▁▁")
        #expect(sparkline([100, 50, nil, .nan, -5, 100]) == "█▅  ▁█")
        #expect(sparkline([.infinity, 1]) == " █")
        #expect(sparkline([]) == "")
    }
}
