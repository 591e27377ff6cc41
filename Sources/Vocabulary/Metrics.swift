/// A family of time series, as a scrape shows it.
package struct MetricFamily: Hashable, Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    /// Prometheus's name of the samples; counters end in `_total`.
    package let name: String
    package let kind: Kind
    package let help: String
    package let labels: [String]
    /// Label values in slot order: `[[]]` for one series without labels. Empty where the label
    /// comes from the configuration (pools), whose number is bounded by it.
    package let series: [[String]]
    /// Upper bounds in the family's unit, ascending, without `+Inf`. Histograms only.
    package let buckets: [Double]
    /// A series is there from its first count on: for details of what another family counts from
    /// zero, so that a scrape stays small.
    package let isSparse: Bool

    package init(
        name: String, kind: Kind, help: String, labels: [String] = [], series: [[String]] = [[]],
        buckets: [Double] = [], isSparse: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
        self.series = series
        self.buckets = buckets
        self.isSparse = isSparse
    }
}

/// A counter driven by a kind of event. A label is a public, enumerated field: an address or a
/// user name does not type-check here.
package struct Counter<E: Event>: Sendable {
    package let family: MetricFamily
    let slot: @Sendable (E) -> Int
    let amount: @Sendable (E) -> UInt64

    package init(
        _ name: String, _ help: String,
        adding amount: @escaping @Sendable (E) -> UInt64 = { _ in 1 }
    ) {
        family = MetricFamily(name: name, kind: .counter, help: help)
        slot = { _ in 0 }
        self.amount = amount
    }

    /// - Parameters:
    ///   - values: the label's, if not all of them can happen.
    ///   - sparse: ``MetricFamily/isSparse``.
    package init<L: Label>(
        _ name: String, _ help: String, by label: String,
        _ path: any KeyPath<E, Public<L>> & Sendable, among values: [L] = Array(L.allCases),
        sparse: Bool = false, adding amount: @escaping @Sendable (E) -> UInt64 = { _ in 1 }
    ) {
        let slots = Slots(values)
        family = MetricFamily(
            name: name, kind: .counter, help: help, labels: [label],
            series: slots.names.map { [$0] }, isSparse: sparse)
        slot = { slots.index(of: $0[keyPath: path].clear) }
        self.amount = amount
    }
}

/// A histogram of seconds driven by a kind of event, by stage.
package struct Histogram<E: Event>: Sendable {
    package let family: MetricFamily
    /// Seconds by slot.
    let observations: @Sendable (E) -> [(slot: Int, seconds: Double)]
    let session: @Sendable (E) -> SessionID?

    /// - Parameter session: what an exemplar refers to.
    package init<L: Label>(
        _ name: String, _ help: String, by label: String, buckets: [Double],
        session: (any KeyPath<E, Public<SessionID>> & Sendable)? = nil,
        _ stages: [(L, any KeyPath<E, Public<UInt64>> & Sendable)]
    ) {
        let slots = Slots(Array(L.allCases))
        family = MetricFamily(
            name: name, kind: .histogram, help: help, labels: [label],
            series: slots.names.map { [$0] }, buckets: buckets)
        self.session = { event in session.map { event[keyPath: $0].clear } }
        observations = { event in
            stages.map { stage, path in
                (slots.index(of: stage), Double(event[keyPath: path].clear) / 1e6)
            }
        }
    }
}

extension Histogram {
    /// Without labels. An event that has no value adds nothing.
    package init(
        _ name: String, _ help: String, buckets: [Double],
        session: (any KeyPath<E, Public<SessionID>> & Sendable)? = nil,
        _ path: any KeyPath<E, Public<UInt64?>> & Sendable
    ) {
        family = MetricFamily(name: name, kind: .histogram, help: help, buckets: buckets)
        self.session = { event in session.map { event[keyPath: $0].clear } }
        observations = { event in
            event[keyPath: path].clear.map { [(slot: 0, seconds: Double($0) / 1e6)] } ?? []
        }
    }
}

/// A label's values in slot order.
struct Slots<L: Label>: Sendable {
    let names: [String]
    private let indices: [L: Int]

    init(_ values: [L]) {
        names = values.map(\.rawValue)
        indices = Dictionary(values.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    func index(of value: L) -> Int { indices[value] ?? 0 }
}
