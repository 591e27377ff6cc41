import Presentation
import Store
import Vocabulary

extension TickFold {
    /// Nanoseconds.
    var observed: Int64 { hours.values.reduce(0) { $0 &+ $1.observed } }

    private var order: [Int] { hours.keys.sorted() }

    var sessionLoad: Load {
        let limit = latest.map { Double($0.sessionLimit) }
        return Load(
            name: "sessions", kind: .count, now: latest.map { Double($0.sessions.last) },
            limit: limit == 0 ? nil : limit,
            hours: order.compactMap { index in
                guard let hour = hours[index], hour.ticks > 0 else { return nil }
                return LoadHour(
                    hour: index, mean: Double(hour.sessionSum) / Double(hour.ticks),
                    peak: hour.sessions)
            }, observed: observed)
    }

    /// Bits per second on average over a minute. Hours without a whole minute are left out.
    var trafficLoads: [Load] {
        [
            load("receive", rates?.receive, \.receive, \.bytesIn),
            load("transmit", rates?.transmit, \.transmit, \.bytesOut),
        ]
    }

    private func load(
        _ name: String, _ now: Double?, _ peak: KeyPath<TickHour, Peak>,
        _ bytes: KeyPath<Traffic, UInt64>
    ) -> Load {
        let known = order.compactMap { index -> LoadHour? in
            guard let hour = hours[index], hour.observed > 0, hour[keyPath: peak].at != nil else {
                return nil
            }
            let bits = Double(hour.traffic[keyPath: bytes]) * 8
            return LoadHour(
                hour: index, mean: bits * Double(Span.second) / Double(hour.observed),
                peak: hour[keyPath: peak])
        }
        return Load(
            name: name, kind: .bitsPerSecond, now: now, limit: nil, hours: known,
            observed: observed)
    }

    /// An hour with ticks and without logins had none.
    func loginLoad(_ logins: LoginFold) -> Load {
        let known = Set(hours.keys).union(logins.hours.keys).sorted()
        return Load(
            name: "logins", kind: .perSecond, now: latest.map { _ in logins.now }, limit: nil,
            hours: known.map { index in
                let hour = logins.hours[index]
                return LoadHour(
                    hour: index, mean: Double(hour?.logins ?? 0) / observedSeconds(index),
                    peak: hour?.rate ?? hours[index].map(\.withoutLogins) ?? Peak())
            }, observed: observed)
    }

    /// At least a minute: logins of an hour that was hardly watched are not a flood.
    private func observedSeconds(_ hour: Int) -> Double {
        let observed = hours[hour]?.observed ?? Span.hour
        return Double(max(observed, Span.minute)) / Double(Span.second)
    }
}

extension TickHour {
    /// No login, from the first tick on.
    fileprivate var withoutLogins: Peak {
        var peak = Peak()
        if let at = sessions.at { peak.see(0, at: at) }
        return peak
    }
}
