package import Alerts
import Clocks
import Dispatch
package import Exporter
import Foundation
package import Logging
package import Store
import Synchronization
package import Vocabulary

/// The one door for facts. Takes them from the gateway's threads, and on a thread of its own
/// counts, judges, discloses and keeps them, ten times a second.
///
/// Nothing here holds up the gateway: a store that fails costs records, at worst, and says so.
package final class Recorder: Sendable {
    private let sinks: Pipeline.Sinks
    private let unfinished: Unfinished
    private let version: String
    private let queues = Mutex<[FactQueue]>([])
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    private struct State {
        var isRunning = false
        var stopCause: StopCause?
        var activeAlerts: [ActiveAlert] = []
        var isStoreFailing = false
        /// When the thread last came round.
        var lastRound = Instant(nanoseconds: 0)
    }

    /// Between two rounds.
    private static let period = DispatchTimeInterval.milliseconds(100)
    /// A thread that has not come round for so long is stuck.
    private static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - store: handed over; the recorder closes it.
    ///   - policy: what of a person reaches the store, the alerts and the metrics.
    ///   - notifier: told of alerts; not stopped by the recorder.
    ///   - version: Weir's, for `gateway_started`.
    ///   - userLimit: users with series of their own; 0 for no such series.
    package convenience init(
        store: Store, registry: Registry, policy: Disclosure, notifier: AlertmanagerNotifier?,
        version: String, logger: Logger, userLimit: Int = 0
    ) {
        self.init(
            Pipeline.Sinks(
                ledger: store, registry: registry, policy: policy,
                notify: { notifier?.post($0) },
                notificationFailures: { notifier?.failures ?? 0 }, logger: logger,
                userLimit: userLimit),
            unfinished: store.unfinished, version: version)
    }

    init(_ sinks: Pipeline.Sinks, unfinished: Unfinished, version: String) {
        self.sinks = sinks
        self.unfinished = unfinished
        self.version = version
    }

    /// A queue for one thread of the gateway.
    package func makeQueue(capacity: Int = 65_536) -> FactQueue {
        let queue = FactQueue(capacity: capacity)
        queues.withLock { $0.append(queue) }
        return queue
    }

    /// Records what a crash left open, then `gateway_started`, and goes to work. Once.
    package func start() {
        let isFirst = state.withLock { state in
            defer {
                state.isRunning = true
                state.lastRound = ClockReading.now.instant
            }
            return !state.isRunning && state.stopCause == nil
        }
        guard isFirst else { return }
        let thread = Thread { [self] in run() }
        thread.name = "recorder"
        thread.start()
    }

    /// Records all that was queued before this call, then `gateway_stopped`, and closes the store.
    ///
    /// - Returns: false if that took longer than 10 s; it goes on by itself then.
    @discardableResult
    package func stop(cause: StopCause) -> Bool {
        let (isRunning, isFirst) = state.withLock { state in
            defer { state.stopCause = state.stopCause ?? cause }
            return (state.isRunning, state.stopCause == nil)
        }
        guard isRunning else {
            if isFirst { sinks.ledger.close() }
            return true
        }
        wake.signal()
        let isOver = ended.wait(timeout: .now() + .seconds(10)) == .success
        if isOver { ended.signal() }  // for whoever else waits
        return isOver
    }

    /// Whether facts are recorded: the thread comes round and the store takes them.
    package var isHealthy: Bool {
        state.withLock {
            $0.isRunning && $0.stopCause == nil && !$0.isStoreFailing
                && ClockReading.now.instant - $0.lastRound < Self.patience
        }
    }

    /// Oldest first.
    package var activeAlerts: [ActiveAlert] { state.withLock(\.activeAlerts) }

    private func run() {
        let now = ClockReading.now
        var pipeline = Pipeline(sinks, at: now)
        pipeline.begin(after: unfinished, version: version, at: now)
        while true {
            // Before the queues: what was queued before stop() was called is recorded.
            let stopCause = state.withLock(\.stopCause)
            let (facts, lost) = collect()
            pipeline.step(facts, lost: lost, at: .now)
            if let stopCause { pipeline.end(stopCause, at: .now) }
            state.withLock {
                $0.activeAlerts = pipeline.alerts.active
                $0.isStoreFailing = pipeline.backlog.isFailing
                $0.lastRound = ClockReading.now.instant
            }
            if stopCause != nil { break }
            _ = wake.wait(timeout: .now() + Self.period)
        }
        ended.signal()
    }

    /// In the order of time, as far as the queues' producers keep it.
    private func collect() -> (facts: [Fact], lost: [String: UInt64]) {
        let queues = queues.withLock { $0 }
        var facts: [Fact] = []
        var lost: [String: UInt64] = [:]
        for queue in queues {
            queue.drain(into: &facts)
            queue.takeLosses(into: &lost)
        }
        guard queues.count > 1 else { return (facts, lost) }
        let order = facts.indices.sorted {
            (facts[$0].instant, $0) < (facts[$1].instant, $1)
        }
        return (order.map { facts[$0] }, lost)
    }
}
