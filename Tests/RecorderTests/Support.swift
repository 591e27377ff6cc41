import Alerts
import Clocks
import Crypto
import Exporter
import Foundation
import Logging
import Store
import Synchronization
import Testing
import Vocabulary

@testable import Recorder

let epoch = ClockReading(
    instant: Instant(nanoseconds: 50_000_000_000),
    wall: Timestamp(nanoseconds: 1_795_000_000_000_000_000))

extension ClockReading {
    static func + (reading: Self, seconds: Double) -> Self {
        let span = Duration.seconds(seconds)
        return Self(
            instant: reading.instant + span,
            wall: Timestamp(nanoseconds: reading.wall.nanoseconds + span.nanoseconds))
    }
}

/// 00 01 02 … 1f.
let key = SharedSecret(SecretBytes(copying: Array(0..<32)))
let pseudonyms = Disclosure(pseudonymiser: KeyedPseudonymiser(key: key))

/// A ledger that keeps facts in memory, and fails when told to.
final class TestLedger: Ledger {
    struct State {
        var error: StoreError?
        var batches = 0
        var events: [RecordedEvent] = []
        var ticks: [RecordedTick] = []
        var isClosed = false
        var logBytes: UInt64 = 0
        var retentionFailures: UInt64 = 0
    }
    private let state = Mutex(State())

    func append(events: [RecordedEvent], ticks: [RecordedTick]) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            if let error = state.error {
                guard case .unknownEvent(let kind) = error else { throw error }
                if events.contains(where: { $0.event.kind == kind }) { throw error }
            }
            state.batches += 1
            state.events += events
            state.ticks += ticks
        }
    }

    var sizeBytes: UInt64 { 4_096 }
    var logBytes: UInt64 { state.withLock(\.logBytes) }
    var retentionFailures: (count: UInt64, latest: StoreError?) {
        state.withLock { ($0.retentionFailures, $0.retentionFailures > 0 ? .full(path: "p") : nil) }
    }
    func close() { state.withLock { $0.isClosed = true } }
    func setLogBytes(_ bytes: UInt64) { state.withLock { $0.logBytes = bytes } }
    func failToDelete() { state.withLock { $0.retentionFailures += 1 } }
    func fail(_ error: StoreError?) { state.withLock { $0.error = error } }
    /// What it has by now.
    var now: State { state.withLock { $0 } }
    var kinds: [String] { now.events.map(\.event.kind) }
    /// The values of all events of a kind.
    func values(of kind: String) -> [[Datum]] {
        now.events.filter { $0.event.kind == kind }.map(\.event.values)
    }
}

/// What a test looks at after feeding a pipeline.
final class World {
    let ledger = TestLedger()
    let registry = Registry(version: "0.1.0")
    let log = LogLines()
    let alerts = AlertLog()
    var pipeline: Pipeline

    init() {
        pipeline = Pipeline(
            sinks(ledger: ledger, registry: registry, log: log, alerts: alerts), at: epoch)
    }

    /// The value of a series in a scrape, such as `ike_sessions 3`.
    func metric(_ series: String) -> Double? { metricValue(series, in: registry) }
}

func sinks(
    ledger: any Ledger, registry: Registry, log: LogLines = LogLines(),
    alerts: AlertLog = AlertLog(), policy: Disclosure = pseudonyms
) -> Pipeline.Sinks {
    Pipeline.Sinks(
        ledger: ledger, registry: registry, policy: policy,
        notify: { alerts.add($0) },
        notificationFailures: { 7 },
        logger: Logger(label: "test") { _ in log })
}

func metricValue(_ series: String, in registry: Registry) -> Double? {
    String(decoding: registry.render(.text004), as: UTF8.self).split(separator: "\n")
        .first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.count + 1)) }
}

final class AlertLog: Sendable {
    private let alerts = Mutex<[Alert]>([])
    var all: [Alert] { alerts.withLock { $0 } }
    func add(_ alert: Alert) { alerts.withLock { $0.append(alert) } }
}

/// Log messages with their levels.
final class LogLines: LogHandler, Sendable {
    private let seen = Mutex<[String]>([])
    var lines: [String] { seen.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        seen.withLock { $0.append("\(event.level): \(event.message)") }
    }
}

/// A store in a folder of its own, which goes when the test ends.
func withStoreFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "weir.db").path)
}

func openStore(_ path: String, at reading: ClockReading) throws -> Store {
    try Store(path: path, version: "0.1.0", at: reading.wall, bootID: "boot")
}

/// The rows of a question to the store.
func rows(_ sql: String, in path: String) throws -> [[Datum]] {
    try StoreReader(path: path).rows(sql, [:]).rows
}

let failure = IKEAuthFailed.example
