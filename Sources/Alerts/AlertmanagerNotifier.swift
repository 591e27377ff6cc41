package import Logging
import Vocabulary

/// Tells Alertmanagers of alerts (API v2). Never blocks who calls it.
///
/// Each Alertmanager has a thread and an outbox of at most 1,024 alerts. A request takes at most
/// 5 s; after a failure the next is tried 1 s later, doubling up to 60 s. Active alerts are
/// repeated every 60 s until they end.
package final class AlertmanagerNotifier: Sendable {
    private let couriers: [Courier]

    /// - Parameters:
    ///   - urls: base URLs such as `http://alertmanager:9093`, at most 8.
    ///   - gateway: this gateway's name, for the label `gateway`.
    ///   - generatorURL: where a person can look further.
    /// - Throws: ``NotifierError`` for URLs that can't work.
    package init(
        urls: [String], gateway: String, generatorURL: String? = nil, log: Logger
    ) throws(NotifierError) {
        guard urls.count <= Receiver.limit else { throw .tooMany(urls.count) }
        var couriers: [Courier] = []
        for url in urls {
            let receiver = try Receiver(base: url)
            couriers.append(
                Courier(to: receiver, log: log) { alerts in
                    try Payload.json(
                        alerts.map { Payload($0, gateway: gateway, generatorURL: generatorURL) })
                })
        }
        self.couriers = couriers
        for courier in couriers { courier.start() }
    }

    deinit {
        for courier in couriers { courier.stop(by: .now) }
    }

    /// Tells of an alert's beginning or, with `endsAt`, of its end. An end must have the rule,
    /// the severity and the subject of its beginning.
    package func post(_ alert: Alert) {
        for courier in couriers { courier.post(alert) }
    }

    /// Requests that did not succeed, and alerts that found no room, of all Alertmanagers.
    package var failures: UInt64 { couriers.reduce(0) { $0 &+ $1.failures } }

    /// Sends what is due and ends the threads. Takes at most 2 s; what could not be sent by then
    /// is lost.
    package func stop() {
        let end = Instant.now + .seconds(2)
        for courier in couriers { courier.stop(by: end) }
        for courier in couriers { _ = courier.wait(until: end) }
    }
}
