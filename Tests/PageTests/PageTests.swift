import Foundation
import Presentation
import Testing
import Vocabulary

@testable import Page

@Suite("The page")
struct PageTests {
    static let nasty = "<script>alert('x')</script>\"&\u{0}\u{202e}"

    static var example: PageState {
        var state = PageState(
            gateway: "gw.example.org", version: "1",
            now: Timestamp(nanoseconds: 1_795_000_000_000_000_000))
        state.figures = [.init(id: "f-sessions", name: "Sessions", value: "12")]
        state.checks = [.init(id: "c-store", name: "Store", condition: .bad, value: "fails")]
        state.failures = [.init(name: "wrong_credential", value: 7)]
        state.pools = [
            .init(name: "staff", size: 254, used: 250), .init(name: "empty", size: 0, used: 0),
        ]
        state.sessions = Table(
            title: "Logged in", columns: [Column("identity", .text), Column("bytes_in", .bytes)],
            rows: [[.text("id:a"), .integer(5)], [.text("id:b"), .integer(70)], [.null, .null]])
        state.charts = [
            TimeChart(
                id: "t", title: "Traffic", kind: .bitsPerSecond,
                since: Timestamp(nanoseconds: 0), until: Timestamp(nanoseconds: 3_600_000_000_000),
                lines: [
                    .init(name: "in", values: [1, 2, nil, 4_000]),
                    .init(name: "out", values: [.nan, nil, nil, nil]),
                ])
        ]
        return state
    }

    @Test("escapes whatever is not its own, everywhere")
    func escapes() {
        var state = Self.example
        state.gateway = Self.nasty
        state.version = Self.nasty
        state.gaps = [Self.nasty]
        state.remark = Self.nasty
        state.figures = [.init(id: Self.nasty, name: Self.nasty, value: Self.nasty)]
        state.checks = [
            .init(id: Self.nasty, name: Self.nasty, condition: .good, value: Self.nasty)
        ]
        state.failures = [.init(name: Self.nasty, value: 1)]
        state.pools = [.init(name: Self.nasty, size: 2, used: 1)]
        let table = Table(
            title: Self.nasty, columns: [Column(Self.nasty, .text)], rows: [[.text(Self.nasty)]],
            notes: [Self.nasty])
        state.sessions = table
        state.activeAlerts = table
        state.pastAlerts = table
        state.capacity = [table]
        state.charts = [
            TimeChart(
                id: Self.nasty, title: Self.nasty, kind: .count, since: Timestamp(nanoseconds: 0),
                until: Timestamp(nanoseconds: 1), lines: [.init(name: Self.nasty, values: [1])])
        ]
        var choice = PageChoice()
        choice.sessionsBy = Self.nasty
        let html = state.html(choice)
        #expect(html.components(separatedBy: "<script").count == 2)
        #expect(!html.contains("alert('"))
        #expect(!html.contains("\u{0}") && !html.contains("\u{202e}"))
        #expect(!html.contains(" style=") && !html.contains(" on" + "click"))
        #expect(state.event.split(separator: "\n").count == 2)
    }

    @Test("sorts by a column, both ways, and offers the other way")
    func sorts() throws {
        var choice = PageChoice { ["sessions": "bytes_in", "sessions_order": "asc"][$0] }
        let up = Self.example.html(choice)
        let first = try #require(up.range(of: "id:a"))
        let second = try #require(up.range(of: "id:b"))
        #expect(first.lowerBound < second.lowerBound)
        #expect(up.contains("aria-sort=\"ascending\""))
        #expect(up.contains("href=\"/?sessions=bytes_in#sessions\""))
        choice.sessionsDescending = true
        let down = Self.example.html(choice)
        #expect(
            try #require(down.range(of: "id:b")).lowerBound
                < #require(down.range(of: "id:a")).lowerBound)
    }

    @Test("ignores choices that it does not know")
    func unknownChoices() {
        let choice = PageChoice { _ in Self.nasty }
        #expect(choice.span == .hour)
        #expect(PageChoice { $0 == "span" ? "week" : nil }.address == "/?span=week")
        #expect(Self.example.html(choice).contains("id:a"))
    }

    @Test("draws what was recorded, and gaps where nothing was")
    func charts() {
        let html = Self.example.html(PageChoice())
        #expect(html.contains("in: latest 4.00 kbit/s, most 4.00 kbit/s"))
        #expect(html.contains("out: nothing recorded"))
        #expect(html.components(separatedBy: "d=\"M").count == 2)
        #expect(html.contains("d=\"M0 140h0L200 139.9M594 36h6\""))
    }

    @Test("stays under 100 kB with ten thousand sessions and long names")
    func isSmall() {
        var state = Self.example
        let row: [Datum] = [.text(String(repeating: "&", count: 500)), .integer(1)]
        state.sessions.rows = Array(repeating: row, count: 10_000)
        state.charts = Array(
            repeating: TimeChart(
                id: "t", title: "Traffic", kind: .count, since: Timestamp(nanoseconds: 0),
                until: Timestamp(nanoseconds: 1),
                lines: [.init(name: "in", values: (0..<120).map { Double($0) })]), count: 6)
        let html = state.html(PageChoice())
        #expect(html.utf8.count < 100_000)
        #expect(html.contains("9900 more rows are not shown."))
    }

    @Test("gives one event that JSON readers take")
    func events() {
        #expect(
            Self.example.event == """
                retry: 2000
                data: {"f-sessions":"12","now":"2026-11-18T11:06:40Z",\
                "c-store":{"state":"bad","mark":"Problem","value":"fails"}}


                """)
        #expect(json("a\"\\\n\u{2028}é") == "\"a\\\"\\\\\\u000a\\u2028é\"")
    }

    @Test("loads nothing from elsewhere")
    func isSelfContained() {
        let texts = [Self.example.html(PageChoice())] + Asset.allCases.map(\.text)
        for text in texts {
            #expect(!text.contains("https:") && !text.contains("//cdn"))
            #expect(!text.replacing("http://www.w3.org/2000/svg", with: "").contains("http:"))
        }
    }
}
