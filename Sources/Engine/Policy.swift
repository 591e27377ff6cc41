package import Crypto
package import ESP
package import Vocabulary

/// What the engine is told by the configuration. Values only: a new policy is a new engine, or a
/// reload.
package struct EnginePolicy: Sendable {
    package var connections: [Connection]
    package var pools: [PoolPolicy]
    /// Sessions that may exist at once.
    package var sessionLimit = 10_000
    /// What a login does that finds as many.
    package var eviction = EvictionPolicy.refuse
    /// IKE SAs that may wait for IKE_AUTH at once.
    package var halfOpenLimit = 1_000
    /// Child SAs that one IKE SA may have at once.
    package var childLimit = 8
    package var defence = DefencePolicy()
    package var timing = Timing()
    /// Which shard this is: the high byte of every responder SPI that it hands out.
    package var shard: UInt8 = 0
    /// Pretend that we are behind a NAT, so that peers wrap ESP in UDP: our data plane has no
    /// other (RFC 7296 §2.23 lets either side ask for it so).
    package var forcesEncapsulation = true
    /// Our addresses, as far as they are known: for MOBIKE peers (RFC 4555 §3.4).
    package var addresses: [IPAddress] = []
    /// The longest IP packet with an IKE message that goes in one piece, bytes, if the peer can
    /// put pieces together (RFC 7383 §2.5).
    package var fragmentSize = 1_280
    /// Bytes of fragments that may wait for the rest of their messages, in all. Peers that have not
    /// proved themselves have half of it, and any one source of theirs
    /// ``Reassembly/sourceLimit``.
    package var reassemblyLimit = 4 << 20
    /// Tickets for sessions that come back (RFC 5723); nil: none are issued or taken.
    package var resumption: ResumptionPolicy?
    /// How long a drain waits before it deletes what is left.
    package var drainDeadline: Duration = .seconds(600)
    /// Where a drain sends peers that follow a REDIRECT, in turn.
    package var redirectTargets: [RedirectTarget] = []
    /// For the telemetry of our own work, which a sans-IO engine can't time: nanoseconds.
    package var stopwatch: @Sendable () -> UInt64 = { 0 }

    package init(connections: [Connection], pools: [PoolPolicy] = []) {
        self.connections = connections
        self.pools = pools
    }
}

/// Who may come, as what, and what they get.
package struct Connection: Sendable {
    package var name: String
    package var localIdentity: Identity
    package var remoteIdentities: [IdentityPattern]
    package var secret: SharedSecret
    package var ikeSuites: [IKESuite]
    package var espSuites: [ESPSuite]
    /// Without one, no address is lent.
    package var pool: String?
    package var dns: [IPAddress]
    /// The number of the inner network of its peers; 0 is the gateway's own. Each has addresses of
    /// its own.
    package var network = 0
    /// What peers may reach.
    package var localSelectors: [Selector]
    package var rekey: RekeyPolicy
    /// Ask a silent peer whether it is alive after this long (RFC 7296 §2.4); never, if zero.
    package var livenessInterval: Duration
    /// What becomes of a user's session when the same user logs in again.
    package var unique = UniquePolicy.replace
    /// Users must prove themselves again within this time (RFC 4478); nil: never.
    package var authLifetime: Duration?
    /// Sessions that it may have at once, and one user of it; nil: as many as the gateway.
    package var sessionLimit: Int?
    package var userLimit: Int?
    /// What a login does that finds as many.
    package var eviction = EvictionPolicy.refuse

    package init(
        name: String, localIdentity: Identity, remoteIdentities: [IdentityPattern],
        secret: SharedSecret,
        ikeSuites: [IKESuite] = [
            IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256),
            IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .x25519),
        ],
        espSuites: [ESPSuite] = [ESPSuite(cipher: .aes256GCM16), ESPSuite(cipher: .aes128GCM16)],
        pool: String? = nil, dns: [IPAddress] = [],
        localSelectors: [Selector] = [.anyIPv4], rekey: RekeyPolicy = RekeyPolicy(),
        livenessInterval: Duration = .seconds(30)
    ) {
        self.name = name
        self.localIdentity = localIdentity
        self.remoteIdentities = remoteIdentities
        self.secret = secret
        self.ikeSuites = ikeSuites
        self.espSuites = espSuites
        self.pool = pool
        self.dns = dns
        self.localSelectors = localSelectors
        self.rekey = rekey
        self.livenessInterval = livenessInterval
    }
}

/// What becomes of a user's session when the same user logs in again.
package enum UniquePolicy: String, CaseIterable, Sendable {
    /// The new one takes its place.
    case replace
    /// The new one is refused, unless it says INITIAL_CONTACT or is a reauthentication.
    case keep
    /// Both stay; INITIAL_CONTACT is not heeded.
    case never
}

/// When we replace SAs. The moment is drawn from `[lifetime × (1 − jitter), lifetime]`, so that
/// sessions that began together don't rekey together.
package struct RekeyPolicy: Sendable {
    package var ike: Duration
    package var child: Duration
    /// Inner bytes and packets of a Child SA, in either direction, after which it is replaced.
    package var childLimit = TrafficLimit.none
    /// 0 to 1.
    package var jitter: Double
    /// What could not be replaced ends this long after its lifetime.
    package var grace: Duration

    package init(
        ike: Duration = .seconds(14_400), child: Duration = .seconds(3_600),
        childLimit: TrafficLimit = .none, jitter: Double = 0.5, grace: Duration = .seconds(600)
    ) {
        self.ike = ike
        self.child = child
        self.childLimit = childLimit
        self.jitter = jitter
        self.grace = grace
    }
}

