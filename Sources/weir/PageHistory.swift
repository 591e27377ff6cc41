import Capacity
import Clocks
import Dispatch
import Foundation
import Page
import Presentation
import Store
import Synchronization
import Vocabulary

/// What the page shows of the past. A thread of its own reads the store when somebody looks, and
/// keeps the result for a while; whoever asks gets the latest result, and waits for the first one
/// a moment only. So neither a large store nor a busy reader holds up a scrape.
final class PageHistory: Sendable {
    struct Past: Sendable {
        var charts: [TimeChart] = []
        var capacity: [Table] = []
        var alerts = Table(columns: [], rows: [])
        var gaps: [String] = []
    }

    private struct Held {
        var past: Past
        var at: Instant
    }

    private struct State {
        var held: [PageChoice.Span: Held] = [:]
        var capacity: (tables: [Table], at: Instant)?
        var wanted: Set<PageChoice.Span> = []
        var isRunning = false
        var isOver = false
    }

    private let store: String
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private static let patience = Duration.milliseconds(60)

    init(store: String) { self.store = store }

    func stop() {
        state.withLock { $0.isOver = true }
        wake.signal()
    }

    /// The past as it is known, asking for a newer look if that is old.
    func look(_ span: PageChoice.Span, now: Timestamp) -> Past {
        let start = SystemClock.now
        request(span, at: start)
        while true {
            if let past = state.withLock({ $0.held[span]?.past }) { return past }
            guard SystemClock.now - start < Self.patience else {
                var none = Past()
                none.gaps = ["The store is being read; load this page again for its history."]
                return none
            }
            usleep(2_000)
        }
    }

    private func request(_ span: PageChoice.Span, at now: Instant) {
        let (isStale, mustStart) = state.withLock { state in
            let isStale = state.held[span].map { now - $0.at > span.freshness } ?? true
            if isStale { state.wanted.insert(span) }
            let mustStart = isStale && !state.isRunning && !state.isOver
            if mustStart { state.isRunning = true }
            return (isStale, mustStart)
        }
        if mustStart {
            let thread = Thread { [self] in run() }
            thread.name = "page"
            thread.start()
        }
        if isStale { wake.signal() }
    }

    private func run() {
        while true {
            wake.wait()
            let (wanted, isOver) = state.withLock { state in
                defer { state.wanted = [] }
                return (state.wanted, state.isOver)
            }
            if isOver { return }
            for span in wanted {
                let past = read(span)
                state.withLock { $0.held[span] = Held(past: past, at: SystemClock.now) }
            }
        }
    }

    private func read(_ span: PageChoice.Span) -> Past {
        var past = Past()
        do {
            // Opened for each look: a reader that stays open would keep the store from shrinking
            // its journal.
            let reader = try StoreReader(path: store)
            let now = ClockReading.now.wall
            past.charts = try charts(of: Reports(on: reader), span, until: now)
            past.alerts = try alerts(of: reader, span, until: now)
            past.capacity = try capacity(of: reader, until: now)
        } catch {
            past.gaps = ["The store cannot be read: \(error)"]
        }
        return past
    }

    private func capacity(of reader: StoreReader, until now: Timestamp) throws -> [Table] {
        let held = state.withLock { $0.capacity }
        if let held, SystemClock.now - held.at < .seconds(300) { return held.tables }
        let window = Window(
            since: Timestamp(nanoseconds: now.nanoseconds - 90 * 86_400_000_000_000), until: now)
        let tables = try Reports(on: reader).capacity(in: window)
        state.withLock { $0.capacity = (tables, SystemClock.now) }
        return tables
    }

    private func alerts(
        of reader: StoreReader, _ span: PageChoice.Span, until now: Timestamp
    ) throws -> Table {
        let rows = try reader.rows(
            """
            SELECT fired_ns, severity, rule, subject, evidence, resolved_ns FROM alerts
            WHERE fired_ns >= :since AND resolved_ns IS NOT NULL ORDER BY fired_ns DESC LIMIT 100
            """,
            ["since": .integer(now.nanoseconds - span.seconds * 1_000_000_000)])
        return Table(
            title: "Alerts of the last \(span.rawValue) that ended",
            columns: [
                Column("fired", .timestamp), Column("severity", .text), Column("rule", .text),
                Column("subject", .text), Column("evidence", .text), Column("resolved", .timestamp),
            ], rows: rows.rows)
    }
}

extension PageChoice.Span {
    /// How old a look may be.
    fileprivate var freshness: Duration {
        switch self {
        case .hour: .seconds(5)
        case .day: .seconds(60)
        case .week: .seconds(300)
        case .month: .seconds(900)
        }
    }
}
