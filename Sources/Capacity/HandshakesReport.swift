import Encoding
package import Presentation
import SQLite
package import Store
import Vocabulary

/// What handshakes are summed up by.
package enum HandshakePeriod: String, CaseIterable, Sendable {
    case hour, day

    fileprivate var hours: Int64 { self == .hour ? 1 : 24 }
}

extension Reports {
    /// How long handshakes took that succeeded, by period in the order of time and in all; a period
    /// without any has no row. Quantiles are 0.8 % off at most.
    package func handshakes(
        in window: Window, by period: HandshakePeriod
    ) throws(StoreError) -> [Table] {
        let hours = try snapshot { () throws(SQLiteError) in
            try HandshakeHours.sketches(in: window.hours, on: database)
        }
        var periods: [Int64: Sketch] = [:]
        var all = Sketch()
        for (hour, sketch) in hours {
            let start = hour - (hour % period.hours + period.hours) % period.hours
            periods[start, default: Sketch()].merge(sketch)
            all.merge(sketch)
        }
        let figures = Column.handshakeFigures
        return [
            Table(
                title: "Handshakes", columns: figures, rows: [all.figures],
                notes: window.wholeHoursNotes),
            Table(
                title: "Handshakes by \(period.rawValue)",
                columns: [Column(period.rawValue, .timestamp)] + figures,
                rows: periods.sorted { $0.key < $1.key }.map { start, sketch in
                    [.integer(start.multipliedReportingOverflow(by: Span.hour).partialValue)]
                        + sketch.figures
                }),
        ]
    }
}

extension Column {
    fileprivate static let handshakeFigures =
        [Column("logins", .count)] + ["p50", "p95", "p99", "slowest"].map { Column($0, .duration) }
}

extension Sketch {
    /// In the order of the columns.
    fileprivate var figures: [Datum] {
        [Datum(count)]
            + [0.5, 0.95, 0.99, 1].map { part in
                quantile(part).map { microseconds in
                    .integer(
                        Int64(
                            clamping: microseconds.multipliedReportingOverflow(by: 1_000)
                                .overflow ? .max : microseconds * 1_000))
                } ?? .null
            }
    }
}
