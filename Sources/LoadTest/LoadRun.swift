import Clocks
import Crypto
import DequeModule
import ESP
import Engine
package import Gateway
import Synchronization
import Vocabulary

/// Simulated clients that put a load on a gateway: thousands of them in one engine on one thread,
/// told apart by their SPIs.
package final class LoadRun: Sendable {
    private let plan: LoadPlan
    private let state = Mutex(State())
    private let worker: Mutex<Worker?>

    private struct State {
        var isStopping = false
        var isOver = false
        var report = LoadReport()
    }

    /// Starts at once.
    ///
    /// - Throws: ``GatewayError`` if the system gives no sockets or no thread.
    package init(_ plan: LoadPlan) throws(GatewayError) {
        self.plan = plan
        worker = Mutex(nil)
        let sockets = Carried(
            try LoadSockets(plan.ports, towards: plan.gateway, natPort: plan.natPort))
        let started = try Worker(named: "load") { [self] in run(sockets.value) }
        worker.withLock { $0 = started }
    }

    package var report: LoadReport { state.withLock(\.report) }

    /// All is done, or the time is over, and everybody has logged out.
    package var isOver: Bool { state.withLock(\.isOver) }

    /// Logs everybody out and waits for the end; a few seconds at most.
    package func stop() {
        state.withLock { $0.isStopping = true }
        worker.withLock { $0 }?.join()
    }

    private func run(_ sockets: LoadSockets) {
        switch plan.kind {
        case .churn, .hold:
            let clients = LoadClients(plan, sockets, at: SystemClock.now)
            drive(clients.turn)
            // As long as it takes to send thousands of Deletes.
            let patience = SystemClock.now + .seconds(5)
            while clients.logOutSome(), SystemClock.now < patience {}
            // The gateway counts the logins that were under way when the time was over; so do we.
            state.withLock { $0.report = clients.report }
        case .flood:
            let flood = InitFlood(plan, sockets, at: SystemClock.now)
            drive(flood.turn)
        }
        state.withLock { $0.isOver = true }
    }

    private func drive(_ turn: (Instant) -> LoadReport) {
        let end = SystemClock.now + plan.duration
        while !state.withLock(\.isStopping) {
            let now = SystemClock.now
            guard now < end else { return }
            let report = turn(now)
            state.withLock { $0.report = report }
        }
    }
}

/// Carries the sockets to the thread that uses them; nobody else does.
private struct Carried: @unchecked Sendable {
    let value: LoadSockets
    init(_ value: LoadSockets) { self.value = value }
}

/// When attempts are due, at a steady rate or at once.
struct Pace {
    private let began: Instant
    private let rate: Double?
    private var begun = 0

    init(_ rate: Double?, from now: Instant) {
        self.rate = rate
        began = now
    }

    /// When the next attempt was due; nil if that is yet to come.
    mutating func next(at now: Instant) -> Instant? {
        guard let rate else {
            begun += 1
            return now
        }
        let due = began + .nanoseconds(Int64(Double(begun) / rate * 1e9))
        guard due <= now else { return nil }
        begun += 1
        return due
    }
}

/// The clients of a load that log in.
final class LoadClients {
    private let plan: LoadPlan
    private let sockets: LoadSockets
    private let engine: Engine
    private let began: Instant
    private var pace: Pace
    private var output = Output()
    private(set) var report = LoadReport()
    /// Logins under way, and when they were due.
    private var waiting: [ConnectionHandle: Instant] = [:]
    /// Sessions that are up, oldest first; those that ended are passed over.
    private var order: Deque<SessionID> = []
    private var up: [ConnectionHandle: SessionID] = [:]
    private var handles: [SessionID: ConnectionHandle] = [:]
    private var isLeaving = false

    init(_ plan: LoadPlan, _ sockets: LoadSockets, at now: Instant) {
        self.plan = plan
        self.sockets = sockets
        began = now
        pace = Pace(plan.rate, from: now)
        var policy = EnginePolicy(connections: [])
        policy.timing.linger = .seconds(4)
        engine = Engine(policy, dataplane: Tunnels(), random: SystemRandom())
    }

    /// One turn of the loop: begin what is due, send, wait, receive.
    @discardableResult
    func turn(at now: Instant) -> LoadReport {
        if !isLeaving { begin(at: now) }
        carryOut(at: now)
        sockets.flush()
        sockets.wait(milliseconds: 1)
        let now = SystemClock.now
        sockets.receive { message, path in
            engine.receive(message, on: path, at: now, &output)
        }
        if let deadline = engine.nextDeadline, deadline <= now { engine.expire(at: now, &output) }
        carryOut(at: now)
        report.waiting = waiting.count
        guard !isLeaving else { return report }
        report.elapsed = now - began
        report.up = up.count
        report.isComplete =
            plan.kind == .hold && report.attempts >= plan.sessions && waiting.isEmpty
        return report
    }

    private func begin(at now: Instant) {
        while waiting.count < plan.parallel,
            plan.kind != .hold || report.attempts < plan.sessions,
            let due = pace.next(at: now)
        {
            let number = report.attempts
            let natGateway = Endpoint(plan.gateway.address, plan.natPort)
            report.attempts += 1
            let handle = engine.connect(
                plan.policy(number: number), on: sockets.path(of: number, to: plan.gateway),
                natPath: sockets.path(of: number, to: natGateway), at: now, &output)
            if let handle { waiting[handle] = due }
        }
    }

    private func carryOut(at now: Instant) {
        for notice in output.notices { take(notice, at: now) }
        while !isLeaving, up.count > plan.sessions, let oldest = order.popFirst() {
            guard let handle = handles[oldest] else { continue }
            forget(handle)
            report.logouts += 1
            _ = engine.terminate(oldest, at: now, &output)
        }
        for transmit in output.transmits { sockets.send(transmit.bytes, on: transmit.path) }
        output.clear()
    }

    private func take(_ notice: Notice, at now: Instant) {
        switch notice {
        case .connected(let handle, let session, _):
            guard let due = waiting.removeValue(forKey: handle) else { return }
            up[handle] = session
            handles[session] = handle
            order.append(session)
            report.logins += 1
            report.lastLogin = now - began
            report.latencies.add(
                microseconds: UInt64(clamping: (now - due).nanoseconds / 1_000))
        case .failed(let handle, let reason):
            if waiting.removeValue(forKey: handle) != nil {
                report.failures[reason, default: 0] += 1
            }
        case .closed(let handle, _):
            guard up[handle] != nil else { return }
            forget(handle)
            report.lost += 1
        case .redirected: break
        }
    }

    private func forget(_ handle: ConnectionHandle) {
        guard let session = up.removeValue(forKey: handle) else { return }
        handles[session] = nil
    }

    /// Begins nothing more and ends sessions a few at a time, so that neither end's socket
    /// overflows; logins that are under way end first.
    ///
    /// - Returns: whether there are more.
    func logOutSome() -> Bool {
        isLeaving = true
        for _ in 0..<64 {
            guard let oldest = order.popFirst() else { break }
            guard let handle = handles[oldest] else { continue }
            forget(handle)
            _ = engine.terminate(oldest, at: SystemClock.now, &output)
        }
        turn(at: SystemClock.now)
        return !order.isEmpty || !waiting.isEmpty
    }
}
