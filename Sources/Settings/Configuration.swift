package import Crypto
package import Engine
package import Vocabulary

/// Everything that `weir.yaml` says, checked. See `docs/configuration.md`.
package struct Configuration: Sendable {
    package var gateway: Gateway
    package var pools: [Pool]
    /// In the order of the file; the first that takes an identity has it.
    package var connections: [Connection]
    package var telemetry: Telemetry
    /// Base URLs of Alertmanagers.
    package var alertmanagers: [Located<String>]
    /// nil: no RADIUS server is told of sessions.
    package var radius: Radius?
    package var logLevel: LogLevel
    /// What the file says, for a comparison with another.
    package var written = Written()

    package struct Gateway: Sendable {
        package var name: String
        package var listen: [Located<IPAddress>]
        package var port: Located<UInt16>
        package var natPort: Located<UInt16>
        package var dataplane: Located<DataplaneKind>
        package var tunName: Located<String>
        /// Bytes of an inner packet.
        package var tunMTU: Int
        /// Bytes of the longest IP packet that the paths to clients take in one piece.
        package var pathMTU: Int
        /// Bytes of the longest IP packet with an IKE message that goes in one piece.
        package var fragmentSize: Int
        /// Path of the control socket.
        package var control: Located<String>
        /// Threads that serve peers.
        package var shards: Int
        package var maxSessions: Int
        /// What a login does that finds as many.
        package var eviction: EvictionPolicy
        package var maxHalfOpen: Int
        /// Of one IKE SA.
        package var maxChildSAs: Int
        /// How long a drain waits before it deletes what is left.
        package var drainDeadline: Duration
        /// Where a drain sends clients, in turn.
        package var redirectTargets: [RedirectTarget]
        package var defence: DefencePolicy
        /// nil: sessions do not come back without a login.
        package var resumption: Resumption?
    }

    /// Tickets to come back with (RFC 5723).
    package struct Resumption: Sendable {
        /// Path of the file with their keys.
        package var ticketKeys: Located<String>
        /// Of a ticket.
        package var lifetime: Duration
        /// A key that is this old gives way to a new one.
        package var rotate: Duration
        /// A stop says nothing to peers with a ticket.
        package var silentStop: Bool
    }

    package struct Pool: Sendable {
        package var name: String
        package var ipv4: AddressRange?
        package var ipv6: AddressRange?
        /// What a login does that finds no address free.
        package var eviction: EvictionPolicy
        package var dns: [IPAddress]
    }

    package struct Connection: Sendable {
        package var name: String
        package var localID: Identity
        package var remoteIDs: [IdentityPattern]
        package var secret: SharedSecret
        /// Names one of the pools.
        package var pool: String
        /// The TUN device of its clients, where it is not the gateway's.
        package var tun: Device?
        /// What clients may reach.
        package var localNetworks: [AddressPrefix]
        /// In the order of preference.
        package var ikeProposals: [IKESuite]
        /// In the order of preference.
        package var espProposals: [ESPSuite]
        package var rekeyIKE: Duration
        package var rekeyChild: Duration
        /// Inner bytes of a Child SA in either direction; nil: no limit.
        package var rekeyBytes: Int?
        package var rekeyPackets: Int?
        /// What could not be rekeyed ends this long after its time.
        package var rekeyGrace: Duration
        /// Up to this much of a lifetime is taken off it at random; 0 to 50.
        package var rekeyJitterPercent: Int
        /// How long a peer may be silent before it is asked for a sign of life.
        package var dpd: Duration
        /// What becomes of a user's session when the same user logs in again.
        package var unique: UniquePolicy
        /// Users must prove themselves again within this time; nil: never.
        package var authLifetime: Duration?
        /// Sessions at once, and of one user; nil: as many as the gateway.
        package var maxSessions: Int?
        package var maxSessionsPerUser: Int?
        /// What a login does that finds as many.
        package var eviction: EvictionPolicy
    }

    /// A TUN device.
    package struct Device: Sendable {
        package var name: Located<String>
        /// The routing table of its clients; nil is the main one.
        package var table: UInt32?
    }

    package struct Telemetry: Sendable {
        /// Path of the database.
        package var store: Located<String>
        /// Bytes of its write-ahead log from which on nothing is recorded, while a reader keeps
        /// the log from being folded.
        package var storeLogLimit: Int
        /// Between two samplings of the counters.
        package var interval: Duration
        package var metricsAddress: Located<IPAddress>
        package var metricsPort: Located<UInt16>
        /// Path of a file in the format of exporter-toolkit.
        package var webConfig: Located<String>?
        /// Users with series of their own; 0 for none.
        package var userSeries: Int
        package var retention: Retention
        package var privacy: Privacy
    }

    /// How long things are kept; nil is for good.
    package struct Retention: Sendable {
        package var samples: Duration?
        package var figures: Duration?
        package var minutes: Duration?
        package var hours: Duration?
        package var events: Duration?
        package var sessions: Duration?
        /// Of events, by kind.
        package var kinds: [String: Duration]
    }

    package struct Privacy: Sendable {
        package var identities: Disclosure.Treatment
        package var addresses: Disclosure.Treatment
        package var virtualAddresses: Disclosure.Treatment
        /// Where the key of the pseudonyms is kept.
        package var key: Located<SecretReference>

        package init(
            identities: Disclosure.Treatment, addresses: Disclosure.Treatment,
            virtualAddresses: Disclosure.Treatment, key: Located<SecretReference>
        ) {
            self.identities = identities
            self.addresses = addresses
            self.virtualAddresses = virtualAddresses
            self.key = key
        }
    }

    package enum DataplaneKind: String, CaseIterable, Sendable {
        /// A TUN device: real packets, needs CAP_NET_ADMIN.
        case tun
        /// An echo network in memory: for demonstrations and tests.
        case memory
    }

    /// Least severe first; the names are swift-log's.
    package enum LogLevel: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }
}

