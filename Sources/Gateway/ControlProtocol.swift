import Engine
import Foundation
package import Vocabulary

/// One line of JSON from a client of the control socket.
package struct ControlRequest: Codable, Hashable, Sendable {
    package enum Command: String, Codable, CaseIterable, Sendable {
        case sessions, status, terminate, reload, drain
        case cancelDrain = "cancel_drain"
    }

    /// Gateways that a drain can send peers to.
    static let targetLimit = 16

    package let command: Command
    /// Which one to end, as `sessions` names it; for `terminate` only.
    package let session: String?
    /// For `drain`: seconds until what is left is deleted; the configuration's if missing.
    package let deadline: UInt32?
    /// For `drain`: the gateways to go to, addresses or domain names; the configuration's if
    /// missing.
    package let to: [String]?

    package init(
        _ command: Command, session: String? = nil, deadline: UInt32? = nil, to: [String]? = nil
    ) {
        self.command = command
        self.session = session
        self.deadline = deadline
        self.to = to
    }
}

/// One line of JSON in answer: what was asked for, or `error`.
package struct ControlReply: Codable, Hashable, Sendable {
    package var sessions: [Session]?
    package var status: Status?
    package var terminated: Bool?
    /// Missing if there is none.
    package var drain: Drain?
    /// What a reload changed, a line each.
    package var reloaded: [String]?
    /// For people: a line, or one for each mistake in a configuration.
    package var error: String?

    /// A session, its personal values disclosed under the gateway's policy or left out by it.
    package struct Session: Codable, Hashable, Sendable {
        package let session: String
        package let connection: String
        package let identity: String?
        package let source: String?
        package let virtualAddress: String?
        /// RFC 3339, UTC.
        package let established: String
        package let bytesIn: UInt64
        package let packetsIn: UInt64
        package let bytesOut: UInt64
        package let packetsOut: UInt64
        package let ikeSuite: String
        package let espSuite: String?

        enum CodingKeys: String, CodingKey {
            case session, connection, identity, source, established
            case virtualAddress = "virtual_address"
            case bytesIn = "bytes_in"
            case packetsIn = "packets_in"
            case bytesOut = "bytes_out"
            case packetsOut = "packets_out"
            case ikeSuite = "ike_suite"
            case espSuite = "esp_suite"
        }
    }

    /// A ``DrainProgress``.
    package struct Drain: Codable, Hashable, Sendable {
        /// Sessions when it began, and now.
        package let sessions: Int
        package let left: Int
        /// Seconds until what is left is deleted.
        package let remaining: Int64
        package let to: [String]

        init?(_ progress: DrainProgress?) {
            guard let progress else { return nil }
            sessions = progress.sessions
            left = progress.left
            remaining = progress.remaining.components.seconds
            to = progress.targets.map(\.description)
        }
    }

    /// A ``GatewayStatus``.
    package struct Status: Codable, Hashable, Sendable {
        /// RFC 3339, UTC.
        package let started: String
        package let listen: [String]
        package let sessions: UInt64
        package let halfOpen: UInt64
        package let childSAs: UInt64
        package let bytesIn: UInt64
        package let packetsIn: UInt64
        package let bytesOut: UInt64
        package let packetsOut: UInt64
        package let keepalives: UInt64
        package let unsent: UInt64
        package let innerDropped: UInt64
        package let innerUp: Bool
        package let drain: Drain?

        enum CodingKeys: String, CodingKey {
            case started, listen, sessions, keepalives, unsent, drain
            case halfOpen = "half_open"
            case childSAs = "child_sas"
            case bytesIn = "bytes_in"
            case packetsIn = "packets_in"
            case bytesOut = "bytes_out"
            case packetsOut = "packets_out"
            case innerDropped = "inner_dropped"
            case innerUp = "inner_up"
        }
    }

    init(error: String) { self.error = error }

    /// - Parameter wallOffset: turns instants into times of day; nanoseconds.
    package init(_ answer: Gateway.Answer, under disclosure: Disclosure, wallOffset: Int64) {
        switch answer {
        case .sessions(let summaries):
            sessions = summaries.map {
                Session(
                    session: $0.session.description, connection: $0.connection,
                    identity: $0.identity.datum(under: disclosure).text,
                    source: $0.source.datum(under: disclosure).text,
                    virtualAddress: $0.virtualAddress.datum(under: disclosure).text,
                    established: rfc3339($0.established, wallOffset),
                    bytesIn: $0.traffic.bytesIn, packetsIn: $0.traffic.packetsIn,
                    bytesOut: $0.traffic.bytesOut, packetsOut: $0.traffic.packetsOut,
                    ikeSuite: $0.ikeSuite, espSuite: $0.espSuite)
            }
        case .status(let state):
            status = Status(
                started: rfc3339(state.started, wallOffset),
                listen: state.listen.map(\.endpoint.description), sessions: state.sessions,
                halfOpen: state.halfOpen, childSAs: state.childSAs,
                bytesIn: state.traffic.bytesIn, packetsIn: state.traffic.packetsIn,
                bytesOut: state.traffic.bytesOut, packetsOut: state.traffic.packetsOut,
                keepalives: state.keepalives, unsent: state.unsent,
                innerDropped: state.innerDropped, innerUp: state.innerUp,
                drain: Drain(state.drain))
        case .terminated(let found):
            terminated = found
            if !found { error = "no such session; `weir sessions` lists them" }
        case .drain(let progress): drain = Drain(progress)
        case .reloaded(let changes): reloaded = changes
        case .refused(let lines): error = lines
        case .adopted, .notAdopted, .sessionNames: error = "not for this socket"
        }
    }
}

extension ControlRequest {
    /// nil if there are too many targets, or one is none.
    private var drainOrder: DrainOrder? {
        let targets = to?.prefix(Self.targetLimit + 1).compactMap { RedirectTarget($0) }
        guard targets?.count == to?.count, targets?.count ?? 0 <= Self.targetLimit else {
            return nil
        }
        return DrainOrder(deadline: deadline.map { .seconds($0) }, targets: targets)
    }

    /// What this asks of the gateway; nil if the session or a target is missing or none, and for
    /// `reload`, which is more than the gateway's business.
    var question: Gateway.Question? {
        switch command {
        case .reload: nil
        case .drain: drainOrder.map { .drain($0) }
        case .cancelDrain: .cancelDrain
        case .sessions: .sessions
        case .status: .status
        case .terminate: session.flatMap { UUID(uuidString: $0) }.map { .terminate(SessionID($0)) }
        }
    }
}

extension SessionID {
    fileprivate init(_ uuid: UUID) {
        let bytes = withUnsafeBytes(of: uuid.uuid) { Array($0) }
        let word = { (range: Range<Int>) in bytes[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        self.init(high: word(0..<8), low: word(8..<16))
    }
}

extension Datum {
    fileprivate var text: String? {
        switch self {
        case .null: nil
        case .text(let text): text
        case .integer(let number): String(number)
        case .real(let number): String(number)
        }
    }
}

private func rfc3339(_ instant: Instant, _ wallOffset: Int64) -> String {
    let nanoseconds = Int64(clamping: instant.nanoseconds) &+ wallOffset
    return Date(timeIntervalSince1970: Double(nanoseconds) / 1e9)
        .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
}
