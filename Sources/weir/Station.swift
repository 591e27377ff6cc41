import Alerts
import Clocks
import Crypto
import Engine
import Exporter
import Foundation
import Gateway
import Logging
import Recorder
import ServiceLifecycle
import Settings
import Store
import UnixSignals
import Vocabulary

/// Everything that `weir run` runs, put together from a configuration: gateway, recorder, store,
/// metrics, alerts, control socket. All is opened when it is made, so that what can't work is
/// known before anything starts.
final class Station: Service {
    let gateway: Shards
    let metricsPort: UInt16
    let policy: Disclosure
    let reloader: Reloader
    private let recorder: Recorder
    private let metrics: MetricsServer
    private let site: PageSite
    private let web: WebConfigurationWatch
    private let control: ControlSocket
    private let notifier: AlertmanagerNotifier?
    private let tickets: TicketKeyWatch?
    private let radius: RadiusAccounting?
    private let logger: Logger

    /// - Parameters:
    ///   - file: the configuration's, for when it is to be read again.
    ///   - records: false drops every fact at its source: to measure what facts cost.
    /// - Throws: ``Failure`` with the file, line and remedy.
    init(
        _ configuration: Configuration, file: String, logger: Logger, records: Bool = true
    ) throws(Failure) {
        self.logger = logger
        let store = try Self.store(configuration.telemetry)
        let policy = try Self.disclosure(of: configuration.telemetry.privacy)
        self.policy = policy
        let registry = Registry(version: version)
        let notifier = try Self.notifier(configuration, logger)
        self.notifier = notifier
        let recorder = Recorder(
            store: store, registry: registry, policy: policy, notifier: notifier,
            version: version, logger: logger,
            userLimit: configuration.telemetry.userSeries)
        self.recorder = recorder
        let tickets = try Self.tickets(configuration, logger)
        self.tickets = tickets
        let radius = try Self.radius(
            configuration, registry,
            QueueSink(queue: records ? recorder.makeQueue(capacity: 1_024) : nil))
        self.radius = radius
        gateway = try Self.gateway(configuration, tickets?.policy) {
            QueueSink(queue: records ? recorder.makeQueue() : nil, radius: radius)
        }
        let gateway = gateway
        let reloader = Reloader(
            configuration, file: file, gateway: gateway,
            sink: QueueSink(queue: records ? recorder.makeQueue(capacity: 1_024) : nil),
            logger: logger)
        self.reloader = reloader
        let address = configuration.telemetry.metricsAddress.value
        let port = configuration.telemetry.metricsPort
        let (access, files) = try Self.access(configuration.telemetry.webConfig)
        site = PageSite(
            PageSite.Sources(
                gateway: configuration.gateway.name, registry: registry, policy: policy,
                ask: { gateway.ask($0, within: .seconds(1)) },
                activeAlerts: { recorder.activeAlerts },
                isHealthy: { recorder.isHealthy }),
            store: configuration.telemetry.store.value)
        do throws(ServerError) {
            metrics = try MetricsServer(
                registry: registry, address: address, port: port.value, access: access, site: site,
                isReady: { recorder.isHealthy && !gateway.isDraining })
        } catch {
            throw .misuse(port.problem(error.description))
        }
        web = WebConfigurationWatch(
            path: configuration.telemetry.webConfig?.value, files: files, server: metrics,
            logger: logger)
        metricsPort = metrics.port
        do throws(GatewayError) {
            control = try ControlSocket(
                path: configuration.gateway.control.value, disclosure: policy,
                reload: { reloader.reload() }, answer: { gateway.ask($0) })
        } catch {
            throw .misuse(configuration.gateway.control.problem(error.description))
        }
    }

    var activeAlerts: [ActiveAlert] { recorder.activeAlerts }

    func start() throws(Failure) {
        recorder.start()
        web.start()
        tickets?.start()
        do throws(GatewayError) {
            try radius?.start()
            try gateway.start()
        } catch {
            radius?.stop()
            recorder.stop(cause: .failure)
            throw .trouble(error)
        }
        for place in gateway.listen {
            logger.info("listening", metadata: ["on": "\(place.endpoint)"])
        }
        logger.info("metrics", metadata: ["port": "\(metricsPort)"])
    }

    /// Ends all in the order of the river: no new facts, then the last ones written down.
    func stop() {
        control.stop()
        gateway.stop()
        radius?.stop()
        recorder.stop(cause: .signal)
        notifier?.stop()
        web.stop()
        tickets?.stop()
        metrics.stop()
        site.stop()
        logger.info("stopped")
    }

    func run() async throws {
        try start()
        await withTaskGroup { tasks in
            tasks.addTask { [reloader] in
                for await _ in await UnixSignalsSequence(trapping: .sighup) { reloader.reload() }
            }
            try? await gracefulShutdown()
            tasks.cancelAll()
        }
        stop()
    }

    /// Who may ask the metrics server, and the files that say so.
    private static func access(
        _ file: Located<String>?
    ) throws(Failure) -> (Access, files: [String]) {
        guard let file else { return (Access(), []) }
        let configuration: WebConfiguration
        do throws(SettingsError) {
            configuration = try WebConfiguration.load(path: file.value)
        } catch {
            throw .misuse(error)
        }
        do throws(TLSError) {
            return (try Access(configuration), configuration.files)
        } catch {
            throw .misuse(file.problem(error.description))
        }
    }

