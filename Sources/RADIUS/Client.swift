package import Crypto
import DequeModule
package import Vocabulary

/// Asks RADIUS servers: accounting records in their order to the first server that answers, and
/// Status-Server (RFC 5997) to each of them, to know whether it does. Sans-IO: time and datagrams
/// come in, datagrams and notices go out.
///
/// A request is sent again, at growing intervals (RFC 5080 §2.2.1), as often as the policy says. If
/// none of it was answered, nor anything else since, the server is down, and what it was asked goes
/// to the next one. While all are down, records wait in a bounded queue.
package struct Client {
    package struct Server: Sendable {
        package let name: String
        package let secret: SharedSecret

        package init(name: String, secret: SharedSecret) {
            self.name = name
            self.secret = secret
        }
    }

    package struct Policy: Hashable, Sendable {
        /// Of the first transmission; it doubles with each that follows.
        package var timeout: Duration
        /// Transmissions after the first.
        package var retries: Int
        /// Between two Status-Server; nil: a server that is down is asked again in half a minute.
        package var probe: Duration?
        /// Records that may wait.
        package var queueLimit = 20_000
        /// Records under way to a server; less than 250, for each has an identifier.
        package var window = 64

        package init(timeout: Duration, retries: Int, probe: Duration?) {
            self.timeout = timeout
            self.retries = retries
            self.probe = probe
        }
    }

    package struct Transmission: Hashable, Sendable {
        /// Its place in the list.
        package let server: Int
        package let bytes: [UInt8]
    }

    package enum Notice: Hashable, Sendable {
        case down(server: Int)
        case up(server: Int, after: Duration)
        case answered(server: Int, in: Duration)
    }

    /// To be taken by the driver.
    package var transmissions: [Transmission] = []
    package var notices: [Notice] = []
    /// Of records that found no room.
    package var lost: UInt64 = 0

    private let policy: Policy
    private let identity: Attribute
    private var lines: [Line]
    private var queue: Deque<AccountingRecord> = []

    /// - Parameters:
    ///   - servers: the one to be asked first in front.
    ///   - nasIdentifier: who we are, in a Status-Server.
    package init(
        _ servers: [Server], _ policy: Policy, nasIdentifier: String, random: any RandomSource,
        at now: Instant
    ) {
        self.policy = policy
        identity = Attribute(.nasIdentifier, text: nasIdentifier)
        lines = servers.map { Line($0, policy, random: random, at: now) }
    }

    package var states: [RadiusServerState] { lines.map(\.state) }

    /// Records that no server has taken yet.
    package var waiting: Int { lines.reduce(queue.count) { $0 + $1.records } }

    /// Whether a server may take them.
    package var hasServer: Bool { lines.contains(where: \.isUsable) }

    package var nextDeadline: Instant? { lines.compactMap(\.nextDeadline).min() }

    /// Takes a record to be sent. An interim update is not worth the second half of the queue.
    package mutating func enqueue(_ record: AccountingRecord, at now: Instant) {
        let limit = record.isInterim ? policy.queueLimit / 2 : policy.queueLimit
        if queue.count < limit { queue.append(record) } else { lost &+= 1 }
        pump(at: now)
    }

    /// Takes a datagram that came from a server's address and port.
    package mutating func receive(_ bytes: [UInt8], from server: Int, at now: Instant) {
        guard lines.indices.contains(server) else { return }
        guard let answer = lines[server].receive(bytes, at: now) else { return }
        notices.append(.answered(server: server, in: answer.latency))
        if let down = answer.downUntilNow { notices.append(.up(server: server, after: down)) }
        pump(at: now)
    }

    /// Does what is due.
    package mutating func expire(at now: Instant) {
        for server in lines.indices {
            let (again, unanswered) = lines[server].expire(at: now)
            transmissions += again.map { Transmission(server: server, bytes: $0) }
            guard let unanswered else { continue }
            if unanswered.isNews { notices.append(.down(server: server)) }
            // In front, in their order: they are the oldest. One that a living server leaves
            // unanswered goes behind the others, lest it hold them up.
            if unanswered.isPaused {
                queue.prepend(contentsOf: unanswered.records)
            } else {
                queue.append(contentsOf: unanswered.records)
            }
        }
        for server in lines.indices {
            if let probe = lines[server].probe(identity, at: now) {
                transmissions.append(Transmission(server: server, bytes: probe))
            }
        }
        pump(at: now)
    }

    /// Gives up everything that waits.
    ///
    /// - Returns: how many records that were.
    package mutating func abandon() -> Int {
        let count = waiting
        queue.removeAll()
        for server in lines.indices { lines[server].abandon() }
        return count
    }

    private mutating func pump(at now: Instant) {
        guard let server = lines.firstIndex(where: \.isUsable) else { return }
        while lines[server].records < policy.window, let record = queue.popFirst() {
            if let bytes = lines[server].send(record, at: now) {
                transmissions.append(Transmission(server: server, bytes: bytes))
            } else {
                lost &+= 1
            }
        }
    }
}
