/// A label of a time series.
package struct MetricLabel: Hashable, Sendable, Comparable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.name, left.value) < (right.name, right.value)
    }
}

/// One value of one time series at one moment.
package struct MetricSample: Hashable, Sendable {
    package let name: String
    /// By ascending name, no name twice, no empty value: that is the same as no label.
    package let labels: [MetricLabel]
    package let value: MetricValue
    /// Nanoseconds since 1970. Nil where the text has none.
    package let at: Int64?

    package init(name: String, labels: [MetricLabel], value: MetricValue, at: Int64?) {
        self.name = name
        self.labels = labels
        self.value = value
        self.at = at
    }
}

/// What a family's samples are.
package enum MetricType: String, Hashable, Sendable, CaseIterable {
    case counter, gauge, histogram, gaugehistogram, summary, info, stateset, unknown
    /// The older format's word for unknown.
    case untyped
}

/// What is wrong with a line, and what to do about it. It quotes nothing of the line but names
/// that were checked.
package struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
