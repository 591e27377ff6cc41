import Interchange
import Testing
import Vocabulary

@Suite("NDJSON and CSV")
struct FlatObjectTests {
    @Test("what is written can be read")
    func roundTrip() throws {
        var generator = SeededGenerator(5)
        for _ in 0..<2_000 {
            let members = (0..<Int.random(in: 0...6, using: &generator)).map { index in
                let datum: Datum =
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: .null
                    case 1: .integer(.random(in: .min...(.max), using: &generator))
                    case 2: .real(Double.random(in: -1e300...1e300, using: &generator))
                    default: .text(randomText(&generator, length: 0...20))
                    }
                return (name: "m\(index)" + randomText(&generator), value: datum)
            }
            var writer = TextWriter()
            writer.object(members)
            let line = writer.take()
            #expect(line.last == 0x0a && !line.dropLast().contains(0x0a))
            let object = try FlatObject(parsing: line[...].withoutLineEnd)
            #expect(object.members.map(\.name) == members.map(\.name))
            #expect(object.members.map(\.value) == members.map(\.value))
        }
    }

    @Test("what JSON allows")
    func known() throws {
        let text = #" { "a" : 1 , "b":-2.5e1,"c":true,"d":null,"é":"\u00e9\ud83d\ude42\/\b" } "#
        let object = try FlatObject(parsing: text.bytes)
        #expect(
            object.members.map(\.value) == [
                .integer(1), .real(-25), .integer(1), .null, .text("é🙂/\u{8}"),
            ])
        #expect(object["a"] == .integer(1))
        #expect(object["z"] == nil)
    }

    @Test(
        "is refused",
        arguments: [
            "", "{", "{}{}", "[]", "1", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":{}}",
            "{\"a\":[1]}", "{\"a\":1,\"a\":2}", "{\"a\":\"x}", "{\"a\":\"\\x\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\u12\"}", "{\"a\":nan}", "{\"a\":inf}",
            "{\"a\":+1}", "{\"a\":.5}", "{\"a\":9223372036854775808}", "{\"a\":1e999}",
            "{\"a\":\"\u{1}\"}", "{\"a\":--1}", "{a:1}",
        ])
    func refused(_ text: String) {
        #expect(throws: FormatError.self) { try FlatObject(parsing: text.bytes) }
    }

    @Test("has bounds, and no bytes do any harm")
    func hostile() {
        let many = (0...FlatObject.maxMembers).map { "\"m\($0)\":1" }.joined(separator: ",")
        #expect(throws: FormatError.self) { try FlatObject(parsing: "{\(many)}".bytes) }
        let good = Array(#"{"kind":"run","at_ns":-12.5e3,"text":"\ud83d\ude42\n"}"#.utf8)
        for end in good.indices.dropLast() {
            #expect(throws: FormatError.self) { try FlatObject(parsing: good[...end]) }
        }
        var generator = SeededGenerator(6)
        for _ in 0..<5_000 {
            var bytes = good
            bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8(
                truncatingIfNeeded: generator.next())
            if let object = try? FlatObject(parsing: bytes[...]) {
                #expect(object.members.count <= 3)
            }
        }
    }

    @Test("CSV as RFC 4180 has it")
    func csv() {
        var writer = TextWriter()
        writer.record([.text("a"), .text("b,c"), .text("d\"e"), .text("f\r\ng"), .text("")])
        writer.record([.null, .integer(-1), .real(2.5), .real(.nan), .text("x y")])
        #expect(
            String(decoding: writer.take(), as: UTF8.self)
                == "a,\"b,c\",\"d\"\"e\",\"f\r\ng\",\"\"\r\n,-1,2.5,,\"x y\"\r\n")
    }
}

@Suite("Lines of a file")
struct LinesTests {
    @Test("are the same, whatever the blocks", arguments: [1, 2, 3, 7, 1_000])
    func blocks(_ size: Int) throws {
        let bytes = Array("one\r\n\ntwo\nthree".utf8)
        var lines = Lines()
        var found: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines.add(bytes[start..<min(start + size, bytes.count)])
            while let line = try lines.next() {
                found.append(String(decoding: line.withoutLineEnd, as: UTF8.self))
            }
        }
        found.append(String(decoding: lines.finish(), as: UTF8.self))
        #expect(found == ["one", "", "two", "three"])
        #expect(lines.finish().isEmpty)
    }

    @Test("have a limit")
    func limit() throws {
        var lines = Lines()
        lines.add([UInt8](repeating: 0x61, count: Lines.limit)[...])
        #expect(try lines.next() == nil)
        lines.add([0x0a])
        #expect(try lines.next()?.count == Lines.limit + 1)
        lines.add([UInt8](repeating: 0x61, count: Lines.limit + 1)[...])
        #expect(throws: Lines.TooLong.self) { try lines.next() }
    }

    @Test("a fingerprint is FNV-1a's")
    func fingerprint() {
        var whole = Fingerprint()
        whole.add("foobar".bytes)
        #expect(whole.value == 0x8594_4171_f739_67e8)
        var parts = Fingerprint()
        parts.add("foo".bytes)
        parts.add("bar".bytes)
        #expect(parts == whole)
    }
}