/// Addresses to lend: a block of IPv4, one of IPv6, or both.
package struct PoolPolicy: Sendable {
    package var name: String
    package var ipv4: AddressBlock?
    package var ipv6: AddressBlock?
    /// What a login does that finds no address free.
    package var eviction = EvictionPolicy.refuse

    package init(name: String, ipv4: AddressBlock? = nil, ipv6: AddressBlock? = nil) {
        self.name = name
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }
}

/// Addresses of one family, first and last included.
package struct AddressBlock: Hashable, Sendable {
    package let first: IPAddress
    package let last: IPAddress

    /// - Returns: nil if the addresses are of two families, or in the wrong order.
    package init?(first: IPAddress, last: IPAddress) {
        guard first.isIPv4 == last.isIPv4, first.number <= last.number else { return nil }
        self.first = first
        self.last = last
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == first.isIPv4 && first.number <= address.number
            && address.number <= last.number
    }

    /// How many addresses there are, saturating.
    package var count: UInt64 { UInt64(clamping: last.number - first.number) &+ 1 }
}

/// Intervals that are ours to choose.
package struct Timing: Sendable {
    /// From IKE_SA_INIT to a valid IKE_AUTH.
    package var halfOpen: Duration = .seconds(30)
    /// Before the first retransmission; each later one waits `backoff` times longer
    /// (RFC 7296 §2.4 asks for exponential times).
    package var retransmit: Duration = .seconds(2)
    package var backoff = 2.0
    package var retransmissions = 5
    /// How long an SA that ended keeps its last answer, for a peer that asks again.
    package var linger: Duration = .seconds(10)
    /// How long the inbound half of a replaced Child SA waits for its last packets.
    package var retiredInbound: Duration = .seconds(5)
    /// How long we hear one that was replaced and that we delete, if the peer does not answer: longer
    /// than we ask, with another exchange before it.
    package var unheardDelete: Duration = .seconds(300)
    /// How long we wait for the Delete of an SA that the peer replaced.
    package var superseded: Duration = .seconds(30)
    /// How long a session whose user has logged in anew waits for its own Delete.
    package var replaced: Duration = .seconds(10)

    /// How long nothing may be sent to the outside of our NAT (RFC 3948 §4).
    package var keepalive: Duration = .seconds(20)
    /// How long fragments wait for the rest of their message.
    package var reassembly: Duration = .seconds(15)

    package init() {}
}

/// What a client wants: the initiator's side of a connection.
package struct ClientPolicy: Sendable {
    package var localIdentity: Identity
    package var remoteIdentity: Identity?
    package var secret: SharedSecret
    package var ikeSuites: [IKESuite]
    package var espSuites: [ESPSuite]
    /// Families to ask for a virtual address of.
    package var wantedAddresses: [AddressFamily] = [.ipv4]
    /// The addresses that it wants again.
    package var requestedAddresses: [IPAddress] = []
    /// Says that it has no other session (RFC 7296 §2.4).
    package var initialContact = true
    /// Log in without a Child SA (RFC 6023).
    package var childless = false
    /// Offer MOBIKE (RFC 4555).
    package var supportsMobike = false
    /// Offer to take and send messages in fragments (RFC 7383).
    package var supportsFragmentation = false
    /// Pretend to be behind a NAT, so that ESP goes in UDP.
    package var pretendsNAT = true
    /// Give up if there is a NAT (RFC 4555 §3.9).
    package var allowsNAT = true
    /// Ask for tickets to come back with (RFC 5723).
    package var wantsTicket = false
    package var remoteSelectors: [Selector]
    /// Go to another gateway when asked to (RFC 5685).
    package var followsRedirects = false
    package var rekey: RekeyPolicy
    package var livenessInterval: Duration

    /// What it offers to have on its side: every address of the families that it asks for.
    var localSelectors: [Selector] {
        wantedAddresses.isEmpty
            ? [.anyIPv4, .anyIPv6]
            : wantedAddresses.map { $0 == .ipv4 ? .anyIPv4 : .anyIPv6 }
    }

    package init(
        localIdentity: Identity, remoteIdentity: Identity? = nil, secret: SharedSecret,
        ikeSuites: [IKESuite] = [IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .x25519)],
        espSuites: [ESPSuite] = [ESPSuite(cipher: .aes128GCM16)],
        remoteSelectors: [Selector] = [.anyIPv4],
        rekey: RekeyPolicy = RekeyPolicy(), livenessInterval: Duration = .seconds(30)
    ) {
        self.localIdentity = localIdentity
        self.remoteIdentity = remoteIdentity
        self.secret = secret
        self.ikeSuites = ikeSuites
        self.espSuites = espSuites
        self.remoteSelectors = remoteSelectors
        self.rekey = rekey
        self.livenessInterval = livenessInterval
    }
}
