package import Vocabulary
import Wire

// Maintenance: no new sessions, and those that there are leave for another gateway (RFC 5685).

/// How to empty a gateway; what is nil is the policy's.
package struct DrainOrder: Hashable, Sendable {
    /// What is left after so long is deleted.
    package var deadline: Duration?
    /// Where peers that can follow a REDIRECT are sent, in turn; nowhere, if empty.
    package var targets: [RedirectTarget]?

    package init(deadline: Duration? = nil, targets: [RedirectTarget]? = nil) {
        self.deadline = deadline
        self.targets = targets
    }
}

/// How far a drain is.
package struct DrainProgress: Hashable, Sendable {
    /// Sessions when it began, and now.
    package var sessions: Int
    package var left: Int
    /// Until what is left is deleted.
    package var remaining: Duration
    package var targets: [RedirectTarget]

    package init(sessions: Int, left: Int, remaining: Duration, targets: [RedirectTarget]) {
        self.sessions = sessions
        self.left = left
        self.remaining = remaining
        self.targets = targets
    }
}

/// A drain that goes on.
struct Drain {
    /// Live sessions are asked to leave in such portions, so that they don't all arrive at the
    /// other gateway at once: at most a hundred a second.
    static let portion = 10
    static let pace = Duration.milliseconds(100)
    /// Stands for the engine itself in the queue of deadlines; no SA of ours has it.
    static let deadlineSPI: UInt64 = 0

    let targets: [RedirectTarget]
    let began: Int
    let deadline: Instant
    /// To be asked to leave, the last first.
    var waiting: [SessionID]
    /// When to look again.
    var next: Instant
    var isOver = false
    private var turn = 0

    init(
        targets: [RedirectTarget], began: Int, deadline: Instant, waiting: [SessionID], now: Instant
    ) {
        self.targets = targets
        self.began = began
        self.deadline = deadline
        self.waiting = waiting
        next = now
    }

    /// The targets, one after the other.
    mutating func nextTarget() -> RedirectTarget? {
        guard !targets.isEmpty else { return nil }
        turn = (turn + 1) % targets.count
        return targets[turn]
    }
}

extension Engine {
    /// Lets nobody in any more and sends away who is in. A second order replaces the first.
    package func drain(_ order: DrainOrder, at now: Instant, _ output: inout Output) {
        let span = max(order.deadline ?? policy.drainDeadline, .zero)
        let targets = order.targets ?? policy.redirectTargets
        let waiting = targets.isEmpty ? [] : sessions.values.filter(\.followsRedirects)
        draining = Drain(
            targets: targets, began: sessions.count, deadline: now + span,
            waiting: waiting.sorted { $0.established > $1.established }.map(\.id), now: now)
        output.events.append(
            GatewayDraining(
                sessions: UInt64(sessions.count), redirected: UInt64(waiting.count),
                deadlineMilliseconds: span.milliseconds,
                targets: targets.isEmpty
                    ? nil : targets.map(\.description).joined(separator: ", ")))
        continueDrain(at: now, &output)
    }

    /// Lets users in again. Who has left stays away.
    ///
    /// - Returns: whether there was anything to cancel.
    package func cancelDrain(_ output: inout Output) -> Bool {
        guard draining != nil else { return false }
        draining = nil
        output.events.append(GatewayDrainEnded(cause: .cancelled, left: UInt64(sessions.count)))
        return true
    }

    package func drainProgress(at now: Instant) -> DrainProgress? {
        draining.map {
            DrainProgress(
                sessions: $0.began, left: sessions.count,
                remaining: $0.isOver ? .zero : max($0.deadline - now, .zero), targets: $0.targets)
        }
    }

    /// Asks the next sessions to leave; ends what is left when the time is over.
    func continueDrain(at now: Instant, _ output: inout Output) {
        guard var drain = draining, !drain.isOver, drain.next <= now else { return }
        let portion = drain.waiting.suffix(Drain.portion)
        drain.waiting.removeLast(portion.count)
        drain.next =
            drain.waiting.isEmpty ? drain.deadline : min(now + Drain.pace, drain.deadline)
        draining = drain
        if drain.deadline <= now {
            for session in sessions.values.sorted(by: { $0.established < $1.established }) {
                guard let sa = sas[session.ikeSPI] else { continue }
                end(sa, .drained, tellingPeer: true, at: now, &output)
            }
        } else {
            for id in portion.reversed() {
                guard let session = sessions[id], let sa = sas[session.ikeSPI] else { continue }
                session.redirected = now
                request(.redirect, of: sa, at: now, &output)
                schedule(sa)
            }
        }
        finishDrain(&output)
        if draining?.isOver == false { scheduleDrain(drain.next) }
    }

    /// The drain is over when nobody is left; the gateway stays closed until it is cancelled.
    func finishDrain(_ output: inout Output) {
        guard let drain = draining, !drain.isOver, sessions.isEmpty else { return }
        draining?.isOver = true
        output.events.append(GatewayDrainEnded(cause: .finished, left: 0))
    }

    /// What a drained gateway says to somebody new (RFC 5685 §3): nothing, if there is nowhere to
    /// go or the peer could not follow.
    func redirect(_ payloads: [AnyPayload]) -> NotifyPayload? {
        guard payloads.followsRedirects, let nonce = payloads.nonce else { return nil }
        return draining?.nextTarget()?.redirect(nonce: nonce.bytes)
    }
}

extension [AnyPayload] {
    /// An IKE_SA_INIT request whose sender goes where a REDIRECT sends it (RFC 5685 §3); who comes
    /// from another gateway says so by that.
    var followsRedirects: Bool { has(.redirectSupported) || has(.redirectedFrom) }
}
