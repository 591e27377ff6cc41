/// One IKE message as far as it can be read without keys.
package enum Message: Sendable {
    /// All payloads are in the clear: IKE_SA_INIT, and errors about unknown SPIs.
    case plain(Header, [AnyPayload])
    /// The payloads are inside an Encrypted payload (RFC 7296 §3.14).
    case protected(Header, SealedContents)

    /// More payloads than any sane message has.
    package static let payloadLimit = 64

    /// Reads a datagram.
    ///
    /// - Throws: ``ParseFailure`` with as much of the header as could be read, so that an error
    ///   can be answered where the RFC wants one.
    package init(parsing datagram: [UInt8]) throws(ParseFailure) {
        var rest = datagram.span
        let header: Header
        do throws(WireError) {
            header = try Header(parsing: &rest)
        } catch {
            throw ParseFailure(header: nil, error: error)
        }
        guard header.majorVersion == 2 else {
            throw ParseFailure(
                header: header,
                error: .illegal(.majorVersion, value: UInt64(header.majorVersion)))
        }
        do throws(WireError) {
            if let sealed = try SealedContents(in: rest, of: header) {
                self = .protected(header, sealed)
            } else {
                self = .plain(header, try parsePayloads(rest, first: header.nextPayload))
            }
        } catch {
            throw ParseFailure(header: header, error: error)
        }
    }

    package var header: Header {
        switch self {
        case .plain(let header, _), .protected(let header, _): header
        }
    }

    /// Writes a message whose payloads are in the clear.
    package static func plain(_ header: Header, payloads: [AnyPayload]) -> [UInt8] {
        var header = header
        header.nextPayload = payloads.first?.type ?? .none
        var output: [UInt8] = []
        output.reserveCapacity(512)
        header.write(to: &output)
        writePayloads(payloads, to: &output)
        patchLength(&output)
        return output
    }

    /// The payloads of a message that is to be encrypted, as they go inside.
    package static func contents(_ payloads: [AnyPayload]) -> [UInt8] {
        var contents: [UInt8] = []
        contents.reserveCapacity(512)
        writePayloads(payloads, to: &contents)
        return contents
    }

    /// Lays out a message whose payloads are to be encrypted: everything is in place but the
    /// encryption and its tag.
    ///
    /// - Parameters:
    ///   - first: the type of the first payload in `contents`; none in fragments after the first.
    ///   - contents: a chain of payloads, or a part of one.
    ///   - fragment: which part (RFC 7383 §2.5); nil for all.
    ///   - iv: the explicit IV, whose bytes are written as they are.
    ///   - tagLength: bytes kept free for the integrity tag.
    /// - Returns: the datagram and where its parts are. One byte of padding length, zero, ends
    ///   the plaintext; AEADs need no alignment (RFC 5282 §3).
    package static func laidOut(
        _ header: Header, first: PayloadType, contents: [UInt8], fragment: Fragment? = nil,
        iv: [UInt8], tagLength: Int
    ) -> (datagram: [UInt8], sealed: SealedContents) {
        var header = header
        header.nextPayload = fragment == nil ? .encrypted : .encryptedFragment
        var output: [UInt8] = []
        output.reserveCapacity(overhead(ivLength: iv.count, tagLength: tagLength) + contents.count)
        header.write(to: &output)
        output.put(first.rawValue)
        output.put(UInt8(0))
        let length = output.count
        output.put(UInt16(0))
        if let fragment {
            output.put(fragment.number)
            output.put(fragment.total)
        }
        let start = output.count
        output += iv
        output += contents
        output.put(UInt8(0))
        output += Array(repeating: 0, count: tagLength)
        output.patch(output.count - Header.length, at: length)
        patchLength(&output)
        return (
            output,
            SealedContents(first: first, fragment: fragment, range: start..<output.count)
        )
    }

    /// The same, of a whole message.
    package static func laidOut(
        _ header: Header, payloads: [AnyPayload], iv: [UInt8], tagLength: Int
    ) -> (datagram: [UInt8], sealed: SealedContents) {
        laidOut(
            header, first: payloads.first?.type ?? .none, contents: contents(payloads), iv: iv,
            tagLength: tagLength)
    }

    /// What an encrypted message is longer than its contents, without a fragment's numbers.
    package static func overhead(ivLength: Int, tagLength: Int) -> Int {
        Header.length + 4 + ivLength + 1 + tagLength
    }

    private static func writePayloads(_ payloads: [AnyPayload], to output: inout [UInt8]) {
        for (index, payload) in payloads.enumerated() {
            let next = index + 1 < payloads.count ? payloads[index + 1].type : .none
            payload.write(next: next, to: &output)
        }
    }

    private static func patchLength(_ output: inout [UInt8]) {
        output.patch(output.count >> 16, at: 24)
        output.patch(output.count & 0xffff, at: 26)
    }
}

/// Why a datagram is no message, and what could be read of it all the same.
package struct ParseFailure: Error, Hashable, Sendable {
    package let header: Header?
    package let error: WireError
}

extension Span<UInt8> {
    /// Removes a generic payload header.
    ///
    /// - Parameter type: set to the type of the payload after this one.
    /// - Returns: the body's length.
    mutating func takeGenericHeader(_ type: inout PayloadType) throws(WireError) -> Int {
        type = PayloadType(rawValue: try take())
        _ = try take(UInt8.self)
        let length: UInt16 = try take()
        guard length >= 4 else { throw .illegal(.payloadLength, value: UInt64(length)) }
        return Int(length) - 4
    }
}

/// Reads a chain of payloads that must fill `bytes` exactly.
package func parsePayloads(
    _ bytes: Span<UInt8>, first: PayloadType
) throws(WireError) -> [AnyPayload] {
    var rest = bytes
    var type = first
    var payloads: [AnyPayload] = []
    while type != .none {
        guard payloads.count < Message.payloadLimit else { throw .tooMany(.payloads) }
        let current = type
        let critical = rest.count > 1 && rest[1] & 0x80 != 0
        let length = try rest.takeGenericHeader(&type)
        payloads.append(
            try rest.take(region: length) { (body: inout Span<UInt8>) throws(WireError) in
                try AnyPayload(current, critical: critical, body: body)
            })
    }
    guard rest.isEmpty else { throw .trailing(left: rest.count) }
    return payloads
}
