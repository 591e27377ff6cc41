import Crypto
import ESP
import Vocabulary
import Wire

/// One IKE SA: two SPIs, their keys, and where the conversation stands.
///
///     responder:  awaitingAuth ──IKE_AUTH──▶ established ──rekeyed──▶ superseded ──▶ gone
///                      └──── error, time ────▶ refused ──linger──▶ gone
///     initiator:  awaitingAuthResponse ──▶ established …
///
/// An object, since timers, tables and sessions name the same one; it is only ever touched by
/// the engine that made it.
final class IKESA {
    enum Phase {
        /// IKE_SA_INIT is answered; nobody has proved who they are (RFC 7296 §1.2).
        case awaitingAuth(ResponderHandshake)
        /// IKE_AUTH is sent.
        case awaitingAuthResponse(ClientHandshake)
        case established
        /// Answered with an error, which is kept for a peer that asks again.
        case refused
        /// Replaced by another IKE SA; waits for the Delete.
        case superseded
        /// Made by the peer's rekey of an IKE SA that we are rekeying ourselves: whether it is the
        /// one that stays will be known when ours is answered (RFC 7296 §2.8.2).
        case contested(old: UInt64)
    }

    /// Whether this side began this IKE SA: it owns the initiator SPI and SK_ei.
    let weInitiated: Bool
    let localSPI: UInt64
    let remoteSPI: UInt64
    let suite: IKESuite
    let created: Instant
    /// The IKE_SA_INIT request that began it, if a peer's did.
    let initKey: InitKey?
    var keys: IKEKeys
    var path: Path
    var phase: Phase
    var session: Session?
    var nat = NATSituation.none
    var extensions = Extensions()
    /// The fragments of a message that is not whole yet.
    var reassembly: Reassembly?
    var timers = TimerTable()
    /// It ended before its peer had proved itself.
    var isStranger = false
    /// The earliest deadline that the engine's queue has of this SA.
    var queuedDeadline: Instant?
    var lastHeard: Instant
    /// When we last sent a request or a keepalive.
    var lastSent: Instant

    // Requests of the peer (RFC 7296 §2.2, window of 1).
    var expectedID: UInt32
    var answered: Answer?
    var retransmissionsSeen: UInt64 = 0
    /// How many more it may make now.
    var requests = TokenBucket()
    /// How many more messages with its SPIs may fail to decrypt now.
    var failures = TokenBucket()

    // Requests of ours.
    var nextID: UInt32
    var pending: PendingRequest?
    var jobs: [Job] = []

    /// The explicit IV: a counter, never used twice with a key (RFC 5282 §3.1).
    var nextIV: UInt64 = 0

    init(
        weInitiated: Bool, localSPI: UInt64, remoteSPI: UInt64, suite: IKESuite,
        keys: consuming IKEKeys, path: Path, phase: Phase, now: Instant, initKey: InitKey? = nil,
        expectedID: UInt32 = 0, nextID: UInt32 = 0
    ) {
        self.weInitiated = weInitiated
        self.localSPI = localSPI
        self.remoteSPI = remoteSPI
        self.suite = suite
        self.keys = keys
        self.path = path
        self.phase = phase
        self.initKey = initKey
        self.expectedID = expectedID
        self.nextID = nextID
        created = now
        lastHeard = now
        lastSent = now
    }

    var initiatorSPI: UInt64 { weInitiated ? localSPI : remoteSPI }
    var responderSPI: UInt64 { weInitiated ? remoteSPI : localSPI }

    var isEstablished: Bool { if case .established = phase { true } else { false } }
    var isHalfOpen: Bool { if case .awaitingAuth = phase { true } else { false } }

    /// How much the source of a protected message on this SA has proved.
    var proof: ProofLevel {
        switch phase {
        case .awaitingAuth, .awaitingAuthResponse, .refused: .keyExchange
        case .established, .superseded, .contested: .authenticated
        }
    }
}

/// What both sides said that they can. A rekeyed IKE SA has it from the one that it replaces.
struct Extensions {
    /// RFC 4555.
    var mobike = false
    /// RFC 7383.
    var fragmentation = false
    /// The peer follows a REDIRECT (RFC 5685 §3).
    var redirection = false
}

/// The answer to the peer's last request, for when it comes again (RFC 7296 §2.1).
struct Answer {
    let messageID: UInt32
    /// Of the whole request: only the same bytes get the same answer.
    let fingerprint: Int
    /// Several if it goes in fragments.
    let datagrams: [[UInt8]]
}

