import Crypto
import Engine
import Glibc
import Vocabulary

extension Configuration {
    /// Reads and checks a configuration file and the secrets that it names.
    ///
    /// Relative paths in it are relative to its own folder.
    package static func load(
        path: String, secrets: SecretSource = .system
    ) throws(SettingsError) -> Configuration {
        let bytes: [UInt8]
        do throws(SecretError) {
            bytes = try readConfigurationFile(path)
        } catch {
            throw SettingsError([Problem(Place(file: path), error.reason)])
        }
        return try parse(bytes, file: path, secrets: secrets)
    }

    /// The same, of bytes that were read from `file`.
    package static func parse(
        _ bytes: [UInt8], file: String, secrets: SecretSource
    ) throws(SettingsError) -> Configuration {
        try parse(bytes, secrets: secrets, report: Report(file: file))
    }

    static func parse(
        _ bytes: [UInt8], secrets: SecretSource, report: Report
    ) throws(SettingsError) -> Configuration {
        let node = try Document.compose(bytes, report: report)
        let place = Place(file: report.file, line: node == nil ? nil : 1)
        let root = Section(node, path: "", schemaPath: "", place: place, report: report)
        let loader = Loader(folder: folder(of: report.file), secrets: secrets)
        var configuration = loader.configuration(root)
        try report.throwIfAny()
        configuration.written = report.written
        return configuration
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "" }
        return String(file[...slash])
    }
}

/// Turns sections into values. A value that is wrong is reported, and replaced by the default so
/// that the rest can be read: the caller throws it all away.
struct Loader {
    /// With a slash at its end, or empty.
    let folder: String
    let secrets: SecretSource

