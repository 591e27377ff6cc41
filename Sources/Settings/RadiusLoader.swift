package import Crypto
package import Vocabulary

extension Configuration {
    /// RADIUS servers, which are told of sessions.
    package struct Radius: Sendable {
        /// The one to be asked first in front; at least one.
        package var servers: [RadiusServer]
        /// For the first answer; it doubles with each transmission.
        package var timeout: Duration
        /// Transmissions after the first.
        package var retries: Int
        /// Between two questions whether a server is there; nil: none.
        package var probe: Duration?
        /// Between two Interim-Updates of a session.
        package var interim: Duration
    }

    package struct RadiusServer: Sendable {
        package var name: String
        package var address: IPAddress
        package var accountingPort: UInt16
        package var secret: SharedSecret
    }
}

extension Loader {
    /// - Returns: nil if there is no such section.
    func radius(_ root: Section) -> Configuration.Radius? {
        let section = root.section("radius")
        defer { section.finish() }
        let servers = root.has("radius") ? radiusServers(section) : []
        let timeout = section.read(
            "timeout", .duration(.milliseconds(100)...Duration.seconds(30), "2s"),
            or: Defaults.radiusTimeout)
        let retries = section.read("retries", .integer(0...10), or: Defaults.radiusRetries)
        let probe = section.read(
            "probe", .duration(.zero...Duration.seconds(3_600), "30s"), or: Defaults.radiusProbe)
        let interim = section.read(
            "interim", .duration(.seconds(1)...Duration.seconds(86_400), "10m"),
            or: Defaults.radiusInterim)
        guard root.has("radius") else { return nil }
        if probe.value > .zero, probe.value < .seconds(1) {
            section.fail("probe", "is shorter than 1s; 0s is for none")
        }
        return Configuration.Radius(
            servers: servers, timeout: timeout.value, retries: retries.value,
            probe: probe.value > .zero ? probe.value : nil, interim: interim.value)
    }

    private func radiusServers(_ radius: Section) -> [Configuration.RadiusServer] {
        let sections = radius.sections("servers")
        if sections.isEmpty { radius.fail("servers", "there are none; add one") }
        if sections.count > 8 { radius.fail("servers", "has more than 8 entries") }
        var names: Set<String> = []
        return sections.compactMap { section in
            let name = section.require("name", .name("radius1"))
            let address = section.require("address", .address)
            let port = section.read("accounting_port", .port, or: Defaults.radiusAccountingPort)
            let secret = radiusSecret(section)
            section.finish()
            if port.value == 0 { section.fail("accounting_port", "0 is no port to send to") }
            guard let name, let address, let secret else { return nil }
            if !names.insert(name.value).inserted {
                section.fail(
                    "name", "a server \"\(name.value)\" is there already; choose another name")
            }
            return Configuration.RadiusServer(
                name: name.value, address: address.value, accountingPort: port.value,
                secret: secret)
        }
    }

    private func radiusSecret(_ section: Section) -> SharedSecret? {
        guard section.has("secret") else {
            section.fail("lacks \"secret\": for example {file: /etc/weir/radius.secret}")
            return nil
        }
        guard let reference = reference(section, "secret") else { return nil }
        do throws(SecretError) {
            return try secrets.secret(reference.value)
        } catch {
            section.report.add(reference.problem(error.reason))
            return nil
        }
    }
}
