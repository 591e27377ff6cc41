import CCrypt
import CGnuTLS
import Crypto
import Synchronization
import Vocabulary

/// Lets requests in or not, by the client's certificate and by their Authorization header
/// (RFC 7617, RFC 6750).
///
/// bcrypt is slow on purpose and runs on the server's only thread. What it found good is
/// remembered, by a keyed digest, and it gets a quarter of the thread's time at most: guessing
/// passwords holds up nobody who is known.
final class Gatekeeper: Sendable {
    private let access: Access
    private let state: Mutex<State>
    /// Of this process only, so that what is remembered is of no use to anybody else.
    private let key = SharedSecret(SecretBytes(copying: SystemRandom().bytes(32)))

    private struct State {
        /// Keyed digests of credentials that are good, oldest first.
        var known: [[UInt8]] = []
        /// Seconds of work that may be spent now.
        var credit = 1.0
        var last = ContinuousClock.now
    }

    private static let share = 0.25
    private static let memory = 64
    /// A hash that no password has, so that an unknown name takes as long as a wrong password.
    private static let nobody = "$2b$10$.......................TvMx.krdabHj9Yj6OS/u2dOLexj3MK"

    init(_ access: Access) {
        self.access = access
        state = Mutex(State())
    }

    /// - Parameter session: GnuTLS's, if there is TLS.
    /// - Returns: nil if the request may pass.
    func refusal(of request: Request, session: UnsafeMutableRawPointer?) -> Answer? {
        if let clients = access.tls?.clients, !isGood(session, clients) {
            return Answer(403, text: "this needs a client certificate that is trusted here\n")
        }
        guard access.needsCredentials else { return nil }
        guard let header = request.authorization, header.utf8.count <= 4096 else {
            return unauthorised
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return unauthorised }
        switch parts[0].lowercased() {
        case "basic": return check(basic: String(parts[1]))
        case "bearer": return isKnown(token: String(parts[1])) ? nil : unauthorised
        default: return unauthorised
        }
    }

    private func isGood(_ session: UnsafeMutableRawPointer?, _ clients: Access.Clients) -> Bool {
        switch weir_tls_client_certificate(session) {
        case WEIR_CERTIFICATE_GOOD:
            clients.names.isEmpty || clients.names.contains { weir_tls_client_has_san(session, $0) }
        case WEIR_CERTIFICATE_NONE: !clients.mustHaveCertificate
        default: false
        }
    }

    private var unauthorised: Answer {
        let scheme = access.users.isEmpty ? "Bearer" : "Basic"
        return Answer(
            401, ["WWW-Authenticate": "\(scheme) realm=\"weir\", charset=\"UTF-8\""],
            text: "unauthorised\n")
    }

    /// Both as digests, so that neither length nor content shows in the time it takes.
    private func isKnown(token: String) -> Bool {
        let offered = digest(Array(token.utf8))
        var isKnown = false
        for known in access.tokens {
            let expected = known.bytes.withBytes { span in
                digest((0..<span.count).map { span[$0] })
            }
            if areEqual(offered, expected) { isKnown = true }
        }
        return isKnown
    }

    private func check(basic text: String) -> Answer? {
        guard let pair = decodedBase64(text), let colon = pair.firstIndex(of: UInt8(ascii: ":")),
            !pair.contains(0), pair.count <= 1024
        else { return unauthorised }
        let fingerprint = digest(pair)
        let isRemembered = state.withLock { state in
            state.known.contains { areEqual($0, fingerprint) }
        }
        if isRemembered { return nil }
        guard takeTurn() else {
            return Answer(429, ["Retry-After": "2"], text: "too many logins; try again\n")
        }
        let start = ContinuousClock.now
        let isGood = matches(
            user: String(decoding: pair[..<colon], as: UTF8.self), Array(pair[(colon + 1)...]))
        let spent = start.duration(to: .now)
        state.withLock { state in
            state.credit -= spent.seconds
            if isGood {
                if state.known.count >= Self.memory { state.known.removeFirst() }
                state.known.append(fingerprint)
            }
        }
        return isGood ? nil : unauthorised
    }

    private func matches(user: String, _ password: [UInt8]) -> Bool {
        let hash = access.users[user]
        let text =
            hash?.bytes.withBytes { span in
                String(decoding: (0..<span.count).map { span[$0] }, as: UTF8.self)
            } ?? Self.nobody
        let isMatch = (password + [0]).withUnsafeBytes { bytes in
            weir_crypt_matches(bytes.assumingMemoryBound(to: CChar.self).baseAddress, text)
        }
        return isMatch && hash != nil
    }

    private func takeTurn() -> Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            state.credit = min(1, state.credit + Self.share * state.last.duration(to: now).seconds)
            state.last = now
            return state.credit > 0
        }
    }

    private func digest(_ bytes: [UInt8]) -> [UInt8] { hmacSHA256(key: key.bytes, bytes) }
}

/// In a time that does not depend on where they differ.
private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
}

/// RFC 4648 §4; nil for anything else.
func decodedBase64(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    let digits = text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
    guard text.utf8.count % 4 == 0, text.utf8.count - digits.count <= 2 else { return nil }
    for digit in digits {
        let value: UInt8
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
    }
    return bytes
}
