import Dispatch
import Foundation
import Logging
import Synchronization
import Vocabulary

/// Tells one receiver, on a thread of its own, so that a receiver that hangs delays no other.
final class Courier: Sendable {
    private struct State {
        var outbox = Outbox()
        var failures: UInt64 = 0
        /// When to give up, once told to stop.
        var end: Instant?
    }

    private static let timeout = Duration.seconds(5)

    private let receiver: Receiver
    private let encode: @Sendable ([Alert]) throws -> [UInt8]
    private let log: Logger
    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(
        to receiver: Receiver, log: Logger, encode: @escaping @Sendable ([Alert]) throws -> [UInt8]
    ) {
        self.receiver = receiver
        self.log = log
        self.encode = encode
    }

    var failures: UInt64 { state.withLock(\.failures) }

    func start() {
        let thread = Thread { [self] in
            run()
            ended.signal()
        }
        thread.name = "weir-alerts"
        thread.start()
    }

    func post(_ alert: Alert) {
        let taken = state.withLock { state in
            let taken = state.outbox.put(alert, at: .now)
            if !taken { state.failures += 1 }
            return taken
        }
        if !taken {
            log.warning("alerts: \(receiver.name) has too many alerts waiting; one is lost")
        }
        changed.signal()
    }

    /// Asks the thread to send what is due and end.
    func stop(by end: Instant) {
        state.withLock { $0.end = end }
        changed.signal()
    }

    /// - Returns: false if the thread is still busy at `end`; it ends by itself then.
    func wait(until end: Instant) -> Bool {
        let outcome = ended.wait(timeout: DispatchTime(uptimeNanoseconds: end.nanoseconds))
        if outcome == .success { ended.signal() }
        return outcome == .success
    }

    private func run() {
        guard let client = HTTPClient() else {
            state.withLock { $0.failures += 1 }
            return log.error("alerts: libcurl did not start; \(receiver.name) hears nothing")
        }
        while true {
            let (batch, end, deadline) = state.withLock { state in
                let batch = state.outbox.next(at: .now, hurry: state.end != nil)
                return (batch, state.end, state.outbox.deadline)
            }
            if let end, batch == nil || Instant.now >= end { return }
            if let batch {
                let time = end.map { min(Self.timeout, $0 - .now) } ?? Self.timeout
                let delivered = deliver(batch, with: client, within: time)
                if end != nil, !delivered { return }
            } else {
                sleep(until: deadline)
            }
        }
    }

    private func sleep(until deadline: Instant?) {
        let time = deadline.map { DispatchTime(uptimeNanoseconds: $0.nanoseconds) }
        _ = changed.wait(timeout: time ?? .distantFuture)
    }

    /// - Returns: false if the receiver has yet to be told.
    private func deliver(
        _ batch: Outbox.Batch, with client: borrowing HTTPClient, within timeout: Duration
    ) -> Bool {
        let outcome: HTTPClient.Outcome
        do {
            outcome = client.post(try encode(batch.alerts), to: receiver.url, timeout: timeout)
        } catch {
            outcome = .refused(status: 0)
        }
        let failedBefore = state.withLock { $0.outbox.isFailing }
        switch outcome {
        case .accepted:
            state.withLock { $0.outbox.delivered(batch, at: .now) }
            if failedBefore { log.info("alerts: \(receiver.name) answers again") }
            return true
        case .refused(let status):
            state.withLock { state in
                state.failures += 1
                state.outbox.delivered(batch, at: .now)
            }
            log.error("alerts: \(receiver.name) refused a notification with HTTP status \(status)")
            return true
        case .failed(let reason):
            state.withLock { state in
                state.failures += 1
                state.outbox.failed(at: .now)
            }
            if !failedBefore {
                log.warning("alerts: cannot reach \(receiver.name): \(reason); trying again")
            }
            return false
        }
    }
}

extension Instant {
    /// On the clock of `DispatchTime`, which never steps.
    static var now: Instant { Instant(nanoseconds: DispatchTime.now().uptimeNanoseconds) }
}
