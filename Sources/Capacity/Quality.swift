import Presentation
import SQLite
import Vocabulary

/// What limits the evidence of a window.
struct Quality {
    struct Crash: Hashable {
        /// When the next run found out.
        let at: Int64
        /// Nanoseconds that it may have been earlier.
        let uncertainty: Int64
    }

    var window: Window
    /// Nanoseconds in which the gateway was sampled.
    var observed: Int64
    var gaps: [Gap]
    var crashes: [Crash] = []
    /// Events that no record was kept of, by kind.
    var lost: [(kind: String, count: Int64)] = []
    var clockSteps: Int64 = 0

    /// More of one sort than this are summed up.
    private static let listed = 5

    var notes: [String] {
        [coverage] + gapNotes + crashNotes + lostNotes + clockNotes
    }

    private var coverage: String {
        let share = window.nanoseconds > 0 ? Double(observed) / Double(window.nanoseconds) : 0
        return "Observed \(human(.integer(observed), .duration)) of "
            + "\(human(.integer(window.nanoseconds), .duration)) "
            + "(\(human(.real(min(1, share)), .ratio)))."
    }

    private var gapNotes: [String] {
        summed(gaps) { gap in
            "Gap: no samples from \(time(gap.from)) to \(time(gap.to))"
                + (gap.isRestart ? " (the gateway was started anew)." : ".")
        }
    }

    private var crashNotes: [String] {
        summed(crashes) { crash in
            "Crash: found at \(time(crash.at)); the gateway had ended up to "
                + "\(human(.integer(crash.uncertainty), .duration)) earlier."
        }
    }

    private var lostNotes: [String] {
        lost.map { "Lost: \(counted($0.count, "event")) of kind \($0.kind) without a record." }
    }

    private var clockNotes: [String] {
        clockSteps > 0
            ? ["Clock: stepped \(counted(clockSteps, "time")); hours near a step may be wrong."]
            : []
    }

    private func summed<Item>(_ items: [Item], _ sentence: (Item) -> String) -> [String] {
        let rest = items.count - Self.listed
        return items.prefix(Self.listed).map(sentence) + (rest > 0 ? ["… and \(rest) more."] : [])
    }

    private func time(_ nanoseconds: Int64) -> String {
        Timestamp(nanoseconds: nanoseconds).rfc3339
    }
}

extension Reports {
    func quality(of fold: TickFold, in window: Window) throws(SQLiteError) -> Quality {
        let observed = fold.hours.values.reduce(0) { $0 &+ $1.observed }
        var quality = Quality(window: window, observed: observed, gaps: fold.gaps)
        quality.crashes = try database.rows(
            """
            SELECT at_ns, uncertainty_ms FROM gateway_stopped
            WHERE cause = ? AND at_ns >= ? AND at_ns < ? ORDER BY at_ns, id
            """, [.text(StopCause.crash.rawValue)] + window.bounds
        ) { row in
            let (span, overflow) = (row.integer(1) ?? 0)
                .multipliedReportingOverflow(by: 1_000_000)
            return Quality.Crash(at: row.time(0), uncertainty: overflow ? .max : span)
        }
        quality.lost = try database.rows(
            """
            SELECT kind, sum("count") FROM events_lost
            WHERE at_ns >= ? AND at_ns < ? GROUP BY kind ORDER BY kind
            """, window.bounds
        ) { (kind: $0.text(0) ?? "?", count: $0.integer(1) ?? 0) }
        let steps = try database.value(
            "SELECT count(*) FROM clock_stepped WHERE at_ns >= ? AND at_ns < ?", window.bounds)
        if case .integer(let count) = steps { quality.clockSteps = count }
        return quality
    }
}
