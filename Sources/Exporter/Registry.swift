import Synchronization
package import Vocabulary

/// The current value of every metric. Written by the recorder's thread, read by scrapes.
///
/// A scrape copies the values under the lock and formats them outside it, so a slow reader delays
/// nobody. Every family is there at zero from the first scrape.
package final class Registry: Sendable {
    private let samples = Mutex(Samples())
    private let version: String

    /// - Parameter version: Weir's, for `weir_build_info`.
    package init(version: String) {
        self.version = version
    }

    /// Takes what an event adds: `event.increments`.
    package func count(_ increments: [Increment]) {
        samples.withLock { samples in
            for increment in increments {
                samples.add(increment.amount, to: increment.family, slot: increment.slot)
            }
        }
    }

    /// Takes what an event measured: `event.observations`.
    package func observe(_ observations: [Observation]) {
        samples.withLock { samples in
            for observation in observations {
                samples.observe(
                    observation.value, in: observation.family, slot: observation.slot)
            }
        }
    }

    /// Takes a tick's gauges and cumulative counters, and its pools in place of the last ones.
    package func update(_ tick: Tick) {
        samples.withLock { samples in
            for metric in Tick.metrics {
                samples.set(metric.family.name, slot: 0, to: .count(metric.value(tick)))
            }
            samples.pools = tick.pools
        }
    }

    /// Sets what the process tells of itself.
    ///
    /// - Parameter slot: the place of the label's value; 0 for metrics without labels.
    package func set(_ metric: HealthMetric, slot: Int = 0, to value: Double) {
        samples.withLock { $0.set(metric.rawValue, slot: slot, to: .real(value)) }
    }

    /// A whole scrape, with the process's own figures as of now.
    package func render(_ format: Exposition) -> [UInt8] {
        render(format, process: ProcessFigures.current())
    }

    func render(_ format: Exposition, process: ProcessFigures) -> [UInt8] {
        var samples = samples.withLock { $0 }
        for (metric, value) in process.values {
            samples.set(metric.rawValue, slot: 0, to: value)
        }
        var writer = ExpositionWriter(format)
        for family in Catalogue.families {
            writer.metadata(of: family)
            write(family, of: samples, to: &writer)
        }
        writer.end()
        return writer.bytes
    }

    private func write(
        _ family: MetricFamily, of samples: Samples, to writer: inout ExpositionWriter
    ) {
        if family == Catalogue.buildInfo {
            writer.sample(family.name, [("version", version)], "1")
        }
        for metric in Tick.poolMetrics where metric.family == family {
            for pool in samples.pools {
                writer.sample(family.name, [("pool", pool.name)], String(metric.value(pool)))
            }
        }
        for (values, number) in zip(family.series, samples.numbers[family.name] ?? []) {
            writer.sample(family.name, labels(family, values), number.text)
        }
        for (values, distribution) in zip(family.series, samples.distributions[family.name] ?? []) {
            writer.histogram(family.name, labels(family, values), distribution)
        }
    }

    private func labels(
        _ family: MetricFamily, _ values: [String]
    ) -> [(name: String, value: String)] {
        zip(family.labels, values).map { (name: $0, value: $1) }
    }
}
