import Forensics
import Testing
import Vocabulary

@Suite("A time as people write it")
struct TimeTextTests {
    private let now = Timestamp(nanoseconds: 1_795_000_000_123_456_789)

    @Test(
        "is read",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1_000_000_000),
            ("2000-02-29T12:00:00Z", 951_825_600_000_000_000),
            ("1900-03-01T00:00:00Z", -2_203_891_200_000_000_000),
            ("2026-11-18T11:06:40Z", 1_795_000_000_000_000_000),
            ("2026-11-18t11:06:40z", 1_795_000_000_000_000_000),
            ("2026-11-18 11:06:40Z", 1_795_000_000_000_000_000),
            ("2026-11-18T12:36:40+01:30", 1_795_000_000_000_000_000),
            ("2026-11-17T23:06:40-12:00", 1_795_000_000_000_000_000),
            ("2026-11-18T11:06:40.5Z", 1_795_000_000_500_000_000),
            ("2026-11-18T11:06:40.000000001Z", 1_795_000_000_000_000_001),
            ("2100-12-31T23:59:59.999999999Z", 4_133_980_799_999_999_999),
            ("2262-04-11T23:47:16.854775807Z", Int64.max),
            ("1677-09-21T00:12:44Z", -9_223_372_036_000_000_000),
            ("now", 1_795_000_000_123_456_789),
            ("-0s", 1_795_000_000_123_456_789),
            ("-90m", 1_795_000_000_123_456_789 - 5_400_000_000_000),
            ("-24h", 1_795_000_000_123_456_789 - 86_400_000_000_000),
            ("-7d", 1_795_000_000_123_456_789 - 604_800_000_000_000),
            ("-2w", 1_795_000_000_123_456_789 - 1_209_600_000_000_000),
        ] as [(String, Int64)])
    func reads(_ example: (text: String, nanoseconds: Int64)) {
        #expect(
            TimeText.parse(example.text, now: now) == Timestamp(nanoseconds: example.nanoseconds))
    }

    @Test(
        "is refused",
        arguments: [
            "", " now", "now ", "yesterday", "-", "-h", "-1", "24h", "+24h", "-1y", "-1.5h", "--1h",
            "-99999999999999999h", "-9999999999999999999h", "-٣h",
            "2026-11-18", "2026-11-18T11:06Z", "2026-11-18T11:06:40", "2026-11-18T11:06:40ZZ",
            "2026-11-18T11:06:40.Z", "2026-11-18T11:06:40.1234567890Z", "2026-11-18T11:06:60Z",
            "2026-11-18T24:00:00Z", "2026-11-18T11:60:00Z", "2026-13-18T11:06:40Z",
            "2026-00-18T11:06:40Z", "2026-11-31T11:06:40Z", "2026-11-00T11:06:40Z",
            "2025-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-11-18T11:06:40+1:30",
            "2026-11-18T11:06:40+24:00", "2026-11-18T11:06:40+0130", "26-11-18T11:06:40Z",
            "2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43Z", "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z", String(repeating: "2", count: 1_000),
        ])
    func refuses(_ text: String) {
        #expect(TimeText.parse(text, now: now) == nil)
    }

    /// Counts days, which needs no algorithm.
    @Test("every month from 1678 to 2261 begins and ends where it has to")
    func everyMonth() {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        func day(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
            let text = "\(year)-\(two(month))-\(two(day))T00:00:00Z"
            return (TimeText.parse(text, now: now)?.nanoseconds ?? 1) / 86_400_000_000_000
        }
        var expected = day(1678, 1, 1)
        for year in 1678..<2262 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            for (month, length) in zip(1...12, lengths) {
                if day(year, month, 1) != expected { Issue.record("\(year)-\(month)") }
                expected += Int64(length)
                if day(year, month, length) != expected - 1 { Issue.record("\(year)-\(month)") }
            }
        }
        #expect(TimeText.parse("1970-01-01T00:00:00Z", now: now)?.nanoseconds == 0)
    }
}
