import Clocks
import Crypto
import DequeModule
import ESP
import Engine
import Glibc
import Vocabulary

/// The clients of a load that log in.
final class LoadClients {
    private let plan: LoadPlan
    private let sockets: LoadSockets
    private var engine: Engine
    private var began: Instant
    private var pace: Pace
    private var output = Output()
    private(set) var report = LoadReport()
    /// Logins under way, and when they were due.
    private var waiting: [ConnectionHandle: Instant] = [:]
    /// Sessions that are up, oldest first; those that ended are passed over.
    private var order: Deque<SessionID> = []
    private var up: [ConnectionHandle: SessionID] = [:]
    private var numbers: [ConnectionHandle: Int] = [:]
    private var handles: [SessionID: ConnectionHandle] = [:]
    private var isLeaving = false
    /// By the number of a client, whose place in it that is: with what it comes back.
    private var tickets: [ResumptionTicket?]?
    /// What the gateway's process had taken when this part began.
    private var processorTime: Duration?

    init(_ plan: LoadPlan, _ sockets: LoadSockets, at now: Instant) {
        self.plan = plan
        self.sockets = sockets
        began = now
        pace = Pace(plan.rate, from: now)
        engine = Self.newEngine()
        processorTime = processorTimeNow
    }

    private static func newEngine() -> Engine {
        var policy = EnginePolicy(connections: [])
        policy.timing.linger = .seconds(4)
        return Engine(policy, dataplane: Tunnels(), random: SystemRandom())
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
            plan.hasEnd && report.attempts >= plan.sessions && waiting.isEmpty
        return report
    }

    private func begin(at now: Instant) {
        while waiting.count < plan.parallel,
            !plan.hasEnd || report.attempts < plan.sessions,
            let due = pace.next(at: now)
        {
            let number = report.attempts
            let natGateway = Endpoint(plan.gateway.address, plan.natPort)
            report.attempts += 1
            let path = sockets.path(of: number, to: plan.gateway)
            let natPath = sockets.path(of: number, to: natGateway)
            let policy = plan.policy(number: number)
            let handle =
                if let ticket = tickets?[number] {
                    engine.resume(ticket, policy, on: path, natPath: natPath, at: now, &output)
                } else {
                    engine.connect(policy, on: path, natPath: natPath, at: now, &output)
                }
            if let handle {
                waiting[handle] = due
                numbers[handle] = number
            }
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
            if engine.isResumed(handle) { report.resumed += 1 }
            // It came after the time, and goes at once.
            if isLeaving { report.logouts += 1 }
            report.lastLogin = now - began
            report.latencies.add(
                microseconds: UInt64(clamping: (now - due).nanoseconds / 1_000))
        case .failed(let handle, let reason):
            if waiting.removeValue(forKey: handle) != nil {
                numbers[handle] = nil
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
        numbers[handle] = nil
        guard let session = up.removeValue(forKey: handle) else { return }
        handles[session] = nil
    }

    // MARK: Coming back

    /// The first part is over: all sessions are forgotten, as if the clients had crashed, but for
    /// their tickets.
    func leaveSilently() {
        var kept = [ResumptionTicket?](repeating: nil, count: plan.sessions)
        for (handle, number) in numbers where kept.indices.contains(number) {
            kept[number] = engine.ticket(of: handle)
        }
        tickets = kept
        endPart()
        engine = Self.newEngine()
        output.clear()
        (order, up, handles, numbers, waiting) = ([], [:], [:], [:], [:])
        report.away = kept.count { $0 != nil }
    }

    /// The second part begins.
    func comeBack(at now: Instant) {
        let parts = report.parts
        report = LoadReport()
        report.parts = parts
        began = now
        pace = Pace(plan.rate, from: now)
        processorTime = processorTimeNow
    }

    /// Adds what this part came to.
    func endPart() {
        let taken = processorTime.flatMap { before in processorTimeNow.map { $0 - before } }
        report.parts.append(
            LoadPart(
                attempts: report.attempts, logins: report.logins, resumed: report.resumed,
                failed: report.failed, latencies: report.latencies, processorTime: taken))
    }

    private var processorTimeNow: Duration? {
        plan.gatewayProcess.flatMap(processorTime(ofProcess:))
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

/// All the CPU time that a process has taken; nil if there is none of that number.
private func processorTime(ofProcess process: Int32) -> Duration? {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else {
        return nil
    }
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
