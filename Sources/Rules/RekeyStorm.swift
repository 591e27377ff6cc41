package import Vocabulary

/// Many more rekeys than the lifetimes of the Child SAs explain.
///
/// A Child SA with a lifetime of T is rekeyed once in T, so over a window the number to expect is
/// the integral of the sum of 1/T over the Child SAs in place. IKE SA rekeys are observed and not
/// expected: they are a few in a hundred, and the threshold has room for them.
package struct RekeyStorm: Rule {
    package static let id = RuleID.rekeyStorm
    package static let meaning =
        "Keys are replaced far more often than their lifetimes ask for: a peer's lifetime is set "
        + "too short, two ends rekey each other in a circle, or somebody wears the gateway down."
    package static let runbook =
        "List the sessions with the most rekeys. If one peer begins them all, compare its "
        + "lifetimes with the connection's. If both ends begin them, look for rekeys in pairs of "
        + "the same second. If a whole fleet does, look for a change of its configuration, or a "
        + "mass reconnect one lifetime ago, which passes by itself."

    static let minimum: UInt64 = 30
    private static let calm = Duration.seconds(Int64(SlidingWindow.seconds))
    /// Rates are whole numbers of this part of a rekey per millisecond, so that a million
    /// additions and subtractions leave nothing behind.
    private static let unit: UInt64 = 1_000_000_000_000

    /// The most Child SAs that it knows.
    private let childLimit: Int
    private var window = SlidingWindow()
    private var rates: [ChildID: UInt64] = [:]
    private var rate: UInt64 = 0
    /// Child SAs that came when `rates` was full. Their rekeys are observed and not expected.
    private(set) var untracked: UInt64 = 0
    private var now: Instant?
    private var firing: Severity?
    /// Since when it has been calm, while firing.
    private var calmSince: Instant?

    package init() {
        self.init(childLimit: 1_000_000)
    }

    init(childLimit: Int) {
        self.childLimit = childLimit
    }

    package mutating func observe(_ event: any Event, at time: Instant) -> [Verdict] {
        switch event {
        case let event as ChildSAInstalled:
            advance(to: time)
            install(event.child.clear, lifetime: event.lifetimeMilliseconds.clear)
        case let event as ChildSAClosed:
            advance(to: time)
            remove(event.child.clear)
        case let event as ChildSARekeyed:
            advance(to: time)
            inherit(event.successor.clear, from: event.retired.clear)
            window.add(rekeys: 1)
            return judge()
        case is IKESARekeyed:
            advance(to: time)
            window.add(rekeys: 1)
            return judge()
        case is GatewayStarted:
            advance(to: time)
            forgetChildren()
        default: break
        }
        return []
    }

    package mutating func tick(_ tick: Tick, at time: Instant) -> [Verdict] {
        advance(to: time)
        return judge()
    }

    /// Adds up what was to be expected since the last fact, second by second.
    private mutating func advance(to time: Instant) {
        guard let last = now else {
            now = time
            return window.advance(to: time)
        }
        guard time > last else { return }
        let perSecond = Double(rate) / Double(Self.unit) * 1_000
        var from = max(last, time + .seconds(-Int64(SlidingWindow.seconds)))
        while from < time {
            let second = Instant(nanoseconds: from.nanoseconds / 1_000_000_000 * 1_000_000_000)
            let to = min(time, second + .seconds(1))
            window.advance(to: from)
            window.add(expected: perSecond * (to - from).seconds)
            from = to
        }
        window.advance(to: time)
        now = time
    }

    private mutating func judge() -> [Verdict] {
        guard let now else { return [] }
        let seen = window.rekeys
        let expected = window.expected
        if let severity = severity(seen, expected), severity != firing, firing != .critical {
            let again = firing != nil
            firing = severity
            calmSince = nil
            let finding = Finding(
                rule: Self.id, severity: severity, subject: Personal(nil),
                evidence: evidence(seen, expected))
            return (again ? [over] : []) + [.fires(finding)]
        }
        guard firing != nil else { return [] }
        guard seen < Self.minimum / 2 || Double(seen) < 1.5 * expected else {
            calmSince = nil
            return []
        }
        let since = calmSince ?? now
        calmSince = since
        guard now - since >= Self.calm else { return [] }
        firing = nil
        calmSince = nil
        return [over]
    }

    private var over: Verdict { .resolves(rule: Self.id, subject: Personal(nil)) }

    private func severity(_ seen: UInt64, _ expected: Double) -> Severity? {
        guard seen >= Self.minimum, Double(seen) > 3 * expected else { return nil }
        return Double(seen) > 10 * expected ? .critical : .warning
    }

    private func evidence(_ seen: UInt64, _ expected: Double) -> String {
        let tenths = UInt64(exactly: (expected * 10).rounded()) ?? .max
        let more = untracked == 0 ? "" : " and \(untracked) more that were not tracked"
        return "\(seen) rekeys in \(SlidingWindow.seconds) s, \(tenths / 10).\(tenths % 10) "
            + "expected of \(rates.count) Child SAs\(more)"
    }
}

/// The Child SAs in place.
extension RekeyStorm {
    /// How many Child SAs it knows.
    var tracked: Int { rates.count }

    /// A lifetime of zero is none: such a Child SA is never due.
    private mutating func install(_ child: ChildID, lifetime milliseconds: UInt64) {
        set(child, rate: milliseconds == 0 ? 0 : Self.unit / milliseconds)
    }

    /// The successor of a rekey lives as long as its ancestor, until its own installation says
    /// otherwise.
    private mutating func inherit(_ successor: ChildID, from retired: ChildID) {
        guard rates[successor] == nil, let rate = rates[retired] else { return }
        set(successor, rate: rate)
    }

    private mutating func set(_ child: ChildID, rate new: UInt64) {
        if let old = rates[child] {
            rate -= old
        } else if rates.count >= childLimit {
            untracked += 1
            return
        }
        rates[child] = new
        rate += new
    }

    private mutating func remove(_ child: ChildID) {
        if let old = rates.removeValue(forKey: child) {
            rate -= old
        } else if untracked > 0 {
            untracked -= 1
        }
    }

    /// Numbers of Child SAs mean nothing across a start.
    private mutating func forgetChildren() {
        rates.removeAll()
        rate = 0
        untracked = 0
    }
}
