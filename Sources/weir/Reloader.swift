import Clocks
import Engine
import Gateway
import Logging
import Settings
import Synchronization
import Vocabulary

/// Reads the configuration of a running gateway again, at SIGHUP and `weir reload`. No session is
/// dropped, and a configuration that can't be followed whole changes nothing.
final class Reloader: Sendable {
    private let gateway: Shards
    private let file: String
    private let sink: any FactSink
    private let logger: Logger
    /// The one that is followed. Whoever reloads holds it to the end.
    private let current: Mutex<Configuration>

    /// - Parameters:
    ///   - file: as the user named it.
    ///   - sink: for this alone.
    init(
        _ configuration: Configuration, file: String, gateway: Shards, sink: any FactSink,
        logger: Logger
    ) {
        self.gateway = gateway
        self.file = file
        self.sink = sink
        self.logger = logger
        current = Mutex(configuration)
    }

    /// Waits for the gateway, two seconds at most.
    ///
    /// - Returns: the changes, or the lines that say what to mend.
    @discardableResult
    func reload() -> Gateway.Answer {
        current.withLock { current in
            do throws(Refusal) {
                let new = try load()
                let changes = try follow(new, instead: current)
                current = new
                announce(changes)
                return .reloaded(changes.map(\.line))
            } catch {
                sink.record(ConfigReloadRefused(reason: error.reason), at: SystemClock.now)
                logger.error("reload refused", metadata: ["reason": "\(error.lines)"])
                return .refused(error.lines)
            }
        }
    }

    private struct Refusal: Error {
        let reason: ReloadRefusal
        let lines: String
    }

    private func load() throws(Refusal) -> Configuration {
        do throws(SettingsError) {
            return try Configuration.load(path: file)
        } catch {
            throw Refusal(reason: .invalid, lines: error.description)
        }
    }

    private func follow(
        _ new: Configuration, instead old: Configuration
    ) throws(Refusal) -> [Change] {
        let changes = old.changes(to: new)
        let fixed = changes.filter { !$0.isLive }
        guard fixed.isEmpty else {
            throw Refusal(
                reason: .needsRestart,
                lines: fixed.map(\.problem.description).joined(separator: "\n"))
        }
        switch gateway.adopt(new.shares, insteadOf: old.shares) {
        case .adopted: return changes
        case .notAdopted(.policy(.poolInUse(let name, let lent))):
            throw Refusal(
                reason: .inUse,
                lines: "\(file): pools[\(name)].addresses: \(lent) of the addresses that it would "
                    + "lose are lent; wait until their sessions end, or end them with "
                    + "`weir terminate`")
        case .notAdopted(.route(let error)):
            throw Refusal(reason: .failed, lines: error.description)
        default:
            throw Refusal(
                reason: .failed, lines: "the gateway does not answer; is it stopping?")
        }
    }

    private func announce(_ changes: [Change]) {
        let lines = changes.map(\.line).joined(separator: "\n")
        let difference = String(decoding: lines.utf8.prefix(4_096), as: UTF8.self)
        sink.record(
            ConfigReloaded(changes: UInt64(changes.count), difference: difference),
            at: SystemClock.now)
        logger.notice(
            "reloaded", metadata: ["changes": "\(changes.count)", "difference": "\(difference)"])
    }
}
