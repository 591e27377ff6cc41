import Alerts
import Clocks
import Exporter
import Logging
import Rules
import Store
import Vocabulary

/// What happens to facts, in order: rules see them raw, the registry counts them, the disclosure
/// policy strips them, the ledger keeps them. Knows no thread and no clock.
struct Pipeline: Sendable {
    struct Sinks: Sendable {
        let ledger: any Ledger
        let registry: Registry
        let policy: Disclosure
        let notify: @Sendable (Alert) -> Void
        /// Notifications that did not reach their receiver.
        let notificationFailures: @Sendable () -> UInt64
        let logger: Logger
        /// Users with series of their own; 0 for no such series.
        var userLimit = 0
    }

    private let sinks: Sinks
    private var clock: WallClock
    private var detector = Detector()
    private var coalescer = Coalescer()
    private(set) var backlog = Backlog()
    private(set) var alerts = AlertBook()

    private var increments: [Increment] = []
    private var observations: [Observation] = []
    private var users: UserBook
    private var eventsRecorded: UInt64 = 0
    private var writeSeconds = 0.0
    private var storeErrors: UInt64 = 0
    /// Why the store takes nothing, as the log was told; nil while it does.
    private var toldError: StoreError?
    /// Failed deletions that the log has been told of.
    private var toldRetentionFailures: UInt64 = 0
    /// The write-ahead log's size that is told of next.
    private var nextLogBytes = Self.remarkableLogBytes
    private static let remarkableLogBytes: UInt64 = 64 << 20

    init(_ sinks: Sinks, at now: ClockReading) {
        self.sinks = sinks
        clock = WallClock(now)
        users = UserBook(limit: sinks.userLimit, policy: sinks.policy)
    }

    /// Records the ends that a crash left out, and the beginning of this run.
    mutating func begin(after unfinished: Unfinished, version: String, at now: ClockReading) {
        clock = WallClock(now)
        for event in endings(of: unfinished, at: now.wall) { record(event, at: now.instant) }
        if !unfinished.isEmpty {
            sinks.logger.notice(
                "the last run did not end properly; its ends are recorded as crashes",
                metadata: ["sessions": "\(unfinished.sessions.count)"])
        }
        record(GatewayStarted(version: version), at: now.instant)
        write(now: nil)
        publish(queued: 0, at: now.wall)
    }

    /// Takes what came since the last step.
    ///
    /// - Parameters:
    ///   - lost: by kind, what the queues had no room for.
    mutating func step(_ facts: [Fact], lost: [String: UInt64] = [:], at now: ClockReading) {
        if let step = clock.observe(now) {
            record(ClockStepped(stepMilliseconds: step.nanoseconds / 1_000_000), at: now.instant)
        }
        let oldest = [backlog.oldest, facts.first?.instant].compactMap(\.self).min()
        let begun = ContinuousClock.now
        for fact in facts {
            take(fact)
            if backlog.count >= Backlog.batch { write(now: now.instant) }
        }
        keep(coalescer.release(at: now.instant))
        recordLosses(lost, at: now.instant)
        if !backlog.isFailing { recordLosses(backlog.takeDropped(), at: now.instant) }
        write(now: now.instant)
        watchStore(at: now.instant)
        let waited = oldest.map { max(.zero, now.instant - $0) + (ContinuousClock.now - begun) }
        sinks.registry.set(.recorderLag, to: waited?.seconds ?? 0)
        publish(queued: facts.count, at: now.wall)
    }

    /// Records the end of this run and everything that waits, and closes the ledger.
    mutating func end(_ cause: StopCause, at now: ClockReading) {
        keep(coalescer.release())
        record(GatewayStopped(cause: cause), at: now.instant)
        write(now: nil)
        if !backlog.isFailing || backlog.count == 0, !backlog.dropped.isEmpty {
            recordLosses(backlog.takeDropped(), at: now.instant)
            write(now: nil)
        }
        publish(queued: 0, at: now.wall)
        if backlog.count > 0 {
            sinks.logger.error(
                "facts are lost, because the store did not take them before the end",
                metadata: ["facts": "\(backlog.count)"])
        }
        sinks.ledger.close()
    }

    private mutating func take(_ fact: Fact) {
        switch fact {
        case .event(let event, let instant):
            count(event)
            users.observe(event)
            if let event = event.coalescing {
                keep(coalescer.add(event, at: instant))
            } else {
                keep(event, at: instant)
            }
            act(on: detector.observe(event, at: instant), at: instant)
        case .tick(let tick, let instant):
            sinks.registry.update(tick, at: instant)
            users.observe(tick)
            backlog.add(
                RecordedTick(at: clock.timestamp(of: instant), instant: instant, tick: tick))
            act(on: detector.tick(tick, at: instant), at: instant)
        }
    }