    func configuration(_ root: Section) -> Configuration {
        let gateway = gateway(root.section("gateway"))
        var poolNames: Set<String> = []
        let pools = pools(root, names: &poolNames)
        let connections = connections(root, pools: poolNames)
        checkDevices(of: connections, gateway: gateway.tunName, root)
        checkOverlaps(of: pools, connections)
        let telemetry = telemetry(root.section("telemetry"))
        let alerts = root.section("alerts")
        let alertmanagers = alerts.list("alertmanager", of: .url, canBeEmpty: true) ?? []
        if alertmanagers.count > 8 {
            alerts.fail("alertmanager", "has more than 8 entries; let Alertmanagers form a cluster")
        }
        alerts.finish()
        let radius = radius(root)
        let log = root.section("log")
        let level = log.read("level", .word, or: Defaults.logLevel).value
        log.finish()
        root.finish()
        return Configuration(
            gateway: gateway, pools: pools.map(\.pool), connections: connections,
            telemetry: telemetry,
            alertmanagers: alertmanagers, radius: radius, logLevel: level)
    }

    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }

    func path(
        _ section: Section, _ key: String, or standard: String, limit: Int = 4_095
    ) -> Located<String> {
        let found = section.optional(key, .path(standard, limit: limit))
        return Located(
            found.map { absolute($0.value) } ?? standard, at: section.place(of: key),
            key: "\(section.path).\(key)")
    }

    private func gateway(_ section: Section) -> Configuration.Gateway {
        let tun = section.section("tun")
        let drain = section.section("drain")
        defer {
            tun.finish()
            drain.finish()
            section.finish()
        }
        let listen = section.list("listen", of: .address)
        let gateway = Configuration.Gateway(
            name: section.read(
                "name", .name("gw.example.org", limit: 253), or: Defaults.gatewayName
            )
            .value,
            listen: listen ?? [
                Located(Defaults.listen, at: section.place, key: "gateway.listen")
            ],
            port: section.read("port", .port, or: Defaults.port),
            natPort: section.read("nat_port", .port, or: Defaults.natPort),
            dataplane: section.read("dataplane", .word, or: .tun),
            // The kernel's limit is 15 bytes.
            tunName: tun.read("name", .name("weir0", limit: 15), or: Defaults.tunName),
            tunMTU: tun.read("mtu", .integer(576...9_000), or: Defaults.tunMTU).value,
            pathMTU: section.read(
                "path_mtu", .integer(576...9_000), or: Defaults.pathMTU
            ).value,
            fragmentSize: section.read(
                "fragment_size", .integer(576...9_000), or: Defaults.fragmentSize
            ).value,
            // The kernel's limit is 107 bytes.
            control: path(section, "control", or: Defaults.control, limit: 107),
            shards: section.read("shards", .integer(1...64), or: Defaults.shards).value,
            maxSessions: section.read(
                "max_sessions", .integer(1...1_000_000), or: Defaults.maxSessions
            ).value,
            eviction: section.read("eviction", .word, or: Defaults.eviction).value,
            maxHalfOpen: section.read(
                "max_half_open", .integer(1...1_000_000), or: Defaults.maxHalfOpen
            ).value,
            maxChildSAs: section.read(
                "max_child_sas", .integer(1...64), or: Defaults.maxChildSAs
            ).value,
            drainDeadline: drain.read(
                "deadline", .duration(.zero...Duration.seconds(7 * 86_400), "10m"),
                or: Defaults.drainDeadline
            ).value,
            redirectTargets: drain.list("to", of: .redirectTarget, canBeEmpty: true)?
                .map(\.value) ?? [],
            defence: defence(section.section("defence")), resumption: resumption(section))
        if gateway.redirectTargets.count > 16 { drain.fail("to", "has more than 16 entries") }
        if gateway.port.value == gateway.natPort.value, gateway.port.value != 0 {
            section.fail("nat_port", "is the same as gateway.port; use 4500 (RFC 3948)")
        }
        return gateway
    }

    private func retention(_ section: Section) -> Configuration.Retention {
        func age(_ key: String, in section: Section) -> Duration? {
            section.optional(
                key, .duration(.seconds(3_600)...Duration.seconds(36_500 * 86_400), "90d"))?.value
        }
        let byKind = section.section("kinds")
        var kinds: [String: Duration] = [:]
        let known = Set(Catalogue.events.map(\.name)).subtracting(Catalogue.keptForGood)
        for name in byKind.names {
            guard known.contains(name) else {
                byKind.fail(
                    name,
                    Catalogue.keptForGood.contains(name)
                        ? "accounts rest on it, so it is kept for good; leave it out"
                        : "no kind of event; "
                            + (suggestion(for: name, among: known).map { "did you mean \"\($0)\"?" }
                                ?? "see: weir records"))
                continue
            }
            kinds[name] = age(name, in: byKind)
        }
        let samples = age("samples", in: section)
        let sessions = age("sessions", in: section)
        if sessions != nil, samples == nil {
            section.fail("sessions", "needs telemetry.retention.samples: samples go first")
        }
        return Configuration.Retention(
            samples: samples, figures: age("figures", in: section),
            minutes: age("minutes", in: section), hours: age("hours", in: section),
            events: age("events", in: section), sessions: sessions, kinds: kinds)
    }

    private func telemetry(_ section: Section) -> Configuration.Telemetry {
        let metrics = section.section("metrics")
        let privacy = section.section("privacy")
        let users = metrics.section("per_user")
        let retention = section.section("retention")
        defer {
            users.finish()
            retention.finish()
            metrics.finish()
            privacy.finish()
            section.finish()
        }
        let store = path(section, "store", or: Defaults.store)
        let beside = String(
            store.value[
                ..<(store.value.lastIndex(of: "/").map {
                    store.value.index(after: $0)
                } ?? store.value.startIndex)])
        return Configuration.Telemetry(
            store: store,
            storeLogLimit: section.read(
                "store_log_limit", .integer(1 << 25...1 << 40), or: Defaults.storeLogLimit
            ).value,
            interval: section.read(
                "interval", .duration(.seconds(1)...Duration.seconds(3_600), "15s"),
                or: Defaults.interval
            ).value,
            metricsAddress: metrics.read("listen", .address, or: Defaults.metricsAddress),
            metricsPort: metrics.read("port", .port, or: Defaults.metricsPort),
            webConfig: metrics.optional("web_config", .path("/etc/weir/web.yml")).map {
                Located(absolute($0.value), at: $0.place, key: $0.key)
            },
            userSeries: users.read("limit", .integer(0...100_000), or: 0).value,
            retention: self.retention(retention),
            privacy: Configuration.Privacy(
                identities: privacy.read("identities", .word, or: Defaults.treatment).value,
                addresses: privacy.read("addresses", .word, or: Defaults.treatment).value,
                virtualAddresses: privacy.read(
                    "virtual_addresses", .word, or: Defaults.treatment
                ).value,
                key: reference(privacy, "key")
                    ?? Located(
                        .file(beside + Defaults.keyFile), at: privacy.place,
                        key: "telemetry.privacy.key")))
    }
}

extension Kind where Value == RedirectTarget {
    static var redirectTarget: Self {
        Self(
            "an address or a domain name such as gw2.example.org",
            optional: { RedirectTarget($0) })
    }
}
