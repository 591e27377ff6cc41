import Presentation
import Testing
import Vocabulary

@Suite("RFC 3339")
struct CalendarTests {
    // Seconds by `date -u -d TEXT +%s`.
    @Test(
        "known moments",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_210_096, "2024-02-29T12:34:56Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-2_203_891_200, "1900-03-01T00:00:00Z"),
            (-9_223_372_036, "1677-09-21T00:12:44Z"),
            (9_223_372_036, "2262-04-11T23:47:16Z"),
        ] as [(Int64, String)])
    func known(seconds: Int64, text: String) {
        let moment = Timestamp(nanoseconds: seconds * 1_000_000_000)
        #expect(moment.rfc3339 == text)
    }

    @Test("rounds down, before 1970 too")
    func fractions() {
        #expect(Timestamp(nanoseconds: 1_999_999_999).rfc3339 == "1970-01-01T00:00:01Z")
        #expect(Timestamp(nanoseconds: -1).rfc3339 == "1969-12-31T23:59:59Z")
        #expect(Timestamp(nanoseconds: .min).rfc3339 == "1677-09-21T00:12:43Z")
        #expect(Timestamp(nanoseconds: .max).rfc3339 == "2262-04-11T23:47:16Z")
    }

    @Test("every day from 1896 to 2105 follows the one before")
    func days() {
        var previous = ""
        for day in Int64(-27_000)...49_500 {
            let moment = Timestamp(nanoseconds: day * 86_400_000_000_000)
            let text = moment.rfc3339
            #expect(text > previous)
            previous = text
        }
    }
}
