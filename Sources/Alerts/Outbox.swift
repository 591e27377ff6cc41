import Vocabulary

/// What one receiver has yet to be told, and when to try. Knows nothing of sockets.
///
/// It keeps the newest state of each alert and not a queue of changes: a receiver that was away
/// hears what is true now. Active alerts are told again every minute, because Alertmanager takes
/// silence for an end. At most ``limit`` alerts are kept; more are refused.
struct Outbox: Sendable {
    static let limit = 1_024
    /// The most alerts in one request.
    static let batch = 64

    private static let interval = Duration.seconds(60)
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)

    private struct Entry: Sendable {
        var alert: Alert
        var due: Instant
        /// Told apart from the state that is under way to the receiver.
        var version: UInt64
    }

    /// What is under way: at most ``batch`` alerts.
    struct Batch: Sendable {
        let alerts: [Alert]
        fileprivate let versions: [Alert.Key: UInt64]
    }

    private var entries: [Alert.Key: Entry] = [:]
    private var nextVersion: UInt64 = 0
    private var pause: Duration?
    private var notBefore = Instant(nanoseconds: 0)

    var count: Int { entries.count }
    /// Whether the last attempt failed.
    var isFailing: Bool { pause != nil }

    /// - Returns: false if there is no room.
    mutating func put(_ alert: Alert, at time: Instant) -> Bool {
        guard entries[alert.key] != nil || entries.count < Self.limit else { return false }
        entries[alert.key] = Entry(alert: alert, due: time, version: nextVersion)
        nextVersion &+= 1
        return true
    }

    /// When there will be something to do; nil for not before another alert.
    var deadline: Instant? {
        entries.values.map(\.due).min().map { max($0, notBefore) }
    }

    /// What to send now, the longest due first; nil if nothing.
    ///
    /// - Parameter hurry: at the end, when there is no time to wait out a pause.
    func next(at time: Instant, hurry: Bool = false) -> Batch? {
        guard hurry || time >= notBefore else { return nil }
        let due = entries.values.filter { $0.due <= time }
            .sorted { ($0.due, $0.version) < ($1.due, $1.version) }.prefix(Self.batch)
        guard !due.isEmpty else { return nil }
        return Batch(
            alerts: due.map(\.alert),
            versions: Dictionary(due.map { ($0.alert.key, $0.version) }) { $1 })
    }

    /// The receiver has it. Ends are forgotten; what changed meanwhile stays due.
    mutating func delivered(_ batch: Batch, at time: Instant) {
        pause = nil
        notBefore = time
        for (key, version) in batch.versions where entries[key]?.version == version {
            if entries[key]?.alert.endsAt != nil {
                entries[key] = nil
            } else {
                entries[key]?.due = time + Self.interval
            }
        }
    }

    /// The receiver can't be told now: the next attempt is after a pause that doubles.
    mutating func failed(at time: Instant) {
        let next = pause.map { min($0 * 2, Self.longestPause) } ?? Self.firstPause
        pause = next
        notBefore = time + next
    }
}
