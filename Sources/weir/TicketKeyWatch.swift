import Dispatch
import Engine
import Foundation
import Gateway
import Logging
import Settings

/// Keeps the keys of tickets: reads their file once a minute, so that another gateway's new key is
/// known here, and makes a new one when the newest is too old. A file that is wrong changes
/// nothing, and is told of in the log.
final class TicketKeyWatch: Sendable {
    let policy: ResumptionPolicy
    private let file: TicketKeyFile
    private let logger: Logger
    private let over = DispatchSemaphore(value: 0)

    /// - Throws: ``Failure`` with the file, line and remedy.
    init(_ settings: Configuration.Resumption, logger: Logger) throws(Failure) {
        file = TicketKeyFile(settings)
        self.logger = logger
        do throws(SecretError) {
            let keys = try file.keys(at: Self.now)
            var policy = ResumptionPolicy(
                vault: SharedTicketBook(TicketBook(keys)), lifetime: settings.lifetime)
            policy.silentStop = settings.silentStop
            self.policy = policy
        } catch {
            throw .misuse(settings.ticketKeys.problem(error.reason))
        }
    }

    func start() {
        let thread = Thread { [self] in
            while over.wait(timeout: .now() + .seconds(60)) == .timedOut { look() }
        }
        thread.name = "tickets"
        thread.start()
    }

    func stop() { over.signal() }

    private func look() {
        do throws(SecretError) {
            let keys = try file.keys(at: Self.now)
            policy.vault.with { $0.keys = keys }
        } catch {
            logger.error(
                "the keys of tickets can't be read; the old ones hold",
                metadata: ["reason": "\(error.reason)"])
        }
    }

    /// Seconds since the Unix epoch.
    private static var now: UInt64 { UInt64(max(0, Date().timeIntervalSince1970)) }
}
