package import Vocabulary

/// What an accounting record tells (Acct-Status-Type, RFC 2866 §5.1).
package enum StatusType: UInt64, Sendable {
    case start = 1
    case stop = 2
    case interim = 3
    /// The gateway has begun: sessions that the server still has are over.
    case accountingOn = 7
    case accountingOff = 8
}

/// One accounting record, until a server has taken it. It names a person: nothing prints it.
package struct AccountingRecord: Sendable, CustomStringConvertible, CustomReflectable {
    package let status: StatusType
    /// In the order in which they were made.
    package let number: UInt64
    let created: Instant
    /// All but Acct-Delay-Time.
    let content: [Attribute]

    var isInterim: Bool { status == .interim }

    /// What to send now: with the seconds that it has waited (RFC 2866 §5.2).
    func attributes(at now: Instant) -> [Attribute] {
        let seconds = max(0, (now - created).nanoseconds) / 1_000_000_000
        return content + [Attribute(.delayTime, UInt64(seconds))]
    }

    package var description: String { "‹accounting record›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Acct-Terminate-Cause (RFC 2866 §5.10).
package enum TerminateCause: UInt64, Sendable {
    case userRequest = 1
    case lostCarrier = 2
    case sessionTimeout = 5
    case adminReset = 6
    case adminReboot = 7
    case nasRequest = 10
    case nasReboot = 11
    case portPreempted = 13
    case userError = 17

    package init(_ end: SessionEnd) {
        self =
            switch end {
            case .deletedByPeer: .userRequest
            case .deletedByAdmin: .adminReset
            case .replaced: .nasRequest
            case .evicted: .portPreempted
            case .peerDead: .lostCarrier
            case .lifetimeOver, .authLifetimeOver: .sessionTimeout
            case .shutdown, .drained: .adminReboot
            case .protocolError: .userError
            case .crash: .nasReboot
            }
    }
}
