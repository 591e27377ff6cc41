package import Crypto

// What MD5 proves here is what RADIUS has: nothing but that both sides know the shared secret.

extension Packet {
    /// An Accounting-Request with its Request Authenticator (RFC 2866 §3): MD5 over the packet, with
    /// zeros in its place, and the secret.
    ///
    /// - Throws: ``PacketError/tooLong``.
    package func sealedAccounting(
        _ secret: borrowing SecretBytes
    ) throws(PacketError) -> [UInt8] {
        var packet = self
        packet.authenticator = Self.zeroAuthenticator
        var bytes = try packet.bytes()
        bytes.replaceSubrange(4..<20, with: md5(bytes, followedBy: secret))
        return bytes
    }

    /// A request with a Message-Authenticator at its end (RFC 3579 §3.2), which must not be in it
    /// yet: HMAC-MD5 over the packet, with zeros in its place. The Request Authenticator, which must
    /// be random, is part of it.
    ///
    /// - Throws: ``PacketError/tooLong``.
    package func sealedWithMessageAuthenticator(
        _ secret: borrowing SecretBytes
    ) throws(PacketError) -> [UInt8] {
        var packet = self
        packet.attributes.append(Attribute(.messageAuthenticator, Self.zeroAuthenticator))
        var bytes = try packet.bytes()
        bytes.replaceSubrange((bytes.count - 16)..., with: hmacMD5(key: secret, bytes))
        return bytes
    }

    /// Whether this packet is an answer to the request with `authenticator`, by somebody who knows
    /// the secret: its Response Authenticator is right (RFC 2865 §3), and so is its
    /// Message-Authenticator, if it has one.
    package func answers(
        _ authenticator: [UInt8], _ secret: borrowing SecretBytes
    ) -> Bool {
        var packet = self
        packet.authenticator = authenticator
        guard let bytes = try? packet.bytes(),
            areEqual(md5(bytes, followedBy: secret), self.authenticator)
        else { return false }
        let places = attributes.indices.filter { attributes[$0].type == .messageAuthenticator }
        guard let place = places.first else { return true }
        guard places.count == 1 else { return false }
        packet.attributes[place] = Attribute(.messageAuthenticator, Self.zeroAuthenticator)
        guard let zeroed = try? packet.bytes() else { return false }
        return areEqual(hmacMD5(key: secret, zeroed), attributes[place].value)
    }
}

/// Takes as long for equal bytes as for different ones of that length.
private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
