package import Crypto
package import Vocabulary

/// Makes pseudonyms with HMAC-SHA-256 (RFC 2104): without the key, nobody can tell which of many
/// guesses is behind one.
///
/// A pseudonym is the purpose's word, a colon, and the first 10 bytes of
/// `HMAC(key, purpose ‖ 0 ‖ bytes)` in base32 (RFC 4648 §6, lower case, 16 characters). With 80
/// bits, a million names have a chance of 4·10⁻¹³ that two of them share one.
package struct KeyedPseudonymiser: Pseudonymiser {
    private let mac: KeyedHMAC

    /// - Parameter key: 32 random bytes, the same for as long as pseudonyms shall stay the same.
    package init(key: SharedSecret) {
        mac = KeyedHMAC(key: key.bytes)
    }

    package func pseudonym(of canonicalBytes: [UInt8], for purpose: Purpose) -> String {
        var message: [UInt8] = []
        message.reserveCapacity(8 + canonicalBytes.count)
        message.append(contentsOf: purpose.rawValue.utf8)
        message.append(0)
        message.append(contentsOf: canonicalBytes)
        return purpose.rawValue + ":" + base32(mac.authenticator(message).prefix(10))
    }
}

/// - Parameter bytes: a multiple of five.
private func base32(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(16)
    var bits: UInt32 = 0
    var length: UInt32 = 0
    for byte in bytes {
        bits = bits << 8 | UInt32(byte)
        length += 8
        while length >= 5 {
            length -= 5
            let digit = UInt8(truncatingIfNeeded: bits >> length & 31)
            text.append(digit < 26 ? UInt8(ascii: "a") + digit : UInt8(ascii: "2") + digit - 26)
        }
    }
    return String(decoding: text, as: UTF8.self)
}
