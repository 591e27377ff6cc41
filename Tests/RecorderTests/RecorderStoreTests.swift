import Clocks
import Exporter
import Foundation
import Logging
import Store
import Testing
import Vocabulary

@testable import Recorder

@Suite("With a real store")
struct RecorderStoreTests {
    /// What the examples of the catalogue hold of a person, as somebody might find it.
    static let personal: [String: [UInt8]] = [
        "identity": Array("alice@example.org".utf8),
        "domain": Array("example.org".utf8),
        "identity, UTF-16": Array(
            "alice@example.org".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }),
        "identity, hex": Array(hex(Array("alice@example.org".utf8)).utf8),
        "identity, base64": Array(Data("alice@example.org".utf8).base64EncodedString().utf8),
        "source": Array("192.0.2.7".utf8),
        "source, bytes": [192, 0, 2, 7],
        "source, hex": Array("c0000207".utf8),
        "source, decimal": Array("3221225991".utf8),
        "other source": Array("198.51.100.9".utf8),
        "virtual address": Array("10.88.0.1".utf8),
        "virtual address, hex": Array("0a580001".utf8),
    ]

    @Test("nothing personal reaches the file")
    func silence() throws {
        try withStoreFolder { path in
            let store = try openStore(path, at: epoch)
            let registry = Registry(version: "0.1.0")
            var pipeline = Pipeline(sinks(ledger: store, registry: registry), at: epoch)
            pipeline.begin(after: store.unfinished, version: "0.1.0", at: epoch)
            for number in 0..<12 {
                let now = epoch + Double(number)
                pipeline.step([.event(failure, now.instant)], at: now)
            }
            let facts = Catalogue.events.map { Fact.event($0.example, (epoch + 13).instant) }
            pipeline.step(facts, at: epoch + 13)
            try scan(path)
            pipeline.end(.signal, at: epoch + 14)
            try scan(path)

            let disclosed = try rows(
                "SELECT identity, source, virtual_address FROM session_established", in: path)
            #expect(
                disclosed == [[.text("id:o42kdvyxgy4sfjgw"), .text("addr:tija32eidgyqbfnu"), vip]])
            #expect(try rows("SELECT count(*) FROM alert_fired", in: path) == [[.integer(2)]])
            for kind in Catalogue.events {
                let counts = try rows("SELECT count(*) FROM \(kind.name)", in: path)
                #expect(counts != [[.integer(0)]], "\(kind.name)")
            }
            let scrape = Array(registry.render(.text004))
            for (what, bytes) in Self.personal { #expect(!contains(scrape, bytes), "\(what)") }
        }
    }

    private let vip = pseudonyms.disclose(VirtualAddress(.v4(0x0a58_0001)))

    @Test("facts wait while a reader has the log at its limit, and are all there afterwards")
    func pinnedLog() throws {
        try withStoreFolder { path in
            let store = try Store(
                path: path, version: "0.1.0", at: epoch.wall, bootID: "boot", logLimit: 1 << 20)
            let registry = Registry(version: "0.1.0")
            let log = LogLines()
            var pipeline = Pipeline(
                sinks(ledger: store, registry: registry, log: log), at: epoch)
            pipeline.begin(after: store.unfinished, version: "0.1.0", at: epoch)
            let reader = try StoreReader(path: path)
            _ = try reader.rows("BEGIN")
            _ = try reader.rows("SELECT count(*) FROM events")
            var rounds = 0.0
            func step() {
                let now = epoch + rounds
                rounds += 1
                pipeline.step(
                    (0..<500).map { _ in .event(PeerDead.example, now.instant) }, at: now)
            }
            while !pipeline.backlog.isFailing, rounds < 1_000 { step() }
            for _ in 0..<20 { step() }
            #expect(pipeline.backlog.count == 21 * 500)
            #expect(metricValue("weir_store_errors_total", in: registry) == 21)
            _ = try reader.rows("COMMIT")
            step()
            #expect(!pipeline.backlog.isFailing && pipeline.backlog.count == 0)
            #expect(
                try rows("SELECT count(*) FROM peer_dead", in: path)
                    == [[.integer(Int64(rounds) * 500)]])
            #expect(try rows("SELECT count(*) FROM events_lost", in: path) == [[.integer(0)]])
            #expect(
                log.lines == [
                    "error: the store takes no facts; they wait in memory and the gateway goes on",
                    "notice: the store takes facts again",
                ])
            pipeline.end(.signal, at: epoch + rounds)
        }
    }

    /// The database, its log and whatever else lies beside it.
    private func scan(_ path: String) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let content = Array(try Data(contentsOf: file))
            for (what, bytes) in Self.personal {
                #expect(!contains(content, bytes), "\(what) in \(file.lastPathComponent)")
            }
        }
    }

    @Test("the scan finds what is in clear")
    func scanWorks() throws {
        try withStoreFolder { path in
            let store = try openStore(path, at: epoch)
            let clear = Disclosure(
                identities: .clear, addresses: .clear, virtualAddresses: .clear,
                pseudonymiser: KeyedPseudonymiser(key: key))
            var pipeline = Pipeline(
                sinks(ledger: store, registry: Registry(version: ""), policy: clear), at: epoch)
            pipeline.step(
                [.event(SessionEstablished.example, epoch.instant)], at: epoch)
            pipeline.end(.signal, at: epoch)
            let content = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            for what in ["identity", "domain", "source", "virtual address"] {
                #expect(contains(content, try #require(Self.personal[what])), "\(what)")
            }
        }
    }

    @Test("a crash is closed at the next start, with its uncertainty")
    func crash() throws {
        try withStoreFolder { path in
            do {
                let store = try openStore(path, at: epoch)
                var pipeline = Pipeline(
                    sinks(ledger: store, registry: Registry(version: "")), at: epoch)
                pipeline.begin(after: store.unfinished, version: "0.1.0", at: epoch)
                let begun: [any Event] = [
                    SessionEstablished.example, LeaseGranted.example, ChildSAInstalled.example,
                ]
                pipeline.step(begun.map { .event($0, epoch.instant) }, at: epoch)
                var tick = Tick()
                tick.children = [
                    ChildSample(
                        session: .example, child: ChildID(41),
                        traffic: Traffic(bytesIn: 7, packetsIn: 1, bytesOut: 9, packetsOut: 2))
                ]
                pipeline.step([.tick(tick, (epoch + 15).instant)], at: epoch + 15)
                // Tells that the gateway lived, and nothing of what passed since the tick.
                pipeline.step(
                    [.event(PeerDead.example, (epoch + 20).instant)], at: epoch + 20)
                // The process ends here without end().
            }
            let start = epoch + 75.5
            let store = try openStore(path, at: start)
            let registry = Registry(version: "")
            var pipeline = Pipeline(sinks(ledger: store, registry: registry), at: start)
            pipeline.begin(after: store.unfinished, version: "0.1.0", at: start)
            pipeline.end(.signal, at: start)

            let session = try rows(
                "SELECT reason, duration_ms, bytes_in, packets_out, uncertainty_ms FROM session_closed",
                in: path)
            #expect(
                session == [
                    [.text("crash"), .integer(75_500), .integer(7), .integer(2), .integer(60_500)]
                ])
            let child = try rows(
                "SELECT child, reason, bytes_out, uncertainty_ms FROM child_sa_closed", in: path)
            #expect(child == [[.integer(41), .text("crash"), .integer(9), .integer(60_500)]])
            let lease = try rows("SELECT pool, uncertainty_ms FROM lease_released", in: path)
            #expect(lease == [[.text("staff"), .integer(55_500)]])
            let stopped = try rows(
                "SELECT cause, uncertainty_ms FROM gateway_stopped ORDER BY id", in: path)
            #expect(
                stopped == [[.text("crash"), .integer(55_500)], [.text("signal"), .integer(0)]])
            #expect(metricValue("ike_sessions_closed_total{reason=\"crash\"}", in: registry) == 1)
            // Nothing is left to close the next time.
            let next = try openStore(path, at: start + 1)
            #expect(next.unfinished.isEmpty)
            next.close()
        }
    }

    @Test("the recorder's thread keeps what two queues say, in order, and ends when told")
    func thread() throws {
        try withStoreFolder { path in
            let store = try openStore(path, at: .now)
            let registry = Registry(version: "0.1.0")
            let recorder = Recorder(
                store: store, registry: registry, policy: pseudonyms, notifier: nil,
                version: "0.1.0", logger: Logger(label: "test") { _ in LogLines() })
            #expect(!recorder.isHealthy)
            let queues = [recorder.makeQueue(), recorder.makeQueue(capacity: 4)]
            recorder.start()
            #expect(recorder.isHealthy)
            let now = ClockReading.now.instant
            for number in 0..<1_000 {
                queues[0].record(failure, at: now + .nanoseconds(Int64(number)))
            }
            queues[1].record(PeerDead.example, at: now)
            #expect(recorder.stop(cause: .signal))
            #expect(recorder.stop(cause: .failure))
            #expect(!recorder.isHealthy)
            #expect(recorder.activeAlerts.count == 1)
            #expect(
                metricValue("ike_auth_failures_total{reason=\"wrong_credential\"}", in: registry)
                    == 1_000)
            #expect(
                try rows("SELECT count(*) FROM ike_auth_failed", in: path) == [[.integer(1_000)]])
            #expect(
                try rows("SELECT kind FROM events ORDER BY id DESC LIMIT 1", in: path)
                    == [[.text("gateway_stopped")]])
            #expect(
                try rows("SELECT count(*) FROM gateway_stopped WHERE cause = 'signal'", in: path)
                    == [[.integer(1)]])
        }
    }

    @Test("a recorder that never started lets go of the store")
    func neverStarted() throws {
        try withStoreFolder { path in
            let recorder = Recorder(
                store: try openStore(path, at: epoch), registry: Registry(version: ""),
                policy: pseudonyms, notifier: nil, version: "",
                logger: Logger(label: "test") { _ in LogLines() })
            #expect(recorder.stop(cause: .failure))
            recorder.start()
            #expect(!recorder.isHealthy)
            try openStore(path, at: epoch).close()
        }
    }
}

func contains(_ text: [UInt8], _ word: [UInt8]) -> Bool {
    Data(text).range(of: Data(word)) != nil
}
