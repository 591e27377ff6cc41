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
    let received: Instant
    let nat: NATSituation
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
        request: [UInt8], response: [UInt8], path: Path, nat: NATSituation, received: Instant,
        workNanoseconds: UInt64
    ) {
        self.localSPI = localSPI
        self.initiatorSPI = initiatorSPI
        self.suite = suite
        self.seed = seed
        self.path = path
        self.nat = nat
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
    var key: InitKey { InitKey(initiatorSPI: initiatorSPI, source: path.remote) }

    /// Of IKE_AUTH (RFC 7296 §2.2).
    var expectedID: UInt32 { 1 }

    func began(with datagram: [UInt8]) -> Bool {
        messages.prefix(Int(requestLength)).elementsEqual(datagram)
    }
}

/// All half-open IKE SAs: those that wait for a first valid message, and those that had one and
/// are not through IKE_AUTH yet.
struct HalfOpenTable {
    private var waiting: [UInt64: HalfOpen] = [:]
    private var spis: [InitKey: UInt64] = [:]
    private var bySource: [IPAddress: Int] = [:]

    var count: Int { spis.count }

    /// Of one address, or of one IPv6 /64.
    func count(of source: IPAddress) -> Int { bySource[source.source] ?? 0 }

    /// By our SPI.
    subscript(spi: UInt64) -> HalfOpen? { waiting[spi] }

    func spi(of key: InitKey) -> UInt64? { spis[key] }

    mutating func insert(_ half: HalfOpen) {
        waiting[half.localSPI] = half
        spis[half.key] = half.localSPI
        bySource[half.path.remote.address.source, default: 0] += 1
    }

    /// It has become an IKE SA with keys, which counts as half-open until it leaves.
    mutating func take(_ spi: UInt64) -> HalfOpen? { waiting.removeValue(forKey: spi) }

    /// It is authenticated, or over.
    mutating func leave(_ key: InitKey) {
        guard let spi = spis.removeValue(forKey: key) else { return }
        waiting[spi] = nil
        let source = key.source.address.source
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
        guard let initiatorNonce = nonce(of: request), let responderNonce = nonce(of: response)
        else { return nil }
        do throws(CryptoError) {
            let keys = try IKEKeys(
                suite: half.suite, seed: half.seed, nonces: initiatorNonce + responderNonce,
                initiatorSPI: half.initiatorSPI, responderSPI: half.localSPI, weInitiated: false,
                tap: keyTap)
            let handshake = ResponderHandshake(
                request: request, response: response, initiatorNonce: initiatorNonce,
                responderNonce: responderNonce, key: half.key, received: half.received,
                workNanoseconds: UInt64(half.workNanoseconds))
            let sa = IKESA(
                weInitiated: false, localSPI: half.localSPI, remoteSPI: half.initiatorSPI,
                suite: half.suite, keys: keys, path: half.path, phase: .awaitingAuth(handshake),
                now: half.received, expectedID: half.expectedID)
            sa.nat = half.nat
            sa.retransmissionsSeen = UInt64(half.retransmissions)
            return sa
        } catch {
            return nil
        }
    }

    private func nonce(of message: [UInt8]) -> [UInt8]? {
        guard case .plain(_, let payloads)? = try? Message(parsing: message) else { return nil }
        return payloads.nonce?.bytes
    }

    /// Its peer has shown that it knows the keys: from now on it is an IKE SA like others.
    func adopt(_ sa: IKESA) {
        guard let half = halfOpen.take(sa.localSPI) else { return }
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

    /// A handshake that nobody finished.
    func giveUp(_ half: HalfOpen, _ reason: AuthFailure, _ output: inout Output) {
        output.events.append(
            IKEAuthFailed(
                reason: reason, method: .unknown, proof: .spoofable, identity: nil,
                source: half.path.remote.address, connection: nil))
        halfOpen.leave(half.key)
    }
}
