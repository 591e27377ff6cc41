import Crypto

/// Reads a secret as strongSwan does: `0x` begins hexadecimal digits, `0s` begins base64,
/// anything else is the secret itself. One line end after it does not count.
///
/// - Throws: a ``SecretError`` whose reason follows the name of what was read.
func decodeSecret(_ kept: borrowing SecretBytes) throws(SecretError) -> SecretBytes {
    let end = kept.withBytes { bytes in
        var end = bytes.count
        if end > 0, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > 0, end < bytes.count, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return end
    }
    guard end > 0 else { throw SecretError("is empty; write the secret into it") }
    let mark: UInt8? = kept.withBytes { bytes in
        end >= 2 && bytes[0] == UInt8(ascii: "0") ? bytes[1] : nil
    }
    switch mark {
    case UInt8(ascii: "x"): return try decodeHex(kept, 2..<end)
    case UInt8(ascii: "s"): return try decodeBase64(kept, 2..<end)
    default: return kept.slice(0..<end)
    }
}

private func decodeHex(
    _ kept: borrowing SecretBytes, _ range: Range<Int>
) throws(SecretError) -> SecretBytes {
    guard !range.isEmpty, range.count.isMultiple(of: 2) else {
        throw SecretError("begins with 0x, but an even number of hexadecimal digits must follow")
    }
    return try kept.withBytes { (digits) throws(SecretError) in
        try SecretBytes(count: range.count / 2) { (bytes) throws(SecretError) in
            for index in bytes.indices {
                guard let high = nibble(digits[range.lowerBound + 2 * index]),
                    let low = nibble(digits[range.lowerBound + 2 * index + 1])
                else {
                    throw SecretError("begins with 0x, but not only hexadecimal digits follow")
                }
                bytes[index] = high << 4 | low
            }
        }
    }
}

private func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// RFC 4648 §4; the padding may be missing.
private func decodeBase64(
    _ kept: borrowing SecretBytes, _ range: Range<Int>
) throws(SecretError) -> SecretBytes {
    try kept.withBytes { (digits) throws(SecretError) in
        var end = range.upperBound
        while end > range.lowerBound, range.upperBound - end < 2,
            digits[end - 1] == UInt8(ascii: "=")
        {
            end -= 1
        }
        let count = end - range.lowerBound
        let refusal = SecretError("begins with 0s, but no valid base64 follows")
        guard count > 0, count % 4 != 1 else { throw refusal }
        return try SecretBytes(count: count * 6 / 8) { (bytes) throws(SecretError) in
            var bits: UInt32 = 0
            var length = 0
            var next = 0
            for index in range.lowerBound..<end {
                guard let sextet = sextet(digits[index]) else { throw refusal }
                bits = bits << 6 | UInt32(sextet)
                length += 6
                if length >= 8, next < bytes.count {
                    length -= 8
                    bytes[next] = UInt8(truncatingIfNeeded: bits >> UInt32(length))
                    next += 1
                }
            }
        }
    }
}

private func sextet(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}
