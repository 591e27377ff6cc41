import Clocks
package import Gateway
import Glibc
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
        var goesOn = false
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

    /// Lets clients come back; see ``LoadPlan/waits``.
    package func goOn() { state.withLock { $0.goesOn = true } }

    /// Logs everybody out and waits for the end; a few seconds at most.
    package func stop() {
        state.withLock { $0.isStopping = true }
        worker.withLock { $0 }?.join()
    }

    private func run(_ sockets: LoadSockets) {
        switch plan.kind {
        case .churn, .hold, .resume:
            let clients = LoadClients(plan, sockets, at: SystemClock.now)
            drive(clients.turn)
            if plan.kind == .resume { comeBack(clients) }
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
            if plan.kind == .resume, report.isComplete { return }
        }
    }

    /// The second half of ``LoadPlan/Kind/resume``.
    private func comeBack(_ clients: LoadClients) {
        guard clients.report.isComplete else { return }
        clients.leaveSilently()
        state.withLock { $0.report = clients.report }
        while plan.waits, !state.withLock({ $0.goesOn || $0.isStopping }) {
            usleep(10_000)
        }
        clients.comeBack(at: SystemClock.now)
        drive(clients.turn)
        clients.endPart()
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