    private static func disclosure(
        of privacy: Configuration.Privacy
    ) throws(Failure) -> Disclosure {
        let key: SharedSecret?
        do throws(SettingsError) {
            key = try privacy.pseudonymKey(create: true)
        } catch {
            throw .misuse(error)
        }
        guard let key else {
            throw .misuse(privacy.key.problem("the key file has gone; start again"))
        }
        return privacy.disclosure(KeyedPseudonymiser(key: key))
    }

    private static func notifier(
        _ configuration: Configuration, _ logger: Logger
    ) throws(Failure) -> AlertmanagerNotifier? {
        guard let first = configuration.alertmanagers.first else { return nil }
        do throws(NotifierError) {
            return try AlertmanagerNotifier(
                urls: configuration.alertmanagers.map(\.value),
                gateway: configuration.gateway.name, log: logger)
        } catch {
            throw .misuse(first.problem(error.description))
        }
    }

    private static func radius(
        _ configuration: Configuration, _ registry: Registry, _ sink: QueueSink
    ) throws(Failure) -> RadiusAccounting? {
        guard let radius = configuration.radius else { return nil }
        do throws(GatewayError) {
            return try RadiusAccounting(
                RadiusAccounting.Setup(configuration, radius), sink: sink
            ) { report in
                registry.update(report.servers, answers: report.answers)
                registry.set(.accountingQueue, to: Double(report.waiting))
            }
        } catch {
            throw .trouble(error)
        }
    }

    private static func tickets(
        _ configuration: Configuration, _ logger: Logger
    ) throws(Failure) -> TicketKeyWatch? {
        guard let settings = configuration.gateway.resumption else { return nil }
        return try TicketKeyWatch(settings, logger: logger)
    }

    private static func store(
        _ telemetry: Configuration.Telemetry
    ) throws(Failure) -> Store {
        let retention = telemetry.retention
        do throws(StoreError) {
            return try Store(
                path: telemetry.store.value, version: version, at: ClockReading.now.wall,
                bootID: ClockReading.bootID,
                retention: Retention(
                    samples: retention.samples, figures: retention.figures,
                    minutes: retention.minutes, hours: retention.hours,
                    events: retention.events, kinds: retention.kinds,
                    sessions: retention.sessions),
                logLimit: UInt64(clamping: telemetry.storeLogLimit))
        } catch {
            throw .misuse(telemetry.store.problem(error.description))
        }
    }

    private static func gateway(
        _ configuration: Configuration, _ resumption: ResumptionPolicy?,
        makeSink: () -> QueueSink
    ) throws(Failure) -> Shards {
        let settings = configuration.gateway
        var setup = GatewaySetup(listen: settings.listen.map(\.value))
        setup.port = settings.port.value
        setup.natPort = settings.natPort.value
        setup.pathMTU = settings.pathMTU
        setup.interval = configuration.telemetry.interval
        setup.handshakePatience = settings.defence.patience
        let shares = configuration.shares
        do throws(GatewayError) {
            return try Shards(setup, count: settings.shards) { number throws(GatewayError) in
                try innerNetworks(configuration, shard: number, shares[number])
            } sink: { _ in
                makeSink()
            } engine: { number, dataplane, _ in
                var policy = shares[number].policy
                policy.resumption = resumption
                let engine = Engine(policy, dataplane: dataplane, random: PooledRandom())
                logKeys(of: engine)
                return engine
            }
        } catch {
            switch error {
            case .tun, .tunName, .netlink:
                throw .misuse(settings.tunName.problem(error.description))
            case .socket(let endpoint, _) where endpoint.port == settings.natPort.value:
                throw .misuse(settings.natPort.problem(error.description))
            default:
                throw .misuse(settings.port.problem(error.description))
            }
        }
    }

    /// Each shard has interfaces of its own, to which its part of the pools is routed.
    private static func innerNetworks(
        _ configuration: Configuration, shard: Int, _ part: PolicyShare
    ) throws(GatewayError) -> sending [any InnerNetwork] {
        var networks: [any InnerNetwork] = []
        for (device, routes) in zip(configuration.devices, part.routes) {
            guard configuration.gateway.dataplane.value == .tun else {
                networks.append(EchoNetwork())
                continue
            }
            networks.append(
                try TUN(
                    name: device.name.value + (shard == 0 ? "" : "-\(shard)"),
                    mtu: configuration.gateway.tunMTU, routes: routes, table: device.table))
        }
        return networks
    }
}

/// The gateway's end of the recorder's queue.
private struct QueueSink: FactSink {
    /// nil if nothing is to be recorded.
    let queue: FactQueue?
    /// nil if no RADIUS server is to hear of it.
    var radius: RadiusAccounting?

    func record(_ event: any Event, at time: Instant) {
        queue?.record(event, at: time)
        radius?.record(event, at: time)
    }

    func record(_ tick: Tick, at time: Instant) {
        queue?.record(tick, at: time)
        radius?.record(tick, at: time)
    }
}