/// A request of ours that waits for its response.
struct PendingRequest {
    let messageID: UInt32
    /// Several if it goes in fragments.
    var datagrams: [[UInt8]]
    let job: Job
    /// When it was sent for the first time.
    let begun: Instant
    var attempts = 0
    var wait: Duration
    /// Kept from the request, for the response.
    var context: RequestContext
}

/// Something to do in an exchange of our own.
enum Job: Hashable {
    /// An empty INFORMATIONAL: is anybody there?
    case liveness
    case authenticate
    /// Does the peer read what we send to where it says that it is? (RFC 4555 §3.7)
    case verifyPath
    /// Tell the peer where we are now (RFC 4555 §3.5).
    case updateAddresses
    case rekeyIKE
    case rekeyChild(ChildID)
    case createChild(ChildShape)
    case deleteChild(UInt32)
    case deleteIKE
    /// A ticket to come back with (RFC 5723 §4.1).
    case requestTicket
    /// Ask the peer to go to another gateway (RFC 5685 §5).
    case redirect
}

/// What a CREATE_CHILD_SA request of ours must remember. A class, for it owns a private key.
final class RequestContext {
    let nonce: [UInt8]
    let spi: UInt32
    let ikeSPI: UInt64
    let exchange: PrivateKey?
    let shape: ChildShape?
    /// Where a path change's request went first.
    let path: Path?
    /// What the peer's request for the same thing made, if one came meanwhile.
    var rival: Rival?

    init(
        nonce: [UInt8] = [], spi: UInt32 = 0, ikeSPI: UInt64 = 0, exchange: PrivateKey? = nil,
        shape: ChildShape? = nil, path: Path? = nil
    ) {
        self.path = path
        self.nonce = nonce
        self.spi = spi
        self.ikeSPI = ikeSPI
        self.exchange = exchange
        self.shape = shape
    }
}

/// The peer's half of a collision of two rekeys (RFC 7296 §2.8.1, §2.8.2).
struct Rival {
    enum Product {
        case child(ChildID)
        /// Our SPI of the new IKE SA.
        case ike(UInt64)
    }

    /// What the peer replaces it by, if it rekeys that as well.
    var product: Product
    /// Of the peer's exchange: the lower of its two.
    let nonce: [UInt8]

    init(_ product: Product, nonces: [UInt8], _ others: [UInt8]) {
        self.product = product
        nonce = nonces.lexicographicallyPrecedes(others) ? nonces : others
    }

    /// Whether the SA that we asked for stays: the one with the lowest of the four nonces goes.
    func yields(to ours: [UInt8], _ others: [UInt8]) -> Bool {
        nonce.lexicographicallyPrecedes(ours) && nonce.lexicographicallyPrecedes(others)
    }

    var child: ChildID? { if case .child(let id) = product { id } else { nil } }
    var ikeSPI: UInt64? { if case .ike(let spi) = product { spi } else { nil } }
}

/// A key exchange of ours that waits for the peer's half.
final class PrivateKey {
    let exchange: KeyExchange
    init(_ exchange: consuming KeyExchange) { self.exchange = exchange }
}

/// What the responder keeps between IKE_SA_INIT and IKE_AUTH.
struct ResponderHandshake {
    let request: [UInt8]
    let response: [UInt8]
    let initiatorNonce: [UInt8]
    let responderNonce: [UInt8]
    let received: Instant
    let workNanoseconds: UInt64
    /// That it resumes its session with; nil after IKE_SA_INIT.
    var ticket: Ticket?
}

/// What the initiator keeps until its IKE_AUTH is answered.
struct ClientHandshake {
    let handle: ConnectionHandle
    let policy: ClientPolicy
    let request: [UInt8]
    let response: [UInt8]
    let initiatorNonce: [UInt8]
    let responderNonce: [UInt8]
    let began: Instant
    let childSPI: UInt32
    let trail: RedirectTrail
    /// AUTH is made of the old session's keys, not of a shared one (RFC 5723 §4.3.3).
    var ticket: ResumptionTicket?
}

/// Tells a retransmitted IKE_SA_INIT from a new one: by the whole request, since two peers behind
/// one NAT may choose one SPI (RFC 7296 §2.1).
struct InitKey: Hashable {
    let fingerprint: Int
    let source: Endpoint

    init(_ request: [UInt8], from source: Endpoint) {
        self.init(fingerprint: request.hashValue, source: source)
    }

    init(fingerprint: Int, source: Endpoint) {
        self.fingerprint = fingerprint
        self.source = source
    }
}
