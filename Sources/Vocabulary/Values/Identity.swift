/// An IKE identity or a user name (RFC 7296 §3.5).
package struct Identity: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        case ipv4 = 1, fqdn = 2, rfc822 = 3, ipv6 = 5, distinguishedName = 9, keyID = 11
    }

    package let kind: Kind
    /// As on the wire.
    package let bytes: [UInt8]

    package init(kind: Kind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    /// Reads what a person wrote: an address, `user@domain`, or else a name.
    package init(_ text: String) {
        if let address = IPAddress(text) {
            self.init(kind: address.isIPv4 ? .ipv4 : .ipv6, bytes: address.bytes)
        } else if text.contains("@") {
            self.init(kind: .rfc822, bytes: Array(text.utf8))
        } else {
            self.init(kind: .fqdn, bytes: Array(text.utf8))
        }
    }

    /// For people: printable ASCII as it is, everything else as `\xNN`, at most 256 characters.
    /// Nothing a peer sends can break a line, a terminal or a log.
    package var text: String {
        switch kind {
        case .ipv4, .ipv6: return IPAddress(bytes)?.description ?? escaped(bytes)
        case .fqdn, .rfc822: return escaped(bytes)
        case .distinguishedName, .keyID: return "#" + hex(bytes.prefix(64))
        }
    }
}

extension Identity: CustomStringConvertible, CustomReflectable {
    /// Never the name, lest a stray `print` leak it; ``text`` is for those who mean it.
    package var description: String { "‹identity›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Identity: PersonalValue {
    package static var purpose: Purpose { .identity }
    package static var storage: Storage { .text }
    package var datum: Datum { .text(text) }

    /// Names compare without case, and a name has one pseudonym whether it came as an
    /// ID_FQDN, an ID_RFC822_ADDR or an EAP identity. Everything else has its kind in front,
    /// a number below 32; so has a name that begins with such a byte, lest it pass for them.
    package var canonicalBytes: [UInt8] {
        switch kind {
        case .fqdn, .rfc822:
            let name = bytes.map { (65...90).contains($0) ? $0 + 32 : $0 }
            return (name.first ?? 32) < 32 ? [kind.rawValue] + name : name
        case .ipv4, .ipv6, .distinguishedName, .keyID: return [kind.rawValue] + bytes
        }
    }

    /// The domain of `user@domain`; of anything else nothing.
    package var generalised: Datum {
        guard kind == .rfc822, let at = bytes.lastIndex(of: UInt8(ascii: "@")) else { return .null }
        return .text("@" + escaped(bytes[(at + 1)...]))
    }
}

/// Printable ASCII as it is, but `\`; everything else as `\xNN`; at most 256 bytes are shown.
package func escaped(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    for byte in bytes.prefix(256) {
        if (0x20..<0x7f).contains(byte), byte != UInt8(ascii: "\\") {
            text.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            text += "\\x" + hex([byte])
        }
    }
    return bytes.count > 256 ? text + "…" : text
}

package func hex(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.underestimatedCount)
    for byte in bytes { text.appendHex(byte) }
    return String(decoding: text, as: UTF8.self)
}

extension [UInt8] {
    /// Two digits in ASCII.
    mutating func appendHex(_ byte: UInt8) {
        append(Self.hexDigit(byte >> 4))
        append(Self.hexDigit(byte & 15))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }
}

/// As hex digits, all of the number's width.
func hex(_ number: some FixedWidthInteger & UnsignedInteger) -> String {
    hex(bigEndianBytes(number))
}

func bigEndianBytes(_ number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    (1...number.bitWidth / 8).map {
        UInt8(truncatingIfNeeded: number >> (number.bitWidth - 8 * $0))
    }
}
