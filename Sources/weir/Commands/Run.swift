import ArgumentParser
import Logging
import ServiceLifecycle
import Settings
import UnixSignals

struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: "The configuration file; see docs/configuration.md.")
    var config = "/etc/weir/weir.yaml"

    func load() throws(Failure) -> Configuration {
        do throws(SettingsError) {
            return try Configuration.load(path: config)
        } catch {
            throw .misuse(error)
        }
    }
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the gateway in the foreground.",
        discussion: """
            Listens, records, serves metrics and raises alerts until SIGTERM or SIGINT, and then \
            says goodbye to every peer. SIGHUP has the configuration read again, as `weir reload` \
            does.
            Example:
              weir run -c /etc/weir/weir.yaml
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: ArgumentHelp("Record nothing, to measure what records cost.", visibility: .hidden))
    var withoutRecords = false

    func run() async throws {
        let configuration = try options.load()
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "weir")
        logger.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
        let station = try Station(
            configuration, file: options.config, logger: logger, records: !withoutRecords)
        if withoutRecords { logger.warning("nothing is recorded: --without-records") }
        let group = ServiceGroup(
            services: [station], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await group.run()
    }
}

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration and the secrets that it names.",
        discussion: """
            Says nothing and ends with 0 if all is well; else a line for each mistake, and 2.
            Example:
              weir check -c /etc/weir/weir.yaml && systemctl restart weir
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        _ = try options.load()
    }
}
