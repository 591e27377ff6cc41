/// Key Exchange payload: one side's public value (RFC 7296 §3.4).
package struct KeyExchangePayload: Payload {
    /// A transform id of type key exchange.
    package let group: UInt16
    package let publicValue: [UInt8]

    package init(group: UInt16, publicValue: [UInt8]) {
        self.group = group
        self.publicValue = publicValue
    }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        group = try body.take()
        _ = try body.take(UInt16.self)
        publicValue = body.takeRest()
    }

    package func write(to output: inout [UInt8]) {
        output.put(group)
        output.put(UInt16(0))
        output += publicValue
    }
}

/// Nonce payload: 16 to 256 random bytes (RFC 7296 §3.9).
package struct NoncePayload: Payload {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(parsing body: inout Span<UInt8>) throws(WireError) {
        guard (16...256).contains(body.count) else {
            throw .illegal(.nonce, value: UInt64(body.count))
        }
        bytes = body.takeRest()
    }

    package func write(to output: inout [UInt8]) { output += bytes }
}
