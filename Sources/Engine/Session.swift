import ESP
package import Vocabulary

/// One user's stay: it outlives its IKE SAs and Child SAs, and accounting sums over it.
final class Session {
    /// One, its successor, and those that wait for their last packets.
    static let childLimit = 8

    let id: SessionID
    let connection: SessionTerms
    let identity: Identity
    let established: Instant
    var ikeSuiteName: String
    var espSuiteName: String?
    var lease: Lease?
    var children: [Child] = []
    /// Of the Child SAs that are gone.
    var closedTraffic = Traffic()
    /// The IKE SA that speaks for it now.
    var ikeSPI: UInt64
    /// When its IKE SA was last replaced.
    var ikeRekeyed: Instant?
    /// Where its ESP packets go: behind the IKE SA's path while a new one is being verified.
    var path: Path?
    /// Other addresses that the peer says it has (RFC 4555 §3.6).
    var peerAddresses: [IPAddress] = []
    /// Set for a session that this engine began.
    var handle: ConnectionHandle?

    init(
        id: SessionID, connection: SessionTerms, identity: Identity, established: Instant,
        ikeSuiteName: String, ikeSPI: UInt64
    ) {
        self.id = id
        self.connection = connection
        self.identity = identity
        self.established = established
        self.ikeSuiteName = ikeSuiteName
        self.ikeSPI = ikeSPI
    }

    func postponeRekey(of child: ChildID, until moment: Instant) {
        for index in children.indices where children[index].id == child {
            children[index].rekeyAt = moment
        }
    }
}

/// What either side's policy says of a session: the common part of a connection and a client's
/// policy.
struct SessionTerms {
    let name: String
    let ikeSuites: [IKESuite]
    let espSuites: [ESPSuite]
    let rekey: RekeyPolicy
    let livenessInterval: Duration
    /// Of a client's policy.
    var pretendsNAT = false
    var allowsNAT = true
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
        /// Replaced: receives until then.
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
    var state = State.installed
    /// Why it goes, once that is known.
    var end = ChildEnd.rekeyed

    var isRetired: Bool { state != .installed }
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
