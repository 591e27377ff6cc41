import Engine
import TestKit
import Vocabulary

extension IPAddress {
    static let lan = IPAddress.v4(0x0a63_0001)
}

extension Pair {
    var virtualAddresses: [IPAddress] {
        notices.flatMap {
            if case .connected(_, _, let addresses) = $0 { addresses } else { [IPAddress]() }
        }
    }
    var virtualAddress: IPAddress? { virtualAddresses.first }

    /// What the client was told.
    var failures: [AuthFailure] {
        notices.compactMap { if case .failed(_, let reason) = $0 { reason } else { nil } }
    }

    /// Where the client was sent.
    var redirections: [RedirectTarget] {
        notices.compactMap { if case .redirected(_, let target) = $0 { target } else { nil } }
    }

    /// How the client's sessions ended, as it saw it.
    var ends: [SessionEnd] {
        notices.compactMap { if case .closed(_, let reason) = $0 { reason } else { nil } }
    }

    /// What the gateway recorded.
    var failureReasons: [AuthFailure] {
        events.compactMap { ($0 as? IKEAuthFailed)?.reason.clear }
    }

    var tick: Tick {
        var tick = Tick()
        gateway.fill(&tick)
        return tick
    }

    /// The gateway's only session, or its oldest.
    var session: SessionID? { gateway.sessionSummaries().first?.session }

    func events<E: Event>(_: E.Type) -> [E] { events.compactMap { $0 as? E } }
}
