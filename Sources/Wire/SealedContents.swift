/// Which part of a message a datagram has (RFC 7383 §2.5).
package struct Fragment: Hashable, Sendable {
    /// Bytes in front of the IV.
    package static let length = 4

    /// From 1 to ``total``.
    package let number: UInt16
    package let total: UInt16

    package init(number: UInt16, total: UInt16) {
        self.number = number
        self.total = total
    }

    fileprivate init(parsing bytes: inout Span<UInt8>) throws(WireError) {
        number = try bytes.take()
        total = try bytes.take()
        guard number >= 1, number <= total else {
            throw .illegal(.fragmentNumber, value: UInt64(number))
        }
    }
}

/// Where the contents of an Encrypted payload, or of an Encrypted Fragment, lie in their datagram.
package struct SealedContents: Hashable, Sendable {
    /// The type of the first payload inside.
    package let first: PayloadType
    /// nil if the whole message is here.
    package let fragment: Fragment?
    /// From the IV to the end of the integrity tag. All before it is authenticated.
    package let range: Range<Int>

    init(first: PayloadType, fragment: Fragment? = nil, range: Range<Int>) {
        self.first = first
        self.fragment = fragment
        self.range = range
    }

    /// Finds the payload. Payloads before it are passed over: they are authenticated, and none of
    /// ours has any.
    ///
    /// - Returns: nil if there is none.
    init?(in payloads: Span<UInt8>, of header: Header) throws(WireError) {
        var rest = payloads
        var type = header.nextPayload
        var offset = Header.length
        var count = 0
        while type != .none {
            guard count < Message.payloadLimit else { throw .tooMany(.payloads) }
            count += 1
            let current = type
            let body = try rest.takeGenericHeader(&type)
            offset += 4
            if current == .encrypted || current == .encryptedFragment {
                let end = offset + body
                var inside = rest
                try rest.skip(body)
                guard rest.isEmpty else { throw .trailing(left: rest.count) }
                first = type
                fragment = current == .encryptedFragment ? try Fragment(parsing: &inside) : nil
                let start = fragment == nil ? offset : offset + Fragment.length
                range = start..<end
                return
            }
            try rest.skip(body)
            offset += body
        }
        return nil
    }
}

/// Reads the payloads of decrypted contents.
///
/// - Parameter plaintext: payloads, padding, and the padding's length in the last byte.
package func parseDecrypted(
    _ plaintext: Span<UInt8>, first: PayloadType
) throws(WireError) -> [AnyPayload] {
    let length = try lengthWithoutPadding(plaintext)
    return try parsePayloads(plaintext.extracting(first: length), first: first)
}

/// How much of decrypted contents is payloads.
package func lengthWithoutPadding(_ plaintext: Span<UInt8>) throws(WireError) -> Int {
    guard plaintext.count >= 1 else { throw .truncated(needed: 1, left: 0) }
    let padding = Int(plaintext[plaintext.count - 1]) + 1
    guard padding <= plaintext.count else {
        throw .truncated(needed: padding, left: plaintext.count)
    }
    return plaintext.count - padding
}
