import ESP
package import Vocabulary

/// One user's stay: it outlives its IKE SAs and Child SAs, and accounting sums over it.
final class Session {
    let id: SessionID
    let connection: SessionTerms
    let identity: Identity
    let established: Instant
    /// How the user proved itself, at the login that began it all.
    var method = AuthMethod.unknown
    var ikeSuiteName: String
    var espSuiteName: String?
    var lease: Lease?
    /// What the peer may reach.
    var local: [Selector] = []
    /// What is the peer's; nil: its outer address.
    var remote: [Selector]?
    /// The connection lends addresses, and without one there is nothing to send to.
    var needsAddress = false
    var children: [Child] = []
    /// When the peer's authentication is too old (RFC 4478).
    var authenticationEnds: Instant?
    /// The session of the same user whose place this one took.
    var replaces: SessionID?
    /// Another session of the same user took its place; the peer has until then to say goodbye.
    var replacedUntil: Instant?
    /// Of the Child SAs that are gone.
    var closedTraffic = Traffic()
    /// When the last packet came through one of them; before the first, when it was established.
    var lastTraffic: Instant
    /// The IKE SA that speaks for it now.
    var ikeSPI: UInt64
    /// When its IKE SA was last replaced.
    var ikeRekeyed: Instant?
    /// Where its ESP packets go: behind the IKE SA's path while a new one is being verified.
    var path: Path?
    /// Where it was before it said that it had moved (RFC 4555 §3.5), the last few places.
    var departed: [Endpoint] = []
    /// Other addresses that the peer says it has (RFC 4555 §3.6).
    var peerAddresses: [IPAddress] = []
    /// When the last ticket that was issued to it expires, milliseconds since the Unix epoch;
    /// 0: there is none.
    var ticketsUntil: UInt64 = 0
    /// The session that its ticket was issued to, and the virtual addresses that it had.
    var resumes: SessionID?
    var formerAddresses: [IPAddress] = []
    /// Of a session that this engine began: how it can come back, if the gateway has given it a
    /// ticket; whom that is from; and whether it has come back by one.
    var ticket: ResumptionTicket?
    var gatewayIdentity: Identity?
    var wasResumed = false
    /// The peer follows a REDIRECT (RFC 5685 §3).
    var followsRedirects = false
    /// When it was sent one.
    var redirected: Instant?
    /// Set for a session that this engine began.
    var handle: ConnectionHandle?
    /// Likewise.
    var trail: RedirectTrail?

    init(
        id: SessionID, connection: SessionTerms, identity: Identity, established: Instant,
        ikeSuiteName: String, ikeSPI: UInt64
    ) {
        self.id = id
        self.connection = connection
        self.identity = identity
        self.established = established
        lastTraffic = established
        self.ikeSuiteName = ikeSuiteName
        self.ikeSPI = ikeSPI
    }

    func child(_ id: ChildID?) -> Child? { children.first { $0.id == id } }

    /// The Child SA whose packets the peer receives on `spi`; of several the one that is not over,
    /// for a peer may use an SPI again.
    func child(outboundSPI spi: UInt32) -> Child? {
        let all = children.filter { $0.outboundSPI == spi }
        return all.first { !$0.isRetired } ?? all.first
    }

    /// Changes one Child SA, if it is there.
    func change(_ id: ChildID, _ body: (inout Child) -> Void) {
        guard let index = children.firstIndex(where: { $0.id == id }) else { return }
        body(&children[index])
    }

    func postponeRekey(of child: ChildID, until moment: Instant) {
        change(child) { $0.rekeyAt = moment }
    }
}

/// What either side's policy says of a session: the common part of a connection and a client's
/// policy.
struct SessionTerms {
    let name: String
    let localIdentity: Identity
    let ikeSuites: [IKESuite]
    let espSuites: [ESPSuite]
    let rekey: RekeyPolicy
    let livenessInterval: Duration
    /// The number of the inner network.
    var network = 0
    /// Of a client's policy.
    var pretendsNAT = false
    var allowsNAT = true
    var wantsTicket = false
}

/// Virtual addresses, at most one of each family.
struct Lease {
    let pool: String
    /// IPv4 first; never empty.
    let addresses: [IPAddress]
}

extension Session {
    /// The virtual address that stands for the session where there is room for one.
    var virtualAddress: VirtualAddress? { lease?.addresses.first.map { VirtualAddress($0) } }
}

/// A pair of ESP SAs of a session.
struct Child {
    enum State: Hashable {
        case installed
        /// The peer has replaced it, or will find it redundant, and is to delete it until then.
        case replaced(until: Instant)
        /// Deleted: receives its last packets until then.
        case retired(until: Instant)
    }

    let id: ChildID
    let inboundSPI: UInt32
    let outboundSPI: UInt32
    let suite: ESPSuite
    let localSelectors: [Selector]
    let remoteSelectors: [Selector]
    let installed: Instant
    var rekeyAt: Instant
    /// Nobody managed to rekey it: it ends.
    let expiresAt: Instant
    var state = State.installed
    /// What it is to be replaced with, if the peer would not have its own suite's group.
    var rekeySuite: ESPSuite?
    /// What the peer replaced it by.
    var successor: ChildID?
    /// Why it goes, once that is known.
    var end: ChildEnd?

    var isInstalled: Bool { state == .installed }
    var isRetired: Bool { if case .retired = state { true } else { false } }

    var shape: ChildShape {
        ChildShape(
            suite: suite, localSelectors: localSelectors, remoteSelectors: remoteSelectors)
    }

    /// Of what replaces it.
    var rekeyShape: ChildShape {
        ChildShape(
            suite: rekeySuite ?? suite, localSelectors: localSelectors,
            remoteSelectors: remoteSelectors)
    }

    /// The next thing to be done to it.
    var due: Instant {
        switch state {
        case .installed: min(rekeyAt, expiresAt)
        case .replaced(let until), .retired(let until): until
        }
    }
}

/// What a Child SA is to be like.
struct ChildShape: Hashable {
    let suite: ESPSuite
    let localSelectors: [Selector]
    let remoteSelectors: [Selector]
}

/// A session, for a person or a program that asks what is up.
package struct SessionSummary: Sendable {
    package let session: SessionID
    package let connection: String
    package let identity: Personal<Identity>
    package let source: Personal<IPAddress>
    package let virtualAddress: Personal<VirtualAddress?>
    package let established: Instant
    package let traffic: Traffic
    package let ikeSuite: String
    package let espSuite: String?
}
