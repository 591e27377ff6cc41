import Store
import Vocabulary

/// The ends that a crash kept from being recorded.
///
/// They happened some time between the last sign of life and now. Each is recorded as of now, with
/// that span as its uncertainty: a session's duration is the longest it can have been, and its
/// totals are what was last known. The span begins with the latest sample where there are totals:
/// what they carried after it is in no record, though other facts may be.
func endings(of unfinished: Unfinished, at now: Timestamp) -> [any Event] {
    let children = unfinished.children.map {
        ChildSAClosed(
            session: $0.session, child: $0.child, reason: .crash, total: $0.total,
            uncertaintyMilliseconds: milliseconds(from: min($0.lastSeen, $0.lastSampled), to: now))
    }
    let leases = unfinished.leases.map {
        LeaseReleased(
            session: $0.session, pool: $0.pool,
            uncertaintyMilliseconds: milliseconds(from: $0.lastSeen, to: now))
    }
    let sessions = unfinished.sessions.map {
        SessionClosed(
            session: $0.id, reason: .crash,
            durationMilliseconds: milliseconds(from: $0.started, to: now), total: $0.total,
            uncertaintyMilliseconds: milliseconds(from: min($0.lastSeen, $0.lastSampled), to: now))
    }
    let gateway = unfinished.gateway.map {
        GatewayStopped(
            cause: .crash, uncertaintyMilliseconds: milliseconds(from: $0.lastSeen, to: now))
    }
    return children + leases + sessions + (gateway.map { [$0] } ?? [])
}

/// Rounded up: an uncertainty must not be told too small. Zero if the clock went back.
private func milliseconds(from start: Timestamp, to end: Timestamp) -> UInt64 {
    let (span, overflow) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
    guard !overflow, span > 0 else { return 0 }
    return UInt64(span / 1_000_000) + (span % 1_000_000 > 0 ? 1 : 0)
}
