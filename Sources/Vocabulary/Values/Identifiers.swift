/// Names one session for good: a UUIDv7 (RFC 9562 §5.7).
package struct SessionID: Recordable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    /// - Parameters:
    ///   - milliseconds: since the Unix epoch.
    ///   - random: 10 bytes or more; fewer are padded with zeros.
    package init(milliseconds: UInt64, random: [UInt8]) {
        let bits = (0..<10).reduce((a: UInt64(0), b: UInt64(0))) { sum, index in
            let byte = UInt64(index < random.count ? random[index] : 0)
            return index < 2 ? (sum.a << 8 | byte, sum.b) : (sum.a, sum.b << 8 | byte)
        }
        high = milliseconds << 16 | 0x7000 | (bits.a & 0x0fff)
        low = 0x8000_0000_0000_0000 | (bits.b & 0x3fff_ffff_ffff_ffff)
    }

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static var storage: Storage { .text }
    package var datum: Datum { .text(description) }

    package var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for place in 0..<16 as Range<UInt64> {
            if place >= 4, place <= 10, place & 1 == 0 { text.append(UInt8(ascii: "-")) }
            let word = place < 8 ? high : low
            text.appendHex(UInt8(truncatingIfNeeded: word >> (56 - 8 * (place & 7))))
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Names one Child SA within one run of the gateway. SPIs come back; these do not.
package struct ChildID: Recordable {
    package let number: UInt64
    package init(_ number: UInt64) { self.number = number }
    package static var storage: Storage { .integer }
    package var datum: Datum { .integer(Int64(clamping: number)) }
}

/// One of the two SPIs of an IKE SA; 16 hex digits.
package struct IKESPI: Recordable {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static var storage: Storage { .text }
    package var datum: Datum { .text(hex(value)) }
}

/// The SPI of an ESP SA; 8 hex digits.
package struct ESPSPI: Recordable {
    package let value: UInt32
    package init(_ value: UInt32) { self.value = value }
    package static var storage: Storage { .text }
    package var datum: Datum { .text(hex(value)) }
}
