/// Identification payload, initiator's or responder's (RFC 7296 §3.5).
package struct IdentificationPayload: Payload {
    /// ID_IPV4_ADDR is 1, ID_FQDN 2, ID_RFC822_ADDR 3, ID_IPV6_ADDR 5, ID_DER_ASN1_DN 9,
    /// ID_KEY_ID 11.
    package let type: UInt8
    package let data: [UInt8]

    package init(type: UInt8, data: [UInt8]) {
        self.type = type
        self.data = data
    }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        type = try body.take()
        _ = try body.take(bytes: 3)
        data = body.takeRest()
    }

    package func write(to output: inout [UInt8]) {
        output.put(type)
        output += [0, 0, 0]
        output += data
    }

    /// As it enters the AUTH computation: the body without its generic header
    /// (RFC 7296 §2.15, RestOfIDPayload).
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }
}

/// Certificate and Certificate Request payloads: an encoding and its data
/// (RFC 7296 §3.6, §3.7).
package struct CertificatePayload: Payload {
    package let encoding: UInt8
    package let data: [UInt8]

    package init(encoding: UInt8, data: [UInt8]) {
        self.encoding = encoding
        self.data = data
    }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        encoding = try body.take()
        data = body.takeRest()
    }

    package func write(to output: inout [UInt8]) {
        output.put(encoding)
        output += data
    }
}

/// Authentication payload: how, and the proof (RFC 7296 §3.8).
package struct AuthenticationPayload: Payload {
    package struct Method: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Shared Key Message Integrity Code: a PSK.
        package static let sharedKey = Self(rawValue: 2)
    }

    package let method: Method
    package let data: [UInt8]

    package init(method: Method, data: [UInt8]) {
        self.method = method
        self.data = data
    }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        method = Method(rawValue: try body.take())
        _ = try body.take(bytes: 3)
        data = body.takeRest()
    }

    package func write(to output: inout [UInt8]) {
        output.put(method.rawValue)
        output += [0, 0, 0]
        output += data
    }
}
