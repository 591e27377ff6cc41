import Presentation
import Testing
import Vocabulary

@Suite("Rendering")
struct RenderTests {
    let people = Table(
        title: "Sessions",
        columns: [
            Column("identity", .text), Column("started", .timestamp),
            Column("lasted", .duration, absent: "open"), Column("bytes_in", .bytes),
            Column("share", .ratio),
        ],
        rows: [
            [
                .text("id:k3v9"), .integer(951_782_400_000_000_000), .integer(3_720_000_000_000),
                .integer(1_234_567), .real(0.75),
            ],
            [.text("a, \"b\"\u{1b}"), .integer(0), .null, .integer(12), .real(0.25)],
        ],
        notes: ["2 sessions."])

    @Test("table")
    func table() {
        #expect(
            render(people, as: .table) == #"""
                Sessions
                identity    started               lasted  bytes in   share
                id:k3v9     2000-02-29T00:00:00Z  1h 02m   1.23 MB  75.0 %
                a, "b"\x1b  1970-01-01T00:00:00Z    open      12 B  25.0 %

                2 sessions.

                """#)
    }

    @Test("json")
    func json() {
        #expect(
            render(people, as: .json) == #"""
                {
                "title": "Sessions",
                "columns": [
                {"name": "identity", "kind": "text"},
                {"name": "started_ns", "kind": "timestamp"},
                {"name": "lasted_ns", "kind": "duration"},
                {"name": "bytes_in", "kind": "bytes"},
                {"name": "share_ratio", "kind": "ratio"}
                ],
                "rows": [
                {"identity": "id:k3v9", "started_ns": 951782400000000000, "lasted_ns": 3720000000000, "bytes_in": 1234567, "share_ratio": 0.75},
                {"identity": "a, \"b\"\u001b", "started_ns": 0, "lasted_ns": null, "bytes_in": 12, "share_ratio": 0.25}
                ],
                "notes": [
                "2 sessions."
                ]
                }

                """#)
    }

    @Test("ndjson says which table, if there are several")
    func ndjson() {
        let table = Table(title: "T", columns: [Column("n", .count)], rows: [[.integer(1)]])
        #expect(render(table, as: .ndjson) == "{\"n\": 1}\n")
        #expect(
            render([table, table], as: .ndjson)
                == "{\"table\": \"T\", \"n\": 1}\n{\"table\": \"T\", \"n\": 1}\n")
    }

    @Test("csv")
    func csv() {
        let table = Table(
            columns: [Column("a", .text), Column("b", .bytes)],
            rows: [
                [.text("x,\"y\"\r\nz"), .integer(1)], [.text(""), .null],
                [.text("\u{1b}[m"), .real(.nan)], [.text(" pad"), .real(0.5)],
            ])
        #expect(
            render(table, as: .csv) == "a,b_bytes\r\n\"x,\"\"y\"\"\r\nz\",1\r\n\"\",\r\n"
                + "\\x1b[m,\r\n\" pad\",0.5\r\n")
        #expect(render([table, table], as: .csv).contains("0.5\r\n\r\na,b_bytes\r\n"))
    }

    @Test(
        "JSON text reads back",
        arguments: ["", "\"\\/\n\r\t", "\u{0}\u{1f}\u{7f}", "é🎉\u{e0001}"])
    func jsonText(text: String) throws {
        let table = Table(columns: [Column("t", .text)], rows: [[.text(text)]])
        let line = render(table, as: .ndjson)
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
        let body = line.dropFirst("{\"t\": \"".count).dropLast("\"}\n".count)
        #expect(unquoted(body) == text)
    }

    @Test("a measured value has its row's unit")
    func measured() {
        let table = Table(
            columns: [Column("what", .text), Column("unit", .unit), Column("now", .measured)],
            rows: [
                [.text("receive"), .text("bits_per_second"), .real(2e6)],
                [.text("sessions"), .text("count"), .integer(3)],
                [.text("odd"), .text("furlongs"), .integer(5)],
            ])
        #expect(
            render(table, as: .table) == """
                what              now
                receive   2.00 Mbit/s
                sessions            3
                odd                 5

                """)
        let lines = render(table, as: .ndjson)
        #expect(lines.contains("\"unit\": \"bits_per_second\", \"now\": 2000000.0"))
    }

    @Test("only text is cut to fit, and only as far as needed")
    func width() {
        let long = String(repeating: "x", count: 40)
        let table = Table(
            columns: [Column("a", .text), Column("n", .count), Column("b", .text)],
            rows: [[.text(long), .integer(12_345_678), .text(long)]])
        let line = render(table, as: .table, width: 40).split(separator: "\n")[1]
        #expect(line.count == 40)
        #expect(line.contains("12345678"))
        #expect(line.contains("…"))
        #expect(render(table, as: .table, width: 92).contains(long + "  "))
        #expect(!render(table, as: .table, width: 1).contains("xxxxxxxxx"))
    }

    @Test("notes are wrapped between words")
    func notes() {
        let table = Table(columns: [], rows: [], notes: ["one two three incomprehensible"])
        #expect(render(table, as: .table, width: 9) == "\none two\nthree\nincomprehensible\n")
        #expect(render(table, as: .table) == "\none two three incomprehensible\n")
    }

    @Test("colour is for headings only")
    func colour() {
        let plain = render(people, as: .table)
        let coloured = render(people, as: .table, colour: true)
        #expect(coloured.split(separator: "\n").filter { $0.contains("\u{1b}") }.count == 2)
        #expect(
            coloured.replacing("\u{1b}[1m", with: "").replacing("\u{1b}[0m", with: "") == plain)
        #expect(render(people, as: .json, colour: true) == render(people, as: .json))
    }

    @Test("charts are squeezed to the width, and drawn for people only")
    func charts() {
        var table = Table(columns: [Column("n", .count)], rows: [])
        table.charts = [Chart(label: "in", values: (0..<100).map { Double($0 % 50) })]
        let text = render(table, as: .table, width: 24, unicode: false)
        #expect(text == "n\n(none)\n\nin  ..-::=+**#..-::=+**#\n")
        #expect(!render(table, as: .json).contains("#"))
    }

    @Test("short rows are filled up, long ones cut, names made unique")
    func shapes() {
        let table = Table(
            columns: [Column("a", .text), Column("a", .text), Column("a_2", .text)],
            rows: [[.text("x")], [.text("1"), .text("2"), .text("3"), .text("4")]])
        #expect(table.keys == ["a", "a_2", "a_2_2"])
        #expect(render(table, as: .csv) == "a,a_2,a_2_2\r\nx,,\r\n1,2,3\r\n")
        #expect(render(table, as: .table) == "a  a  a 2\nx  -  -\n1  2  3\n")
        #expect(render(Table(columns: [], rows: [[.null]]), as: .table) == "")
    }
}

/// Undoes JSON's escapes.
private func unquoted(_ text: Substring) -> String {
    var units: [UInt16] = []
    var rest = Array(text.utf16)[...]
    while let unit = rest.popFirst() {
        guard unit == 0x5c, let letter = rest.popFirst() else {
            units.append(unit)
            continue
        }
        switch Unicode.Scalar(letter) {
        case "n": units.append(10)
        case "r": units.append(13)
        case "t": units.append(9)
        case "u":
            units.append(UInt16(String(decoding: rest.prefix(4), as: UTF16.self), radix: 16) ?? 0)
            rest = rest.dropFirst(4)
        default: units.append(letter)
        }
    }
    return String(decoding: units, as: UTF16.self)
}
