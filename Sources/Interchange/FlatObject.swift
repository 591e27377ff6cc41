package import Vocabulary

/// A JSON object (RFC 8259) of numbers, texts, booleans and nulls: a line of NDJSON.
package struct FlatObject: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package let name: String
        /// True is 1, false is 0.
        package let value: Datum
    }

    /// In their order; no name twice.
    package private(set) var members: [Member] = []

    package static let maxMembers = 64

    /// - Parameter line: of any bytes and any length.
    package init(parsing line: ArraySlice<UInt8>) throws(FormatError) {
        var reader = JSONReader(line)
        try reader.expect("{")
        if !reader.skip("}") {
            repeat {
                guard members.count < Self.maxMembers else {
                    throw FormatError("more than \(Self.maxMembers) members")
                }
                let name = try reader.string()
                try reader.expect(":")
                let value = try reader.scalar()
                guard !members.contains(where: { $0.name == name }) else {
                    throw FormatError("the same member twice")
                }
                members.append(Member(name: name, value: value))
            } while reader.skip(",")
            try reader.expect("}")
        }
        guard reader.isAtEnd else { throw FormatError("text after the object; one to a line") }
    }

    package subscript(name: String) -> Datum? { members.first { $0.name == name }?.value }
}

private struct JSONReader {
    private let bytes: ArraySlice<UInt8>
    private var place: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        place = bytes.startIndex
    }

    private var peek: UInt8? { place < bytes.endIndex ? bytes[place] : nil }

    private mutating func skipBlanks() {
        while let byte = peek, [0x20, 0x09, 0x0d, 0x0a].contains(byte) { place += 1 }
    }

    var isAtEnd: Bool {
        mutating get {
            skipBlanks()
            return peek == nil
        }
    }

    mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard peek == UInt8(ascii: scalar) else { return false }
        place += 1
        return true
    }

    mutating func expect(_ scalar: Unicode.Scalar) throws(FormatError) {
        guard skip(scalar) else {
            throw FormatError("not a flat JSON object: \(scalar) expected")
        }
    }

    mutating func scalar() throws(FormatError) -> Datum {
        skipBlanks()
        switch peek {
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            throw FormatError("an object or list within; members must be flat")
        default: return try word()
        }
    }

    private mutating func word() throws(FormatError) -> Datum {
        let start = place
        while let byte = peek, Self.isOfWord(byte) { place += 1 }
        let word = bytes[start..<place]
        if word.elementsEqual("null".utf8) { return .null }
        if word.elementsEqual("true".utf8) { return .integer(1) }
        if word.elementsEqual("false".utf8) { return .integer(0) }
        guard (1...64).contains(word.count), Self.isNumber(word) else {
            throw FormatError("not a value of JSON")
        }
        let text = String(decoding: word, as: UTF8.self)
        if let number = Int64(text) { return .integer(number) }
        let isInteger = word.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2d }
        guard !isInteger, let number = Double(text), number.isFinite else {
            throw FormatError("a number beyond 64 bits")
        }
        return .real(number)
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2d, 0x2e: true
        default: false
        }
    }

    /// An optional minus, and digits first: `Double` would take more than JSON does.
    private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
        let digits = word.first == 0x2d ? word.dropFirst() : word
        guard let first = digits.first, (0x30...0x39).contains(first) else { return false }
        return digits.allSatisfy {
            (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains($0)
        }
    }

    mutating func string() throws(FormatError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw FormatError("a control character in a text") }
            place += 1
            if byte == UInt8(ascii: "\\") {
                try appendEscape(to: &text)
            } else {
                text.append(byte)
            }
        }
        guard peek != nil else { throw FormatError("a text that does not end") }
        place += 1
        guard let string = String(validating: text, as: UTF8.self) else {
            throw FormatError("a text that is not UTF-8")
        }
        return string
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(FormatError) {
        guard let letter = peek else { throw FormatError("a text that does not end") }
        place += 1
        switch letter {
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "u"):
            guard let scalar = try unicodeScalar() else {
                throw FormatError("half a surrogate pair in a text")
            }
            text.append(contentsOf: String(scalar).utf8)
        default: throw FormatError("an escape that JSON does not know")
        }
    }

    private mutating func unicodeScalar() throws(FormatError) -> Unicode.Scalar? {
        let high = try codeUnit()
        guard (0xd800..<0xdc00).contains(high) else { return Unicode.Scalar(high) }
        guard peek == UInt8(ascii: "\\") else { return nil }
        place += 1
        guard peek == UInt8(ascii: "u") else { return nil }
        place += 1
        let low = try codeUnit()
        guard (0xdc00..<0xe000).contains(low) else { return nil }
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }

    private mutating func codeUnit() throws(FormatError) -> UInt32 {
        let end = place + 4
        guard end <= bytes.endIndex else { throw FormatError("a text that does not end") }
        let digits = bytes[place..<end]
        guard digits.allSatisfy({ $0 != 0x2b && $0 != 0x2d }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw FormatError("an escape that JSON does not know") }
        place = end
        return unit
    }
}
