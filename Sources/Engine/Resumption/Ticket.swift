import Crypto
import Vocabulary
import Wire

/// What a ticket says of the session that it was issued to (RFC 5723 §5).
struct TicketContents: Equatable, Sendable {
    let session: SessionID
    /// Our SPI of the IKE SA that it was issued on (§5, note 4): it goes with that (§6.2).
    let ikeSPI: UInt64
    let connection: String
    let identity: Identity
    let localIdentity: Identity
    let method: AuthMethod
    /// Of the IKE SA; see ``IKESuite/name``.
    let suite: String
    /// Virtual addresses that the session had.
    let addresses: [IPAddress]
    /// Milliseconds since the Unix epoch, as the rest of the times.
    let issued: UInt64
    let expires: UInt64
    /// When the user must prove itself again (RFC 4478). A ticket proves nothing anew.
    let authenticationEnds: UInt64?
}

/// A ticket that we have issued and can read.
final class Ticket: Sendable {
    let serial: UInt128
    let contents: TicketContents
    /// SK_d of the IKE SA that it was issued on.
    let skD: SharedSecret

    init(serial: UInt128, contents: TicketContents, skD: SharedSecret) {
        self.serial = serial
        self.contents = contents
        self.skD = skD
    }
}

/// A ticket brings nothing back.
struct RefusedTicket: Error {
    let reason: TicketRefusal
    init(_ reason: TicketRefusal) { self.reason = reason }
}

/// A ticket by value (RFC 5723 §5):
///
///     version (1) | key id (8) | serial (16) | IV (8) | sealed contents | tag (16)
///
/// The contents are SK_d behind its length, the fields, and zeros up to a multiple of 64 bytes,
/// lest the length tell who it is.
enum TicketFormat {
    static let cipher = Cipher.aes256GCM16
    static let version: UInt8 = 2
    /// Longer than any that we issue, bytes.
    static let limit = 4_096

    private static let headerLength = 25
    private static let bodyStart = 33
    private static let unit = 64

    /// - Returns: nil if an identity is too long for a ticket.
    /// - Throws: ``CryptoError/library(code:)``.
    static func seal(
        _ contents: TicketContents, skD: borrowing SecretBytes, serial: UInt128, key: TicketKey
    ) throws(CryptoError) -> [UInt8]? {
        let fields = fields(of: contents)
        let filled = 1 + skD.count + fields.count
        let length = (filled + unit - 1) / unit * unit
        let end = bodyStart + length
        guard skD.count <= 255, end + cipher.tagLength <= limit else { return nil }
        var header: [UInt8] = [version]
        header.put(key.id)
        header.put(serial)
        var sealer = try Sealer(cipher, key: try key.key(of: serial))
        let sealed = try SecretBytes(count: end + cipher.tagLength) {
            (packet: inout MutableSpan<UInt8>) throws(CryptoError) in
            for index in header.indices { packet[index] = header[index] }
            packet[bodyStart] = UInt8(truncatingIfNeeded: skD.count)
            skD.withBytes { bytes in
                for index in bytes.indices { packet[bodyStart + 1 + index] = bytes[index] }
            }
            let start = bodyStart + 1 + skD.count
            for index in fields.indices { packet[start + index] = fields[index] }
            try sealer.seal(&packet, aad: 0..<headerLength, iv: 0, body: bodyStart..<end)
        }
        return sealed.withBytes { bytes in
            var rest = bytes
            return rest.takeRest()
        }
    }

    /// Reads a ticket of whoever's.
    ///
    /// - Parameter key: the key of that id, if we have it.
    static func open(
        _ ticket: [UInt8], key: (UInt64) -> TicketKey?
    ) -> Result<Ticket, RefusedTicket> {
        let end = ticket.count - cipher.tagLength
        guard ticket.count <= limit, end > bodyStart, let (id, serial) = names(in: ticket) else {
            return .failure(RefusedTicket(.malformed))
        }
        guard let key = key(id) else { return .failure(RefusedTicket(.unknownKey)) }
        do throws(CryptoError) {
            var opener = try Opener(cipher, key: try key.key(of: serial))
            let packet = try SecretBytes(count: ticket.count) {
                (packet: inout MutableSpan<UInt8>) throws(CryptoError) in
                for index in ticket.indices { packet[index] = ticket[index] }
                try opener.open(
                    &packet, aad: 0..<headerLength, iv: headerLength..<bodyStart,
                    body: bodyStart..<end)
            }
            let opened = read(packet.slice(bodyStart..<end), serial: serial)
            return opened.map { .success($0) } ?? .failure(RefusedTicket(.malformed))
        } catch {
            return .failure(RefusedTicket(.forged))
        }
    }

