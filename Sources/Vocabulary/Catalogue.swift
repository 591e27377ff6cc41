/// Every kind of event and every metric there is.
///
/// To add an event: write its file under `Events/`, and its name here. Tables, metrics,
/// documentation and tests follow.
package enum Catalogue {
    package static let events: [EventKind] = [
        EventKind(IKESAInitReceived.self),
        EventKind(IKESAInitRejected.self),
        EventKind(CookieChallenged.self),
        EventKind(IKESessionResumeReceived.self),
        EventKind(TicketRefused.self),
        EventKind(IKEAuthFailed.self),
        EventKind(SessionEstablished.self),
        EventKind(SessionClosed.self),
        EventKind(TicketIssued.self),
        EventKind(IKESARekeyed.self),
        EventKind(IKESAClosed.self),
        EventKind(ChildSAInstalled.self),
        EventKind(ChildSARekeyed.self),
        EventKind(ChildSAClosed.self),
        EventKind(WeakSuiteChosen.self),
        EventKind(WeakSuiteRefused.self),
        EventKind(CreateChildSARefused.self),
        EventKind(RekeyCollision.self),
        EventKind(AddressChanged.self),
        EventKind(LeaseGranted.self),
        EventKind(LeaseReleased.self),
        EventKind(PoolExhausted.self),
        EventKind(PeerDead.self),
        EventKind(MessageDropped.self),
        EventKind(ESPDropped.self),
        EventKind(GatewayStarted.self),
        EventKind(GatewayStopped.self),
        EventKind(GatewayDraining.self),
        EventKind(GatewayDrainEnded.self),
        EventKind(RadiusServerDown.self),
        EventKind(RadiusServerUp.self),
        EventKind(AccountingLost.self),
        EventKind(ConfigReloaded.self),
        EventKind(ConfigReloadRefused.self),
        EventKind(AlertFired.self),
        EventKind(AlertResolved.self),
        EventKind(EventsLost.self),
        EventKind(ClockStepped.self),
        EventKind(StoreLogPinned.self),
    ]

    /// In the order of a scrape.
    package static let families: [MetricFamily] =
        events.flatMap(\.families) + Tick.metrics.map(\.family)
        + Tick.messageMetrics.map(\.family) + Tick.connectionMetrics.map(\.family)
        + Tick.poolMetrics.map(\.family)
        + UserState.metrics.map(\.family) + RadiusServerState.metrics.map(\.family)
        + [RadiusServerState.latency] + HealthMetric.allCases.map(\.family) + [buildInfo]

    /// `weir_build_info{version="…"} 1`.
    package static let buildInfo = MetricFamily(
        name: "weir_build_info", kind: .gauge,
        help: "Always 1; the label tells the version.", labels: ["version"], series: [])
}