    private mutating func act(on verdicts: [Verdict], at instant: Instant) {
        for verdict in verdicts {
            let time = clock.timestamp(of: instant)
            switch verdict {
            case .fires(let finding):
                let shown = finding.subject.datum(under: sinks.policy)
                let alert = alerts.add(finding, shownAs: shown, at: time)
                record(
                    AlertFired(
                        rule: finding.rule, severity: finding.severity, subject: finding.subject,
                        evidence: finding.evidence),
                    at: instant)
                sinks.notify(alert.notice())
            case .resolves(let rule, let subject):
                record(AlertResolved(rule: rule, subject: subject), at: instant)
                if let ended = alerts.remove(rule, subject) {
                    sinks.notify(ended.notice(endedAt: time))
                }
            }
        }
    }

    private mutating func recordLosses(_ lost: [String: UInt64], at instant: Instant) {
        for (kind, count) in lost.sorted(by: { $0.key < $1.key }) {
            record(EventsLost(kind: kind, count: count), at: instant)
        }
    }

    /// An event of the recorder's own.
    private mutating func record(_ event: any Event, at instant: Instant) {
        count(event)
        keep(event, at: instant)
    }

    private mutating func count(_ event: any Event) {
        increments += event.increments
        observations += event.observations
    }

    private mutating func keep(_ events: [Coalescer.Timed]) {
        for timed in events { keep(timed.event, at: timed.instant) }
    }

    /// The only way to the ledger, and through the disclosure policy.
    private mutating func keep(_ event: any Event, at instant: Instant) {
        let recorded = RecordedEvent(
            at: clock.timestamp(of: instant), instant: instant,
            event: event.disclosed(under: sinks.policy))
        backlog.add(recorded, weight: weight(of: event))
    }

    private mutating func write(now: Instant?) {
        let wasFailing = backlog.isFailing
        let started = ContinuousClock.now
        let outcome = backlog.write(to: sinks.ledger, now: now)
        switch outcome {
        case .idle: return
        case .wrote(let events):
            eventsRecorded &+= UInt64(events)
            if wasFailing { sinks.logger.notice("the store takes facts again") }
            toldError = nil
        case .failed(let error):
            storeErrors &+= 1
            if toldError?.isAlike(error) != true {
                toldError = error
                sinks.logger.error(
                    "the store takes no facts; they wait in memory and the gateway goes on",
                    metadata: ["reason": "\(error)"])
            }
        }
        writeSeconds += (ContinuousClock.now - started).seconds
    }

    /// Tells what the store can't help by itself.
    private mutating func watchStore(at instant: Instant) {
        let failures = sinks.ledger.retentionFailures
        if failures.count > 0, toldRetentionFailures == 0, let reason = failures.latest {
            sinks.logger.error(
                "the store can't delete what is too old; it is tried again at each tick",
                metadata: ["reason": "\(reason)"])
        }
        toldRetentionFailures = failures.count
        let bytes = sinks.ledger.logBytes
        guard bytes >= nextLogBytes else {
            if bytes < Self.remarkableLogBytes { nextLogBytes = Self.remarkableLogBytes }
            return
        }
        while nextLogBytes <= bytes, nextLogBytes < .max / 2 { nextLogBytes *= 2 }
        record(StoreLogPinned(logBytes: bytes), at: instant)
        sinks.logger.warning(
            "a reader keeps the store's write-ahead log from being folded: find it with `fuser`",
            metadata: ["bytes": "\(bytes)"])
    }

    private mutating func publish(queued: Int, at now: Timestamp) {
        let registry = sinks.registry
        registry.count(increments)
        registry.observe(observations, at: now)
        if !users.users.isEmpty {
            registry.update(users.users)
            registry.set(.usersOmitted, to: Double(users.omitted))
        }
        increments.removeAll(keepingCapacity: increments.count < 10_000)
        observations.removeAll(keepingCapacity: true)
        registry.set(.queueLength, to: Double(queued + backlog.count))
        registry.set(.eventsRecorded, to: Double(eventsRecorded))
        registry.set(.storeBytes, to: Double(sinks.ledger.sizeBytes))
        registry.set(.storeWriteSeconds, to: writeSeconds)
        registry.set(.storeErrors, to: Double(storeErrors))
        registry.set(.storeLogBytes, to: Double(sinks.ledger.logBytes))
        registry.set(.storeRetentionErrors, to: Double(toldRetentionFailures))
        registry.set(.notificationsFailed, to: Double(sinks.notificationFailures()))
        for (slot, rule) in RuleID.allCases.enumerated() {
            registry.set(.alertsFiring, slot: slot, to: Double(alerts.count(of: rule)))
        }
    }
}
