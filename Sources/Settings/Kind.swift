import Vocabulary

/// Why a text is not the value that is wanted.
struct Refusal: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// How one sort of value is written.
struct Kind<Value: Sendable> {
    /// With an example: `a duration such as 30s, 4h`.
    let expected: String
    let parse: (String) throws(Refusal) -> Value

    init(_ expected: String, _ parse: @escaping (String) throws(Refusal) -> Value) {
        self.expected = expected
        self.parse = parse
    }

    /// A kind whose parser only tells yes or no.
    init(_ expected: String, optional parse: @escaping (String) -> Value?) {
        self.init(expected) { (text: String) throws(Refusal) in
            guard let value = parse(text) else { throw Refusal("\(quoted(text)) is none") }
            return value
        }
    }
}

extension Kind where Value == Bool {
    static var truth: Self {
        Self("true or false", optional: { ["true": true, "false": false][$0] })
    }
}

extension Kind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self("a number from \(range.lowerBound) to \(range.upperBound)") {
            (text: String) throws(Refusal) in
            guard let value = decimal(text) else {
                throw Refusal("\(quoted(text)) is not a whole number")
            }
            guard range.contains(value) else { throw Refusal("\(value) is out of range") }
            return value
        }
    }

    /// Per cent.
    static func percent(_ range: ClosedRange<Int>) -> Self {
        Self("a share from \(range.lowerBound)% to \(range.upperBound)%") {
            (text: String) throws(Refusal) in
            guard text.hasSuffix("%"), let value = decimal(text.dropLast()) else {
                throw Refusal("\(quoted(text)) is not a percentage")
            }
            guard range.contains(value) else { throw Refusal("\(value)% is out of range") }
            return value
        }
    }
}

extension Kind where Value == UInt16 {
    static var port: Self {
        Self(
            "a port such as 4500, or 0 for any that is free",
            optional: {
                decimal($0).flatMap(UInt16.init(exactly:))
            })
    }
}

extension Kind where Value == String {
    /// Letters, digits, dot, hyphen, underscore: safe as a label, a file name and a word.
    static func name(_ example: String, limit: Int = 64) -> Self {
        Self(
            "a name of up to \(limit) letters, digits, '.', '-', '_', such as \(example)",
            optional: {
                let isGood = (1...limit).contains($0.utf8.count) && $0.utf8.allSatisfy(isNameByte)
                return isGood ? $0 : nil
            })
    }

    static func path(_ example: String, limit: Int = 4_095) -> Self {
        Self(
            "a path such as \(example)",
            optional: {
                (1...limit).contains($0.utf8.count) && !$0.utf8.contains(0) ? $0 : nil
            })
    }

    /// A base URL, without user, query or fragment.
    static var url: Self {
        Self("a URL such as http://127.0.0.1:9093") { (text: String) throws(Refusal) in
            let schemes = ["http://", "https://"]
            guard let scheme = schemes.first(where: text.hasPrefix), text.utf8.count <= 2_048 else {
                throw Refusal("\(quoted(text)) does not begin with http:// or https://")
            }
            let rest = text.dropFirst(scheme.count)
            let host = rest.prefix { $0 != "/" }
            guard !host.contains("@") else {
                throw Refusal("a URL must not contain a user name or a password")
            }
            guard !host.isEmpty, !host.hasPrefix(":"),
                rest.utf8.allSatisfy({ (0x21..<0x7f).contains($0) }),
                !rest.contains("?"), !rest.contains("#"), !rest.contains("\"")
            else { throw Refusal("\(quoted(text)) is not a base URL") }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }
}

extension Kind where Value == Duration {
    /// - Parameter range: what makes sense here.
    static func duration(_ range: ClosedRange<Duration>, _ example: String) -> Self {
        let bounds = "\(text(range.lowerBound)) to \(text(range.upperBound))"
        return Self("a time such as \(example), from \(bounds)") { (text: String) throws(Refusal) in
            let units: [(String, Int)] = [
                ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
            ]
            for (unit, milliseconds) in units where text.hasSuffix(unit) {
                guard let number = decimal(text.dropLast(unit.count)), number < 1_000_000_000
                else { continue }
                let value = Duration.milliseconds(number * milliseconds)
                guard range.contains(value) else {
                    throw Refusal("\(quoted(text)) is out of range")
                }
                return value
            }
            throw Refusal("\(quoted(text)) is not a number with a unit (ms, s, m, h, d)")
        }
    }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration.nanoseconds / 1_000_000
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
        where milliseconds >= size && milliseconds % Int64(size) == 0 {
            return "\(milliseconds / Int64(size))\(unit)"
        }
        return "\(milliseconds)ms"
    }
}

extension Kind where Value: CaseIterable & RawRepresentable<String> {
    static var word: Self {
        let words = Value.allCases.map(\.rawValue)
        return Self("one of \(words.joined(separator: ", "))") { (text: String) throws(Refusal) in
            guard let value = Value(rawValue: text) else {
                let remedy = suggestion(for: text, among: words).map { "; did you mean \"\($0)\"?" }
                throw Refusal("\(quoted(text)) is unknown\(remedy ?? "")")
            }
            return value
        }
    }
}

/// Digits only, no sign, at most 12.
func decimal(_ text: some StringProtocol) -> Int? {
    guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return Int(text)
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
    default: false
    }
}
