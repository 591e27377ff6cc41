import Vocabulary

/// The value of one series. Counts stay exact; what is measured is a Double.
enum Number: Hashable, Sendable {
    case count(UInt64)
    case real(Double)

    /// As both formats write it.
    var text: String {
        switch self {
        case .count(let count): return String(count)
        case .real(let real) where real.isNaN: return "NaN"
        case .real(let real) where real.isInfinite: return real > 0 ? "+Inf" : "-Inf"
        case .real(let real):
            guard real == real.rounded(), let whole = Int64(exactly: real), abs(real) < 1e15
            else { return String(describing: real) }
            return String(whole)
        }
    }

    var double: Double {
        switch self {
        case .count(let count): Double(count)
        case .real(let real): real
        }
    }
}

/// Every series of the catalogue, at one moment. An unknown family or slot is ignored: no fact can
/// name one, because facts get them from the catalogue too.
struct Samples: Hashable, Sendable {
    /// By family, in slot order.
    private(set) var numbers: [String: [Number]] = [:]
    private(set) var distributions: [String: [Distribution]] = [:]
    /// As the last tick had them.
    var pools: [PoolState] = []
    var connections: [ConnectionState] = []
    /// Empty unless the operator wants them.
    var users: [UserState] = []

    /// As they were told last.
    var radiusServers: [RadiusServerState] = []
    /// By server.
    private(set) var radiusLatencies: [String: Distribution] = [:]

    init() {
        for family in Catalogue.families {
            if family.kind == .histogram {
                let zero = Distribution(bounds: family.buckets)
                distributions[family.name] = family.series.map { _ in zero }
            } else {
                numbers[family.name] = family.series.map { _ in .count(0) }
            }
        }
    }

    /// Adds to a counter, and stops at its end.
    mutating func add(_ amount: UInt64, to family: String, slot: Int) {
        guard let row = numbers[family], row.indices.contains(slot),
            case .count(let old) = row[slot]
        else { return }
        numbers[family]?[slot] = .count(old.addingSaturating(amount))
    }

    mutating func set(_ family: String, slot: Int, to number: Number) {
        guard let row = numbers[family], row.indices.contains(slot) else { return }
        numbers[family]?[slot] = number
    }

    mutating func observe(_ observation: Observation, at time: Timestamp?) {
        let (family, slot) = (observation.family, observation.slot)
        guard let row = distributions[family], row.indices.contains(slot) else { return }
        distributions[family]?[slot]
            .observe(observation.value, session: observation.session, at: time)
    }
}

extension Samples {
    /// Takes servers' states in place of the last ones, and how long their answers took.
    mutating func update(_ servers: [RadiusServerState], answers: [RadiusAnswer]) {
        radiusServers = servers
        for server in servers where radiusLatencies[server.name] == nil {
            radiusLatencies[server.name] = Distribution(bounds: RadiusServerState.latency.buckets)
        }
        for answer in answers { radiusLatencies[answer.server]?.observe(answer.seconds) }
    }
}

extension UInt64 {
    func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