    private static func names(in ticket: [UInt8]) -> (key: UInt64, serial: UInt128)? {
        do throws(WireError) {
            var rest = ticket.span
            guard try rest.take(UInt8.self) == version else { return nil }
            return (try rest.take(), try rest.take())
        } catch {
            return nil
        }
    }

    private static func read(_ body: borrowing SecretBytes, serial: UInt128) -> Ticket? {
        body.withBytes { bytes in
            do throws(WireError) {
                var rest = bytes
                let length = Int(try rest.take(UInt8.self))
                guard length <= rest.count else { return nil }
                let skD = SecretBytes(copying: rest.extracting(first: length))
                try rest.skip(length)
                guard let contents = try contents(in: &rest) else { return nil }
                return Ticket(serial: serial, contents: contents, skD: SharedSecret(skD))
            } catch {
                return nil
            }
        }
    }
}

// MARK: Fields

extension TicketFormat {
    private static func fields(of contents: TicketContents) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.put(contents.session.high)
        bytes.put(contents.session.low)
        bytes.put(contents.ikeSPI)
        bytes.put(contents.issued)
        bytes.put(contents.expires)
        bytes.put(contents.authenticationEnds ?? 0)
        bytes.put(field: Array(contents.connection.utf8))
        bytes.put(field: Array(contents.suite.utf8))
        bytes.put(field: Array(contents.method.rawValue.utf8))
        for identity in [contents.identity, contents.localIdentity] {
            bytes.put(field: [identity.kind.rawValue] + identity.bytes)
        }
        bytes.put(UInt8(truncatingIfNeeded: contents.addresses.count))
        for address in contents.addresses { bytes.put(field: address.bytes) }
        return bytes
    }

    /// - Returns: nil for words that we don't know: another version of Weir wrote them.
    private static func contents(
        in rest: inout Span<UInt8>
    ) throws(WireError) -> TicketContents? {
        let session = SessionID(high: try rest.take(), low: try rest.take())
        let ikeSPI: UInt64 = try rest.take()
        let (issued, expires): (UInt64, UInt64) = (try rest.take(), try rest.take())
        let authenticationEnds: UInt64 = try rest.take()
        let connection = String(decoding: try rest.takeField(), as: UTF8.self)
        let suite = String(decoding: try rest.takeField(), as: UTF8.self)
        let method = AuthMethod(
            rawValue: String(decoding: try rest.takeField(), as: UTF8.self))
        let identity = Identity(field: try rest.takeField())
        let localIdentity = Identity(field: try rest.takeField())
        let count = Int(try rest.take(UInt8.self))
        guard let method, let identity, let localIdentity, count <= 2 else { return nil }
        var addresses: [IPAddress] = []
        for _ in 0..<count {
            guard let address = IPAddress(try rest.takeField()) else { return nil }
            addresses.append(address)
        }
        return TicketContents(
            session: session, ikeSPI: ikeSPI, connection: connection, identity: identity,
            localIdentity: localIdentity, method: method, suite: suite, addresses: addresses,
            issued: issued, expires: expires,
            authenticationEnds: authenticationEnds == 0 ? nil : authenticationEnds)
    }
}

extension [UInt8] {
    /// Appends bytes behind their length.
    fileprivate mutating func put(field bytes: [UInt8]) {
        put(UInt16(truncatingIfNeeded: bytes.count))
        self += bytes
    }
}

extension Span<UInt8> {
    fileprivate mutating func takeField() throws(WireError) -> [UInt8] {
        try take(bytes: Int(try take(UInt16.self)))
    }
}

extension Identity {
    fileprivate init?(field: [UInt8]) {
        guard let kind = field.first.flatMap(Kind.init(rawValue:)) else { return nil }
        self.init(kind: kind, bytes: Array(field.dropFirst()))
    }
}
