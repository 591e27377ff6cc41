import Synchronization
package import Vocabulary

/// The current value of every metric. Written by the recorder's thread, read by scrapes.
///
/// A scrape copies the values under the lock and formats them outside it, so a slow reader delays
/// nobody. Every family is there at zero from the first scrape.
package final class Registry: Sendable {
    private let samples = Mutex(Samples())
    /// Of the last two ticks.
    private let meter = Mutex(RateMeter(depth: 2))
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
    ///
    /// - Parameter time: of the event, for exemplars.
    package func observe(_ observations: [Observation], at time: Timestamp? = nil) {
        samples.withLock { samples in
            for observation in observations { samples.observe(observation, at: time) }
        }
    }

    /// Takes a tick's gauges and cumulative counters, and its pools in place of the last ones.
    ///
    /// - Parameter time: of the tick.
    package func update(_ tick: Tick, at time: Instant) {
        meter.withLock { $0.look(tick.traffic, at: time) }
        samples.withLock { samples in
            for metric in Tick.metrics {
                samples.set(metric.family.name, slot: 0, to: .count(metric.value(tick)))
            }
            for metric in Tick.messageMetrics {
                for (slot, count) in metric.counts(tick).counts.enumerated() {
                    samples.set(metric.family.name, slot: slot, to: .count(count))
                }
            }
            samples.pools = tick.pools
            samples.connections = tick.connections
        }
    }

    /// Sets what the process tells of itself.
    ///
    /// - Parameter slot: the place of the label's value; 0 for metrics without labels.
    package func set(_ metric: HealthMetric, slot: Int = 0, to value: Double) {
        samples.withLock { $0.set(metric.rawValue, slot: slot, to: .real(value)) }
    }

    /// Sets when the first certificate of a role expires, in seconds since the Unix epoch.
    ///
    /// - Parameter expiry: nil if no certificate of that role is configured: no series tells of it.
    package func set(_ role: CertificateRole, expiry: Int64?) {
        let slot = CertificateRole.allCases.firstIndex(of: role) ?? 0
        set(.certificateExpiry, slot: slot, to: expiry.map { Double($0) } ?? 0)
    }

    /// Takes all users' states in place of the last ones.
    package func update(_ users: [UserState]) {
        samples.withLock { $0.users = users }
    }

    /// Takes all RADIUS servers' states in place of the last ones, and how long answers took since.
    package func update(_ servers: [RadiusServerState], answers: [RadiusAnswer]) {
        samples.withLock { $0.update(servers, answers: answers) }
    }

    /// The value of a series without labels, or the sum of those with one; for people.
    package func sum(of family: String) -> Double {
        samples.withLock { ($0.numbers[family] ?? []).reduce(0) { $0 + $1.double } }
    }

    /// Bits per second between the last two ticks; nil before the second.
    package var rates: (receive: Double, transmit: Double)? { meter.withLock { $0.rates } }

    package var pools: [PoolState] { samples.withLock { $0.pools } }

    /// RADIUS servers as they were told last, each with the median of how long its answers took, in
    /// seconds; nil before the first.
    package var radiusServers: [(state: RadiusServerState, median: Double?)] {
        let (servers, latencies) = samples.withLock { ($0.radiusServers, $0.radiusLatencies) }
        return servers.map { ($0, latencies[$0.name]?.native.quantile(0.5)) }
    }

    /// When the first certificate of each role that is configured expires, in seconds since the
    /// Unix epoch.
    package var certificates: [(role: CertificateRole, expiry: Double)] {
        values(of: HealthMetric.certificateExpiry.family).compactMap { label, value in
            CertificateRole(rawValue: label).map { ($0, value) }
        }
    }

    /// A quantile of all that a histogram's series has seen, 4.4 % off at most.
    ///
    /// - Parameter label: the value of the series's first label.
    /// - Returns: nil if it has seen nothing.
    package func quantile(_ quantile: Double, of family: String, label: String) -> Double? {
        guard let family = Catalogue.families.first(where: { $0.name == family }),
            let slot = family.series.firstIndex(where: { $0.first == label })
        else { return nil }
        let row = samples.withLock { $0.distributions[family.name] ?? [] }
        return row.indices.contains(slot) ? row[slot].native.quantile(quantile) : nil
    }

    /// The values of a family's series by their first label, where they are not 0.
    package func values(of family: MetricFamily) -> [(label: String, value: Double)] {
        let numbers = samples.withLock { $0.numbers[family.name] ?? [] }
        return zip(family.series, numbers).compactMap { values, number in
            guard let label = values.first, number.double != 0 else { return nil }
            return (label, number.double)
        }
    }

    /// A whole scrape, with the process's own figures as of now.
    ///
    /// - Parameter names: sample names as `promtool` knows them; nil for all families.
    package func render(_ format: Exposition, names: Set<String>? = nil) -> [UInt8] {
        let start = ContinuousClock.now
        let bytes = render(format, names: names, process: ProcessFigures.current())
        let span = start.duration(to: .now).components
        set(.scrapeSeconds, to: Double(span.seconds) + Double(span.attoseconds) / 1e18)
        return bytes
    }

    func render(
        _ format: Exposition, names: Set<String>? = nil, process: ProcessFigures
    ) -> [UInt8] {
        var samples = samples.withLock { $0 }
        for (metric, value) in process.values {
            samples.set(metric.rawValue, slot: 0, to: value)
        }
        switch format {
        case .text004:
            return render(samples, names, through: ExpositionWriter(openMetrics: false))
        case .openMetrics100:
            return render(samples, names, through: ExpositionWriter(openMetrics: true))
        case .protobuf: return render(samples, names, through: ProtobufWriter())
        }
    }

    private func render(
        _ samples: Samples, _ names: Set<String>?, through writer: some FamilyWriter
    ) -> [UInt8] {
        var writer = writer
        for family in Catalogue.families where names?.isDisjoint(with: family.sampleNames) != true {
            writer.begin(family)
            write(family, of: samples, to: &writer)
            writer.end(family)
        }
        return writer.finish()
    }

    private func write(
        _ family: MetricFamily, of samples: Samples, to writer: inout some FamilyWriter
    ) {
        if family == Catalogue.buildInfo {
            writer.sample(family, [("version", version)], .count(1))
        }
        for metric in Tick.poolMetrics where metric.family == family {
            for pool in samples.pools {
                writer.sample(family, [("pool", pool.name)], .count(metric.value(pool)))
            }
        }
        for metric in Tick.connectionMetrics where metric.family == family {
            for connection in samples.connections {
                writer.sample(
                    family, [("connection", connection.name)], .count(metric.value(connection)))
            }
        }
        for metric in RadiusServerState.metrics where metric.family == family {
            for server in samples.radiusServers {
                for (values, value) in metric.values(server) {
                    writer.sample(family, labels(family, [server.name] + values), .count(value))
                }
            }
        }
        if family == RadiusServerState.latency {
            for server in samples.radiusServers {
                guard let distribution = samples.radiusLatencies[server.name] else { continue }
                writer.histogram(family, labels(family, [server.name]), distribution)
            }
        }
        for metric in UserState.metrics where metric.family == family {
            for user in samples.users {
                writer.sample(family, [("user", user.name)], .count(metric.value(user)))
            }
        }
        for (values, number) in zip(family.series, samples.numbers[family.name] ?? []) {
            guard !family.isSparse || number.double != 0 else { continue }
            writer.sample(family, labels(family, values), number)
        }
        for (values, distribution) in zip(family.series, samples.distributions[family.name] ?? []) {
            writer.histogram(family, labels(family, values), distribution)
        }
    }

    private func labels(_ family: MetricFamily, _ values: [String]) -> Labels {
        zip(family.labels, values).map { (name: $0, value: $1) }
    }
}

extension MetricFamily {
    /// All names that samples of it have, and its own.
    var sampleNames: [String] {
        kind == .histogram ? [name] + ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
    }
}
