package import Vocabulary

/// Bits per second between looks at counters that are at least a second apart.
package struct RateMeter: Sendable {
    private var looks: [(at: Instant, traffic: Traffic)] = []
    /// Looks that are kept: a rate is the mean over what lies between the first and the last.
    private let depth: Int

    /// - Parameter depth: at least 2.
    package init(depth: Int) { self.depth = max(2, depth) }

    /// Takes a look. Counters that went back are those of another run.
    package mutating func look(_ traffic: Traffic, at now: Instant) {
        if let last = looks.last {
            guard now - last.at >= .seconds(1) else { return }
            if traffic.bytesIn < last.traffic.bytesIn || traffic.bytesOut < last.traffic.bytesOut {
                looks = []
            }
        }
        looks.append((now, traffic))
        if looks.count > depth { looks.removeFirst() }
    }

    /// Nil before the second look.
    package var rates: (receive: Double, transmit: Double)? {
        guard let first = looks.first, let last = looks.last, looks.count > 1 else { return nil }
        let span = (last.at - first.at).seconds
        return (
            Double(last.traffic.bytesIn &- first.traffic.bytesIn) * 8 / span,
            Double(last.traffic.bytesOut &- first.traffic.bytesOut) * 8 / span
        )
    }
}
