import Testing
import Wire

extension [UInt8] {
    /// Reads hex digits; spaces and line ends are for the eye.
    init(hex text: String) {
        self = []
        var high: UInt8?
        for digit in text where !digit.isWhitespace {
            guard let value = digit.hexDigitValue else { preconditionFailure("no hex: \(digit)") }
            if let first = high {
                append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        precondition(high == nil, "odd number of hex digits")
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    mutating func number<T: FixedWidthInteger>(_ range: ClosedRange<T>) -> T {
        T.random(in: range, using: &self)
    }

    mutating func bytes(_ range: ClosedRange<Int>) -> [UInt8] {
        (0..<number(range)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// Reads a body that must fill `bytes`.
func parse<P: Payload>(_: P.Type = P.self, _ bytes: [UInt8]) throws(WireError) -> P {
    var body = bytes.span
    return try body.take(P.self, length: bytes.count)
}

func parse<P: Payload>(_ type: P.Type = P.self, hex: String) throws(WireError) -> P {
    try parse(type, [UInt8](hex: hex))
}

/// Reads decrypted contents.
func parse(decrypted bytes: [UInt8], first: PayloadType) throws(WireError) -> [AnyPayload] {
    try parseDecrypted(bytes.span, first: first)
}

func write(_ payload: some Payload) -> [UInt8] {
    var output: [UInt8] = []
    payload.write(to: &output)
    return output
}

/// The value is these bytes, and these bytes are the value.
func expectLayout<P: Payload>(
    _ payload: P, hex: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(write(payload) == [UInt8](hex: hex), sourceLocation: sourceLocation)
    #expect(try parse(P.self, hex: hex) == payload, sourceLocation: sourceLocation)
}

/// A body and why it is none.
struct Refusal: Sendable, CustomTestStringConvertible {
    let defect: String
    let body: [UInt8]
    let error: WireError

    init(_ defect: String, _ hex: String, _ error: WireError) {
        self.init(defect, bytes: [UInt8](hex: hex), error)
    }

    init(_ defect: String, bytes: [UInt8], _ error: WireError) {
        self.defect = defect
        body = bytes
        self.error = error
    }

    var testDescription: String { defect }
}

extension Message {
    /// Writes a message that was read in the clear once more.
    var rewritten: [UInt8]? {
        guard case .plain(let header, let payloads) = self else { return nil }
        return Message.plain(header, payloads: payloads)
    }

    var payloads: [AnyPayload]? {
        if case .plain(_, let payloads) = self { payloads } else { nil }
    }
}

/// Sets the header's length field to what there is.
func patchingLength(_ datagram: [UInt8]) -> [UInt8] {
    guard datagram.count >= Header.length else { return datagram }
    var datagram = datagram
    datagram.patch(datagram.count >> 16, at: 24)
    datagram.patch(datagram.count & 0xffff, at: 26)
    return datagram
}
