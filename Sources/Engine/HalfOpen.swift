import Crypto
import Vocabulary
import Wire

/// An IKE_SA_INIT that was answered, until the first valid message after it. There may be many of
/// these and nobody has paid for one, so it holds what can't be had otherwise and no more: no
/// keys but the one that all are made of, and no cipher.
final class HalfOpen {
    let localSPI: UInt64
    let initiatorSPI: UInt64
    let suite: IKESuite
    /// SKEYSEED (RFC 7296 §2.14).
    let seed: SecretBytes
    let path: Path
    /// Of the request; with where it came from it is the ``key``.
    private let fingerprint: Int
    let received: Instant
    let nat: NATSituation
    /// That it began with; nil after IKE_SA_INIT.
    let ticket: Ticket?
    /// What the answer took us, in nanoseconds.
    let workNanoseconds: UInt32
    /// The request, and after it our response: AUTH signs both (RFC 7296 §2.15).
    private let messages: [UInt8]
    private let requestLength: Int32
    var retransmissions: UInt32 = 0
    /// Messages with our SPI that did not decrypt.
    var failures: UInt32 = 0

    init(
        localSPI: UInt64, initiatorSPI: UInt64, suite: IKESuite, seed: consuming SecretBytes,
        key: InitKey, request: [UInt8], response: [UInt8], path: Path, nat: NATSituation,
        received: Instant, workNanoseconds: UInt64, ticket: Ticket? = nil
    ) {
        self.localSPI = localSPI
        self.initiatorSPI = initiatorSPI
        self.suite = suite
        self.seed = seed
        self.path = path
        fingerprint = key.fingerprint
        self.nat = nat
        self.ticket = ticket
        self.received = received
        self.workNanoseconds = UInt32(clamping: workNanoseconds)
        requestLength = Int32(clamping: request.count)
        var messages: [UInt8] = []
        messages.reserveCapacity(request.count + response.count)
        messages += request
        messages += response
        self.messages = messages
    }

    var request: [UInt8] { Array(messages.prefix(Int(requestLength))) }
    var response: [UInt8] { Array(messages.dropFirst(Int(requestLength))) }
    var key: InitKey { InitKey(fingerprint: fingerprint, source: path.remote) }

    /// Of IKE_AUTH (RFC 7296 §2.2).
    var expectedID: UInt32 { 1 }
}

/// All half-open IKE SAs: those that wait for a first valid message, and those that had one and
/// are not through IKE_AUTH yet.
struct HalfOpenTable {
    private var waiting: [UInt64: HalfOpen] = [:]
    /// The sources of those that are IKE SAs with keys by now.
    private var adopted: [UInt64: IPAddress] = [:]
    private var bySource: [IPAddress: Int] = [:]

    var count: Int { waiting.count + adopted.count }
    var isEmpty: Bool { count == 0 }

    /// Of one address, or of one IPv6 /64.
    func count(of source: IPAddress) -> Int { bySource[source.source] ?? 0 }

    /// By our SPI; nil also once it has keys.
    subscript(spi: UInt64) -> HalfOpen? { waiting[spi] }

    /// The oldest first.
    var all: [HalfOpen] { waiting.values.sorted { $0.received < $1.received } }

    mutating func insert(_ half: HalfOpen) {
        waiting[half.localSPI] = half
        bySource[half.path.remote.address.source, default: 0] += 1
    }

    /// It has become an IKE SA with keys, and counts as half-open until it is authenticated.
    ///
    /// - Returns: nil if it has long done so.
    mutating func adopt(_ spi: UInt64) -> HalfOpen? {
        guard let half = waiting.removeValue(forKey: spi) else { return nil }
        adopted[spi] = half.path.remote.address.source
        return half
    }

    /// It is authenticated, or over.
    mutating func remove(_ spi: UInt64) {
        let half = waiting.removeValue(forKey: spi)
        guard let source = half?.path.remote.address.source ?? adopted.removeValue(forKey: spi)
        else { return }
        let left = (bySource[source] ?? 0) - 1
        bySource[source] = left > 0 ? left : nil
    }
}

extension Engine {
    /// Makes the keys of a half-open IKE SA, to try a message on them. The SA is not in the table
    /// until ``adopt(_:)``: a message that does not decrypt leaves nothing behind.
    ///
    /// - Returns: nil if the cryptography refuses.
    func wake(_ half: HalfOpen) -> IKESA? {
        let (request, response) = (half.request, half.response)
        guard let asked = payloads(of: request), let initiatorNonce = asked.nonce?.bytes,
            let responderNonce = payloads(of: response)?.nonce?.bytes
        else { return nil }
        do throws(CryptoError) {
            let keys = try IKEKeys(
                suite: half.suite, seed: half.seed, nonces: initiatorNonce + responderNonce,
                initiatorSPI: half.initiatorSPI, responderSPI: half.localSPI, weInitiated: false,
                tap: keyTap)
            let handshake = ResponderHandshake(
                request: request, response: response, initiatorNonce: initiatorNonce,
                responderNonce: responderNonce, received: half.received,
                workNanoseconds: UInt64(half.workNanoseconds), ticket: half.ticket)
            let sa = IKESA(
                weInitiated: false, localSPI: half.localSPI, remoteSPI: half.initiatorSPI,
                suite: half.suite, keys: keys, path: half.path, phase: .awaitingAuth(handshake),
                now: half.received, initKey: half.key, expectedID: half.expectedID)
            sa.extensions.fragmentation = asked.has(.fragmentationSupported)
            sa.extensions.redirection = asked.followsRedirects
            sa.nat = half.nat
            sa.retransmissionsSeen = UInt64(half.retransmissions)
            return sa
        } catch {
            return nil
        }
    }

    private func payloads(of message: [UInt8]) -> [AnyPayload]? {
        guard case .plain(_, let payloads)? = try? Message(parsing: message) else { return nil }
        return payloads
    }

    /// Its peer has shown that it knows the keys: from now on it is an IKE SA like others.
    func adopt(_ sa: IKESA) {
        guard let half = halfOpen.adopt(sa.localSPI) else { return }
        sas[sa.localSPI] = sa
        sa.timers[.halfOpen] = half.received + policy.timing.halfOpen
    }

    /// A message with its SPI did not decrypt. A few such may be an accident on the way.
    func distrust(_ sa: IKESA, _ output: inout Output) {
        guard let half = halfOpen[sa.localSPI] else { return }
        half.failures += 1
        guard half.failures >= policy.defence.invalidMessages else { return }
        giveUp(half, .invalidMessages, &output)
    }

    /// All handshakes that nobody has finished yet.
    func giveUpHalfOpen(_ reason: AuthFailure, _ output: inout Output) {
        for half in halfOpen.all { giveUp(half, reason, &output) }
        for sa in sas.values.filter(\.isHalfOpen).sorted(by: { $0.created < $1.created }) {
            giveUp(sa, reason, &output)
        }
    }

    /// A handshake that nobody finished.
    func giveUp(_ half: HalfOpen, _ reason: AuthFailure, _ output: inout Output) {
        output.events.append(
            IKEAuthFailed(
                reason: reason, method: .unknown, proof: .spoofable, identity: nil,
                source: half.path.remote.address, connection: nil))
        halfOpen.remove(half.localSPI)
        initiated[half.key] = nil
    }
}
