import Crypto
import ESP
import Engine
import Vocabulary

/// IKE_SA_INIT requests that nobody means to go on with. One real request is the model of all;
/// each has an SPI of its own, which costs next to nothing.
final class InitFlood {
    /// Sent in one turn at most, so that answers are taken, too.
    private static let batch = 256

    private let plan: LoadPlan
    private let sockets: LoadSockets
    private let random: any RandomSource
    private let began: Instant
    private let model: [UInt8]
    private var pace: Pace
    private var report = LoadReport()

    init(_ plan: LoadPlan, _ sockets: LoadSockets, at now: Instant) {
        self.plan = plan
        self.sockets = sockets
        random = SystemRandom()
        began = now
        pace = Pace(plan.rate, from: now)
        let engine = Engine(
            EnginePolicy(connections: []), dataplane: Tunnels(), random: SystemRandom())
        var output = Output()
        let path = sockets.path(of: 0, to: plan.gateway)
        _ = engine.connect(plan.policy(number: 0), on: path, natPath: path, at: now, &output)
        model = output.transmits.first?.bytes ?? []
    }

    func turn(at now: Instant) -> LoadReport {
        for _ in 0..<Self.batch {
            // Without a rate, no more than `parallel` are unanswered.
            guard report.attempts < plan.sessions,
                plan.rate != nil || report.attempts - report.answers < plan.parallel,
                pace.next(at: now) != nil
            else { break }
            var request = model
            for (index, byte) in random.bytes(8).enumerated() where index < request.count {
                request[index] = byte
            }
            sockets.send(request, on: sockets.path(of: report.attempts, to: plan.gateway))
            report.attempts += 1
        }
        sockets.flush()
        sockets.wait(milliseconds: 1)
        sockets.receive { message, _ in take(message) }
        report.elapsed = now - began
        report.up = report.answers - report.cookies
        report.isComplete = report.attempts >= plan.sessions
        return report
    }

    /// An answer's responder SPI is zero if the gateway made no SA of the request: it wants a
    /// cookie, or refuses (RFC 7296 §2.6).
    private func take(_ message: [UInt8]) {
        guard message.count >= 28 else { return }
        report.answers += 1
        if message[8..<16].allSatisfy({ $0 == 0 }) { report.cookies += 1 }
    }
}