/// What holds where the file is silent. `docs/configuration.md` repeats it, and a test compares.
enum Defaults {
    static let gatewayName = "weir"
    static let listen = IPAddress.v4(0)
    static let port: UInt16 = 500
    static let natPort: UInt16 = 4_500
    static let tunName = "weir0"
    static let tunMTU = 1_400
    static let pathMTU = 1_500
    static let fragmentSize = 1_280
    static let control = "/run/weir/control.sock"
    static let shards = 1
    static let maxSessions = 10_000
    static let eviction = EvictionPolicy.refuse
    static let maxHalfOpen = 1_000
    static let maxChildSAs = 8
    static let ticketLifetime = Duration.seconds(8 * 3_600)
    static let ticketRotation = Duration.seconds(12 * 3_600)
    static let drainDeadline = Duration.seconds(600)
    static let localNetworks = [AddressPrefix.anyIPv4, .anyIPv6]
    /// AEADs and strong groups only; what older clients need has to be named.
    static let ikeProposals = [
        IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p384),
        IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .x25519),
        IKESuite(cipher: .aes256GCM16, prf: .hmacSHA384, group: .p256),
        IKESuite(cipher: .aes256GCM16, prf: .hmacSHA256, group: .p256),
        IKESuite(cipher: .aead(.chacha20Poly1305), prf: .hmacSHA256, group: .x25519),
        IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .x25519),
        IKESuite(cipher: .aes128GCM16, prf: .hmacSHA256, group: .p256),
    ]
    static let espProposals = [
        ESPSuite(cipher: .aes256GCM16), ESPSuite(cipher: .aead(.chacha20Poly1305)),
        ESPSuite(cipher: .aes128GCM16),
    ]
    static let rekeyIKE = Duration.seconds(4 * 3_600)
    static let rekeyChild = Duration.seconds(3_600)
    static let rekeyGrace = Duration.seconds(600)
    static let unique = UniquePolicy.replace
    static let rekeyJitterPercent = 10
    static let dpd = Duration.seconds(30)
    static let store = "/var/lib/weir/weir.db"
    static let storeLogLimit = 1 << 30
    static let interval = Duration.seconds(15)
    static let metricsAddress = IPAddress.v4(0x7f00_0001)
    static let metricsPort: UInt16 = 9_443
    static let treatment = Disclosure.Treatment.pseudonym
    /// Beside the store.
    static let keyFile = "pseudonym.key"
    static let radiusTimeout = Duration.seconds(2)
    static let radiusRetries = 2
    static let radiusProbe = Duration.seconds(30)
    static let radiusInterim = Duration.seconds(600)
    static let radiusAccountingPort: UInt16 = 1_813
    static let logLevel = Configuration.LogLevel.info
}
