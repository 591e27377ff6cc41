import ArgumentParser
import Capacity
import Clocks
import Crypto
import Foundation
import Gateway
import Glibc
import LoadTest
import Logging
import Presentation
import ServiceLifecycle
import Settings
import Store
import UnixSignals
import Vocabulary

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a gateway and simulated clients on loopback.",
        discussion: """
            Needs no privileges and leaves nothing but its folder. Users log in, move traffic \
            through real ESP, rekey, roam and log out; one who does not know the secret keeps \
            trying until an alert fires.
            Examples:
              weir demo
              weir demo --clients 100 --duration 5m
            """)

    @Option(help: "How many users.")
    var clients = 20

    @Option(help: "How long, such as 60s, 10m; Ctrl-C ends it too.")
    var duration = Span(.seconds(60))

    @Option(help: "The folder for its configuration, key and store.")
    var dir = "weir-demo"

    func validate() throws {
        guard (1...200).contains(clients) else {
            throw ValidationError("--clients takes 1 to 200")
        }
    }

    func run() async throws {
        let folder = try DemoFolder(at: dir)
        let configuration: Configuration
        do {
            configuration = try Configuration.load(path: folder.configurationFile)
        } catch {
            throw Failure.misuse(error)
        }
        var logger = Logger(label: "weir") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let station = try Station(
            configuration, file: folder.configurationFile, logger: logger)
        let show = DemoShow(
            station: station, fleet: try fleet(configuration), folder: folder,
            duration: duration.duration)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(
                        service: show, successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
        try await group.run()
        try folder.report()
    }

    private func fleet(_ configuration: Configuration) throws(Failure) -> Fleet {
        guard let connection = configuration.connections.first else {
            throw .misuse("\(dir): the configuration has no connection")
        }
        let plan = FleetPlan(
            clients: clients, intruders: 1,
            gateway: Endpoint(.v4(0x7f00_0001), configuration.gateway.port.value),
            natPort: configuration.gateway.natPort.value,
            gatewayIdentity: connection.localID, secret: connection.secret,
            innerHost: .v4(0x0a63_0001))
        return Fleet(plan) { SystemClock.now }
    }
}

/// Runs gateway and clients for a while and shows how they do.
private struct DemoShow: Service {
    let station: Station
    let fleet: Fleet
    let folder: DemoFolder
    let duration: Duration

    func run() async throws {
        try station.start()
        say(
            """
            metrics  http://127.0.0.1:\(station.metricsPort)/metrics
            store    \(folder.storeFile)
            sessions \(folder.binary) sessions --control \(folder.controlSocket)

            """)
        fleet.start()
        var screen = LiveView(station: station, fleet: fleet)
        let end = SystemClock.now + duration
        while SystemClock.now < end, !Task.isShuttingDownGracefully {
            screen.show()
            let pause = screen.interval
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
        }
        screen.finish()
        fleet.stop()
        station.stop()
    }
}
